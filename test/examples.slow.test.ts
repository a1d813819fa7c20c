/** Every example runs as its head says. */
import { execFile } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { echo, scriptedEngine } from '../src/engines/scripted/scripted.ts'
import { type ChatServer, startChatServer } from './chat-server.ts'

const folder = path.join(import.meta.dirname, '../examples')
const scratch = mkdtempSync(path.join(tmpdir(), 'aft-examples-'))
let server: ChatServer

/** Output of an example. */
async function run(file: string, ...args: string[]): Promise<string> {
  const env = {
    ...process.env,
    OUT: path.join(scratch, 'answers.jsonl'),
    PATH: `${bin}${path.delimiter}${process.env.PATH}`,
  }
  const [command, ...first] = file.endsWith('.sh') ? ['bash'] : [process.execPath]
  const { stdout } = await promisify(execFile)(
    command as string,
    [...first, path.join(folder, file), ...args],
    { env },
  )
  return stdout
}
const bin = path.join(import.meta.dirname, '../node_modules/.bin')

beforeAll(async () => {
  server = await startChatServer(scriptedEngine(echo))
})
afterAll(() => server.close())

/** What each prints, by its file. */
const examples: Record<string, () => Promise<void>> = {
  '01-ask.ts': async () => expect(await run('01-ask.ts')).toMatch(/^Proposal 1: .+Proposal 3: .+Answer: .+/s),
  '02-scripted.ts': async () => {
    const output = await run('02-scripted.ts')
    expect(output).toMatch(/^Short waves scatter more.+\n2 calls, 22 tokens written\n/)
    for (const proposal of ['It mirrors the sea.', 'Air scatters blue light.'])
      expect(output).toContain(proposal)
  },
  '03-server.ts': async () =>
    expect(await run('03-server.ts', `${server.baseURL}#m`)).toMatch(/^Reply .+outputTokens/s),
  '04-mixture.ts': async () => {
    const output = await run('04-mixture.ts', 'scripted:echo', `${server.baseURL}#m`)
    expect(output.match(/^\S+(?=: Reply )/gm)).toEqual([
      'scripted:echo',
      `${server.baseURL}#m`,
      `${server.baseURL}#m`,
    ])
  },
  '05-run-a-file.sh': async () => {
    await run('05-run-a-file.sh', 'scripted:echo')
    const lines = readFileSync(path.join(scratch, 'answers.jsonl'), 'utf8').trim().split('\n')
    expect(lines.map((line) => JSON.parse(line).id)).toEqual(['sky', '1', 'fox'])
  },
  '06-watch.ts': async () => {
    const output = await run('06-watch.ts')
    expect(output).toMatch(/^layer 1: 2 completions\n/)
    expect(output).toMatch(/\nshown to the next layer: 1, 2\nlayer 2: 1 completions\n/)
    expect(output).toMatch(/\nSay “wa-pa-pa-pow”\.\n$/)
  },
  '07-ai-sdk.ts': async () => expect(await run('07-ai-sdk.ts', server.baseURL, 'm')).toMatch(/^Reply /),
  '08-stragglers.ts': async () => {
    const missing = "true [ 'layer 1: completion 3 is missing (straggler)' ]"
    expect(await run('08-stragglers.ts')).toBe(`The best of both.\n${missing}\n`)
  },
  '09-own-engine.ts': async () => expect(await run('09-own-engine.ts')).toBe('WHY IS THE SKY BLUE?\n'),
  '10-ai-sdk-provider.ts': async () => {
    const output = await run('10-ai-sdk-provider.ts', 'scripted:echo', 'Why?')
    expect(output.match(/^proposal-0-\d: Reply /gm)).toHaveLength(3)
    expect(output).toMatch(/\nReply .+\n\n\d+ tokens written in \d+ ms, degraded: false\n$/)
  },
  '11-build-data.sh': async () => {
    const output = await run('11-build-data.sh', path.join(scratch, 'arithmetic'))
    expect(output).toMatch(/ is whole: \d+ examples to train on, \d+ to validate\n═══ arithmetic-7-\d+ · /)
    const [line] = readFileSync(path.join(scratch, 'arithmetic-trl/train.jsonl'), 'utf8').split('\n')
    expect(Object.keys(JSON.parse(line as string))).toEqual(['prompt', 'completion'])
  },
  '12-mount.ts': async () =>
    expect(await run('12-mount.ts')).toMatch(
      /^Short waves scatter more, and blue is short\.\n\d+ tokens written, by all calls together\n$/,
    ),
}

test('every example is run here, and is numbered', () => {
  expect(globSync('*.{ts,sh}', { cwd: folder }).sort()).toEqual(Object.keys(examples))
  expect(Object.keys(examples).map((file) => Number(file.slice(0, 2)))).toEqual(
    Object.keys(examples).map((_, i) => i + 1),
  )
})

test.each(Object.entries(examples))('%s', (_, check) => check())
