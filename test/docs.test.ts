/** Every code block of the README is run, and its links and its tree exist. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { insertResults } from '../bench/results-page.ts'
import { type Listening, listen } from '../src/apps/server/listen.ts'
import { createServer } from '../src/apps/server/server.ts'
import { echo, scriptedEngine } from '../src/engines/scripted/scripted.ts'
import { type ChatServer, startChatServer } from './chat-server.ts'

const root = path.join(import.meta.dirname, '..')
const folder = path.join(root, '.cache/docs')
const readme = readFileSync(path.join(root, 'README.md'), 'utf8')
const blocks = [...readme.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = '', code = '']) => ({
  language,
  code,
}))
const codeOf = (language: string) =>
  blocks.filter((block) => block.language === language).map((block) => block.code)
let server: ChatServer
/** What TypeScript asks where the README has `aft serve` running. */
let own: Listening

/** Run by .ci/run in a fresh clone, and, with fewer steps, by src/train/train.slow.test.ts. */
const elsewhere = [
  'npm ci',
  'npm start -- "Why is the sky blue?"',
  'npx aft train setup',
  'npx aft train recipes/smollm2-135m-cpu.yaml --data data -o tuned',
  'npx aft ask --model tuned "Ann has 3 apples and buys 4 more. How many apples has she?"',
]

const env = {
  ...process.env,
  PATH: `${path.join(root, 'node_modules/.bin')}${path.delimiter}${process.env.PATH}`,
}
const run = (command: string, args: string[]) => promisify(execFile)(command, args, { cwd: folder, env })

/** The README's addresses, as they are here. */
const adapt = (code: string) =>
  code
    .replaceAll('http://127.0.0.1:8000/v1', server.baseURL)
    .replaceAll('http://127.0.0.1:8080', served ?? own.url)
    .replace('--port 8080', '--port 0')

/** `aft serve` goes on while the lines after it are run. */
let served: string | undefined
const background: ChildProcess[] = []
async function start(line: string): Promise<string> {
  const child = spawn('bash', ['-c', line], {
    cwd: folder,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  background.push(child)
  for await (const chunk of child.stdout) return String(chunk).trim()
  throw new Error(`${line} ended`)
}

beforeAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const file of ['prompts.jsonl', 'annotations.json']) {
    copyFileSync(path.join(root, 'examples', file), path.join(folder, file))
  }
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

test('the README has only blocks that are tested', () => {
  expect([...new Set(blocks.map((block) => block.language))].sort()).toEqual(['sh', 'text', 'ts'])
  expect(blocks.length).toBe((readme.match(/^```\w*$/gm)?.length as number) / 2)
})

describe('TypeScript', () => {
  const programs = codeOf('ts').map(
    (code, i) => [code.split('\n').find((line) => !/^import|^$/.test(line)), code, i] as const,
  )

  test.each(programs)('runs: %s', async (_, code, i) => {
    const file = path.join(folder, `readme-${i}.ts`)
    const sources = { aft: 'index.ts', 'aft/ai-sdk': 'apps/ai-sdk/ai-sdk.ts' }
    const own = adapt(code).replace(/from '(aft(?:\/ai-sdk)?)'/g, (_, name: keyof typeof sources) => {
      return `from '../../src/${sources[name]}'`
    })
    writeFileSync(file, own)
    const { stdout } = await run(process.execPath, [file])
    if (/console\.log|stdout\.write/.test(code)) expect(stdout).not.toBe('')
  })

  test('has the right types', async () => {
    writeFileSync(
      path.join(folder, 'tsconfig.json'),
      '{ "extends": "../../tsconfig.json", "include": ["*.ts"] }',
    )
    await run(path.join(root, 'node_modules/.bin/tsc'), ['--noEmit', '-p', folder])
  })
})

describe('shell', () => {
  const lines = codeOf('sh').flatMap((code) => code.trim().split('\n'))
  test.each(lines.filter((line) => !elsewhere.includes(line)))('runs: %s', async (line) => {
    expect(line).toMatch(/^(npx aft|curl) /)
    if (line.startsWith('npx aft serve')) {
      served = await start(adapt(line))
      return expect(served).toMatch(/^http:/)
    }
    const { stdout, stderr } = await run('bash', ['-c', adapt(line)])
    expect(`${stdout}${stderr}`).not.toBe('')
    if (line.startsWith('curl')) expect(JSON.parse(stdout).choices[0].message.content).toMatch(/^Reply/)
  })

  test('that is run elsewhere is still there', () => {
    expect(lines.filter((line) => elsewhere.includes(line))).toEqual(elsewhere)
  })
})

test('the tree is the tree', () => {
  const tree = codeOf('text').find((text) => text.startsWith('src/')) as string
  let parent = ''
  const paths = tree
    .trimEnd()
    .split('\n')
    .map((line) => {
      const name = line.trim().split(/\s/)[0] as string
      if (!line.startsWith(' ')) parent = name
      return line.startsWith(' ') ? `${parent}${name}` : name
    })
  expect(paths.filter((place) => !existsSync(path.join(root, place)))).toEqual([])
})

test('links within the project lead somewhere', () => {
  const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map((match) => match[1] as string)
  expect(links.filter((link) => !existsSync(path.join(root, link)))).toEqual([])
})

test('the results are those of bench/results; otherwise: node bench/readme.ts', () => {
  expect(readme).toBe(insertResults(readme))
})
