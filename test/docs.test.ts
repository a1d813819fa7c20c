/** README.md and docs/: README's blocks run, those of other pages are parsed, every flag exists, links and the tree lead somewhere. */
import { existsSync, globSync } from 'node:fs'
import path from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { insertSummary, renderResults } from '../bench/results-page.ts'
import { insertNames } from '../docs/make-names.ts'
import { insertOptions } from '../docs/make-options.ts'
import { commandNames } from '../src/apps/cli/main.ts'
import { flagName } from '../src/apps/cli/plan-flags.ts'
import { planOptions } from '../src/plans/options.ts'
import { blocksOf, commandsOf, listFlags, parseCommand } from './docs-page.ts'
import {
  isElsewhere,
  keepFile,
  openPage,
  opensModel,
  pages,
  read,
  root,
  runCommand,
  runProgram,
  titleOf,
  useDocs,
} from './docs-run.ts'
import { floors } from './house/house.ts'

useDocs(path.join(root, '.cache/docs-quick'))

describe.each(pages)('%s', (page) => {
  const text = read(page)
  const blocks = blocksOf(text)
  // docs.slow.test.ts runs the blocks of the other pages, and what opens a model.
  const runs = page === 'README.md'
  let folder: string
  beforeAll(() => {
    folder = openPage(page)
  })

  test('has only blocks that are tested', () => {
    const known = ['json', 'jsonl', 'sh', 'text', 'ts', 'yaml']
    expect(blocks.map((block) => block.language).filter((language) => !known.includes(language))).toEqual([])
    expect(blocks.length).toBe((text.match(/^```/gm)?.length ?? 0) / 2)
  })

  for (const [i, block] of blocks.entries()) {
    const title = titleOf(block)
    if (block.language === 'ts') {
      if (runs && !opensModel(block)) {
        test(`runs: ${title}`, () => runProgram(block, `block-${i}`, folder))
      }
    } else if (block.language === 'sh') {
      for (const command of commandsOf(block.code)) {
        if (isElsewhere(command)) continue
        if (block.needs || (!runs && command.startsWith('npx aft '))) {
          test(`parses: ${command}`, () => parseCommand(command))
        } else if (runs) test(`runs: ${command}`, () => runCommand(command, folder))
      }
    } else if (block.language !== 'text') test(`is whole: ${title}`, () => keepFile(block, folder))
  }

  test('links within the project lead somewhere', () => {
    const links = [...text.matchAll(/(?:\]\(|src="|srcset=")(?!https?:|#)([^)#"]+)/g)].map(
      ([, link]) => link as string,
    )
    expect(links.filter((link) => !existsSync(path.join(root, path.dirname(page), link)))).toEqual([])
  })

  // The results name the flags of the day on which they were made.
  test.skipIf(page === 'docs/results.md')('every flag that it names exists', async () => {
    // Scripts have flags of their own.
    const prose = text.replaceAll(/^```[\s\S]*?^```$|`node scripts\/[^`]*`/gm, '')
    const named = [...prose.matchAll(/(?<![\w-])--[a-z][a-z-]+/g)].map(([flag]) => flag)
    const flags = await listFlags()
    const unknown = named.filter((flag) => !flags.has(flag))
    expect(unknown).toEqual([])
  })
})

test('docs/serve.md names every flag that only `aft serve` has; options of a plan are in docs/cli.md', async () => {
  const others = await listFlags(['ask', 'run', 'eval'])
  for (const name of Object.keys(planOptions)) others.add(flagName(name))
  const flags = [...(await listFlags(['serve']))].filter((flag) => !others.has(flag))
  expect(flags).toContain('--max-stored')
  expect(flags.filter((flag) => !read('docs/serve.md').includes(flag))).toEqual([])
})

test.each([...pages, 'AGENTS.md', 'SECURITY.md'])('paths and scripts that %s names exist', (page) => {
  const text = read(page)
  const places = [
    ...text.matchAll(/`((?:src|test|bench|docs|runs|recipes|examples|scripts|trainer|\.ci)\/[\w./-]*)`/g),
  ]
  const scripts = [...text.matchAll(/npm run (?:-s )?([a-z:]+)/g)].map(([, name]) => name as string)
  const known = JSON.parse(read('package.json')).scripts
  expect(scripts.filter((name) => !(name in known))).toEqual([])
  const paths = places.map(([, place]) => place as string).filter((place) => !/NAME/.test(place))
  expect(paths.filter((place) => !existsSync(path.join(root, place)))).toEqual([])
})

test('docs/cli.md says what every command does', () => {
  const rows =
    read('docs/cli.md')
      .match(/^\| `aft .*$/gm)
      ?.join('\n') ?? ''
  expect(commandNames.filter((name) => !rows.includes(`\`aft ${name}\``))).toEqual([])
})

test('AGENTS.md lists the floors of the house', () => {
  const [, list = ''] = /^## Floors\n([\s\S]*?)^## /m.exec(read('AGENTS.md')) ?? []
  const listed = [...list.matchAll(/^\d\. (.*)/gm)].map(([, line]) =>
    [...(line as string).replace(/\(.*/, '').matchAll(/`([^`]+)`/g)].map(([, room]) => room),
  )
  expect(listed).toEqual(floors)
})

test('README.md has at most 200 lines', () => {
  expect(read('README.md').split('\n').length - 1).toBeLessThanOrEqual(200)
})

test('the tree is the tree', () => {
  const tree = blocksOf(read('README.md')).find(({ code }) => code.startsWith('src/'))?.code ?? ''
  let parent = ''
  const paths = tree
    .trimEnd()
    .split('\n')
    .flatMap((line) => {
      // One path and its description, or several paths that end with `/`.
      const words = line.trim().split(/\s+/)
      const count = Math.max(
        1,
        words.findIndex((word) => !word.endsWith('/')),
      )
      const names = words.slice(0, count)
      if (!line.startsWith(' ')) parent = names[0] as string
      return names.map((name) => (line.startsWith(' ') ? `${parent}${name}` : name))
    })
  const rooms = globSync('src/*/', { cwd: root }).map((room) =>
    room.replaceAll('\\', '/').replace(/\/?$/, '/'),
  )
  expect(rooms.filter((room) => !paths.includes(room))).toEqual([])
  expect(paths.length).toBeGreaterThan(10)
  expect(paths.filter((place) => !existsSync(path.join(root, place)))).toEqual([])
})

test('the results are those of bench/results; otherwise: node bench/results-page.ts', () => {
  expect(read('docs/results.md')).toBe(renderResults())
  expect(read('README.md')).toBe(insertSummary(read('README.md')))
})

test('the names of models are those of the table; otherwise: node docs/make-names.ts', () => {
  expect(read('docs/models.md')).toBe(insertNames(read('docs/models.md')))
})

test('the options are those of the table; otherwise: node docs/make-options.ts', () => {
  expect(read('docs/cli.md')).toBe(insertOptions(read('docs/cli.md')))
})
