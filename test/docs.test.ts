/** README.md and docs/: every block runs or is parsed, every flag exists, links and the tree lead somewhere. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { copyFileSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { insertSummary, renderResults } from '../bench/results-page.ts'
import { insertNames } from '../docs/make-names.ts'
import { insertOptions } from '../docs/make-options.ts'
import { type Listening, listen } from '../src/apps/server/listen.ts'
import { createServer } from '../src/apps/server/server.ts'
import { checkConfig } from '../src/engines/config-schema.ts'
import { echo, scriptedEngine } from '../src/engines/scripted/scripted.ts'
import { readRecipe } from '../src/train/recipe-file.ts'
import { type ChatServer, startChatServer } from './chat-server.ts'
import { type Block, blocksOf, commandsOf, listFlags, parseCommand } from './docs-page.ts'
import { floors } from './house/house.ts'
import { isSlow } from './slow.ts'

const root = path.join(import.meta.dirname, '..')
const scratch = path.join(root, '.cache/docs')
const read = (page: string) => readFileSync(path.join(root, page), 'utf8')
const pages = ['README.md', 'CONTRIBUTING.md', ...globSync('docs/*.md', { cwd: root }).sort()].filter(
  (page) => existsSync(path.join(root, page)),
)

/** Run by .ci/run in a fresh clone, or the habits of those who change the project. */
const elsewhere = /^npm (ci|start|test|run|pack|install)\b|^(runs\/\w+\.sh|git|npx vitest|node bench\/)/

const isAft = (command: string) => command.startsWith('npx aft ')

let server: ChatServer
/** Answers if the page has not started `aft serve` itself. */
let own: Listening
let served: string | undefined
const background: ChildProcess[] = []

beforeAll(async () => {
  rmSync(scratch, { recursive: true, force: true })
  server = await startChatServer(scriptedEngine(echo))
  own = await listen(createServer({ engines: { echo: scriptedEngine(echo) } }), {
    host: '127.0.0.1',
    port: 0,
  })
})
afterAll(async () => {
  await own.close(0)
  for (const { pid } of background) process.kill(-(pid as number))
  await server.close()
})

/** A page's code as it runs here: with addresses of this test, and without the detour over npx. */
function adapt(code: string): string {
  return code
    .replaceAll(/http:\/\/127\.0\.0\.1:(8000|11434)\/v1/g, server.baseURL)
    .replaceAll('http://127.0.0.1:8080', served ?? own.url)
    .replace('--port 8080', '--port 0')
    .replaceAll('npx aft', `"${process.execPath}" "${path.join(root, 'bin/aft.js')}"`)
}

function inPage(folder: string) {
  const env = {
    ...process.env,
    PATH: `${path.join(root, 'node_modules/.bin')}${path.delimiter}${process.env.PATH}`,
    OPENAI_API_KEY: 'a-key',
    OPENAI_BASE_URL: server.baseURL,
    OLLAMA_HOST: server.baseURL,
  }
  const options = { cwd: folder, env }
  return {
    run: (command: string, args: string[]) => promisify(execFile)(command, args, options),
    /** `aft serve` runs on while the lines after it run. */
    async start(line: string): Promise<string> {
      const child = spawn('bash', ['-c', line], {
        ...options,
        detached: true,
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      background.push(child)
      for await (const chunk of child.stdout) return /http:\S+/.exec(String(chunk))?.[0] ?? ''
      throw new Error(`${line} ended`)
    },
  }
}

async function runCommand(command: string, folder: string): Promise<void> {
  expect(command).toMatch(/^(\w+=\S+ )*(echo "[^"]*" \| )?(npx aft|curl) /)
  const { run, start } = inPage(folder)
  if (/npx aft serve/.test(command)) {
    served = await start(adapt(command))
    return expect(served).toMatch(/^http:/)
  }
  const { stdout, stderr } = await run('bash', ['-c', adapt(command)])
  expect(`${stdout}${stderr}`).not.toBe('')
  if (command.startsWith('curl') && command.includes('/chat/completions')) {
    expect(JSON.parse(stdout).choices[0].message.content).toMatch(/^Reply/)
  }
}

/** Writes a program of a page; the types of all are checked at the end. */
function keepProgram({ code, file }: Block, name: string, folder: string): string {
  const program = path.join(folder, file ?? `${name}.ts`)
  writeFileSync(program, adapt(code))
  return program
}

async function runProgram(block: Block, name: string, folder: string): Promise<void> {
  const { code } = block
  const program = keepProgram(block, name, folder)
  const { stdout } = await inPage(folder).run(process.execPath, [program])
  if (/console\.log|stdout\.write/.test(code)) expect(stdout).not.toBe('')
}

/** JSON is whole, YAML is a config or a recipe; a block that names its file is there for the lines after it. */
function keepFile({ language, code, file }: Block, folder: string): void {
  if (language === 'yaml') {
    const value = parseYaml(code)
    const kept = path.join(folder, file ?? 'recipe.yaml')
    writeFileSync(kept, adapt(code))
    if ('base' in value) readRecipe(kept)
    else checkConfig(value)
  }
  if (language === 'json') expect(JSON.parse(code)).toBeTypeOf('object')
  if (language === 'jsonl') for (const line of code.trim().split('\n')) JSON.parse(line)
  if (file) writeFileSync(path.join(folder, file), adapt(code))
}

describe.each(pages)('%s', (page) => {
  const text = read(page)
  const blocks = blocksOf(text)
  const folder = path.join(scratch, path.basename(page, '.md'))
  // The quick set runs README's blocks; the slow set runs those of every page.
  const runs = isSlow || page === 'README.md'

  beforeAll(() => {
    served = undefined
    mkdirSync(folder, { recursive: true })
    for (const file of ['prompts.jsonl', 'annotations.json']) {
      copyFileSync(path.join(root, 'examples', file), path.join(folder, file))
    }
  })

  test('has only blocks that are tested', () => {
    const known = ['json', 'jsonl', 'sh', 'text', 'ts', 'yaml']
    expect(blocks.map((block) => block.language).filter((language) => !known.includes(language))).toEqual([])
    expect(blocks.length).toBe((text.match(/^```/gm)?.length ?? 0) / 2)
  })

  for (const [i, block] of blocks.entries()) {
    const first = block.code.split('\n').find((line) => !/^import|^$|^(#|\/\/) /.test(line))
    if (block.language === 'ts') {
      if (runs) test(`runs: ${first}`, () => runProgram(block, `block-${i}`, folder))
      else test(`is a program: ${first}`, () => keepProgram(block, `block-${i}`, folder))
    } else if (block.language === 'sh') {
      for (const command of commandsOf(block.code)) {
        if (elsewhere.test(command)) continue
        if (block.needs || (isAft(command) && !runs)) test(`parses: ${command}`, () => parseCommand(command))
        else if (runs) test(`runs: ${command}`, () => runCommand(command, folder))
      }
    } else if (block.language !== 'text') test(`is whole: ${first}`, () => keepFile(block, folder))
  }

  test('links within the project lead somewhere', () => {
    const links = [...text.matchAll(/(?:\]\(|src="|srcset=")(?!https?:|#)([^)#"]+)/g)].map(
      ([, link]) => link as string,
    )
    expect(links.filter((link) => !existsSync(path.join(root, path.dirname(page), link)))).toEqual([])
  })

  // The results name the flags of the day on which they were made.
  test.skipIf(page === 'docs/results.md')('every flag that it names exists', async () => {
    const prose = text.replaceAll(/^```[\s\S]*?^```$/gm, '')
    const named = [...prose.matchAll(/(?<![\w-])--[a-z][a-z-]+/g)].map(([flag]) => flag)
    const flags = await listFlags()
    const unknown = named.filter((flag) => !flags.has(flag))
    expect(unknown).toEqual([])
  })
})

test('the programs have the right types', async () => {
  writeFileSync(
    path.join(scratch, 'tsconfig.json'),
    '{ "extends": "../../tsconfig.json", "include": ["**/*.ts"] }',
  )
  await promisify(execFile)(path.join(root, 'node_modules/.bin/tsc'), ['--noEmit', '-p', scratch])
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
