/** The blocks that docs.test.ts does not run, and the types of all programs. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, test } from 'vitest'
import { type Block, blocksOf, commandsOf } from './docs-page.ts'
import {
  isElsewhere,
  keepFile,
  keepProgram,
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

const scratch = path.join(root, '.cache/docs')
useDocs(scratch)

/** What of a page runs here, in order. README's other blocks run in docs.test.ts; here only their types are checked. */
function listRuns(page: string) {
  const isRunAlready = page === 'README.md'
  const programs: [Block, string][] = []
  const runs: { title: string; files: Block[]; work: (folder: string) => Promise<void> }[] = []
  /** Files for the next block that runs. */
  let files: Block[] = []
  const add = (title: string, work: (folder: string) => Promise<void>) => {
    runs.push({ title, files, work })
    files = []
  }
  for (const [i, block] of blocksOf(read(page)).entries()) {
    const name = `block-${i}`
    if (block.language === 'ts') {
      if (isRunAlready && !opensModel(block)) programs.push([block, name])
      else add(titleOf(block) ?? name, (folder) => runProgram(block, name, folder))
    } else if (block.language === 'sh') {
      if (isRunAlready || block.needs) continue
      for (const command of commandsOf(block.code)) {
        if (!isElsewhere(command)) add(command, (folder) => runCommand(command, folder))
      }
    } else if (block.language !== 'text') files.push(block)
  }
  return { page, programs, runs }
}

const listed = pages.map(listRuns).filter(({ runs }) => runs.length > 0)
describe.each(listed)('$page', ({ page, programs, runs }) => {
  let folder: string
  beforeAll(() => {
    folder = openPage(page)
    for (const [block, name] of programs) keepProgram(block, name, folder)
  })

  for (const { title, files, work } of runs) {
    test(`runs: ${title}`, async () => {
      for (const file of files) keepFile(file, folder)
      await work(folder)
    })
  }
})

test('the programs of all pages have the right types', async () => {
  writeFileSync(
    path.join(scratch, 'tsconfig.json'),
    '{ "extends": "../../tsconfig.json", "include": ["**/*.ts"] }',
  )
  await promisify(execFile)(path.join(root, 'node_modules/.bin/tsc'), ['--noEmit', '-p', scratch])
})
