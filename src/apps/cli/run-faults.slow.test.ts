/** What may go wrong around a run: each has a message that says what to do, an exit code, and loses nothing finished. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Fault, startChatServer } from '../../../test/chat-server.ts'
import { echo, scriptedEngine } from '../../engines/scripted/scripted.ts'
import { canMount, scripted, small, useRunFolder } from './run-folder.fixture.ts'

const { aft, answers, at, expectNothingTwice, run, withMount, writePrompts } = useRunFolder()

describe('a server', () => {
  /** Runs against a server with a fault. */
  async function runAgainst(fault: Fault, args: string[] = []) {
    const server = await startChatServer(scriptedEngine(echo), fault)
    try {
      return await run(['--model', `${server.baseURL}#m`, ...small, ...args])
    } finally {
      await server.close()
    }
  }
  function refuse(
    response: ServerResponse,
    status: number,
    message: string,
    headers: Record<string, string> = {},
  ): true {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(JSON.stringify({ error: { message } }))
    return true
  }

  test('that cannot be reached ends the run early, with the reason', async () => {
    writePrompts(50)
    const server = await startChatServer(scriptedEngine(echo))
    await server.close()
    const { code, stderr } = await run(['--model', `${server.baseURL}#m`, '--max-retries', '0'])
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^failed: \d+ prompts \(0 was the first\): unreachable: .*\nstopped, because the others would fail too: 0 of 50 answered; fix that and run the same command to resume\n$/,
    )
  })

  test('that refuses the key (401) ends the run early; with a right key the same command resumes', async () => {
    writePrompts(50)
    const server = await startChatServer(scriptedEngine(echo), (response) => {
      const isRight = server.keys.at(-1) === 'Bearer right'
      return !isRight && refuse(response, 401, 'no such key')
    })
    const runWith = (KEY: string) =>
      run(['--model', `${server.baseURL}#m`, ...small, '--api-key-env', 'KEY'], { env: { KEY } })
    try {
      const { code, stderr } = await runWith('wrong')
      expect(code).toBe(1)
      expect(stderr).toMatch(
        /auth: .*no such key.*\nstopped, because the others would fail too: 0 of 50 answered/,
      )
      expect(server.bodies.length).toBeLessThan(40)
      expect(existsSync(at('a.jsonl'))).toBe(false)
      expect((await runWith('right')).code).toBe(0)
      expect(answers().every((a) => a.answer)).toBe(true)
      expectNothingTwice(50 * 3)
    } finally {
      await server.close()
    }
  })

  test('with many 429s gets all its answers', async () => {
    writePrompts(10)
    const soon = { 'retry-after-ms': '5' }
    const { code } = await runAgainst(
      (response, _, request) => request % 3 > 0 && refuse(response, 429, 'slow down', soon),
      ['--max-retries', '29'],
    )
    expect(code).toBe(0)
    expectNothingTwice(10 * 3)
  })

  test('that only answers 429 fails each prompt with that reason', async () => {
    writePrompts(8)
    const soon = { 'retry-after-ms': '1' }
    const { code, stderr } = await runAgainst(
      (response) => refuse(response, 429, 'slow down', soon),
      ['--max-retries', '1'],
    )
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^.* is asked again in 1 s \(rate-limit, attempt 2\): 429: slow down\nfailed: 8 prompts \(\d was the first\): rate-limit: .*slow down/,
    )
    expect(answers().map((a) => a.error.kind)).toEqual(Array(8).fill('rate-limit'))
  })

  test('that sends half a stream is asked again; half an answer does not count', async () => {
    writePrompts(6)
    const half: Fault = (response, _, request) => {
      if (request % 2 === 0) return false
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const chunk = { choices: [{ index: 0, delta: { content: 'HALF an ans' }, finish_reason: null }] }
      response.end(`data: ${JSON.stringify(chunk)}\n\n`)
      return true
    }
    const { code } = await runAgainst(half)
    expect(code).toBe(0)
    expectNothingTwice(6 * 3)
    expect(readFileSync(at('a.jsonl'), 'utf8')).not.toContain('HALF')
  })

  test('that only sends half streams fails each prompt with that reason', async () => {
    writePrompts(2)
    const half: Fault = (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.end(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'HALF' } }] })}\n\n`)
      return true
    }
    const { code, stderr } = await runAgainst(half, ['--max-retries', '0'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^failed: 2 prompts \(\d was the first\): server: /)
    expect(answers().every((a) => a.error && a.answer === undefined)).toBe(true)
  })
})

describe('a disk that fills up', () => {
  /** The shell's unit is 512 bytes; what would be written beyond it fails as a full disk does. */
  test.skipIf(process.platform === 'win32')(
    'ends the run with what to do; the same command goes on when there is room',
    async () => {
      writePrompts(40)
      const limited = `ulimit -f 16; exec "$0" "$@"`
      const bin = join(import.meta.dirname, '../../../bin/aft.js')
      const args = [bin, 'run', 'p.jsonl', '-o', 'a.jsonl', ...scripted]
      let failure: { status?: number; stderr?: Buffer } = {}
      try {
        execFileSync('/bin/sh', ['-c', limited, process.execPath, ...args], { cwd: at('.'), stdio: 'pipe' })
      } catch (error) {
        failure = error as typeof failure
      }
      expect(failure.status).toBe(1)
      expect(String(failure.stderr)).toMatch(
        /^error: a\.jsonl\.journal: the file would be larger than the system allows\. What was finished before is kept: make room, then run it again\n$/,
      )
      const before = readFileSync(at('a.jsonl.journal'), 'utf8')
      const whole = before.slice(0, before.lastIndexOf('\n') + 1)
      expect(whole).toContain('"type":"completion"')
      expect((await run(scripted)).code).toBe(0)
      expect(readFileSync(at('a.jsonl.journal'), 'utf8').startsWith(whole)).toBe(true)
      expectNothingTwice(40 * 3)
      expect(answers()).toHaveLength(40)
    },
  )

  test.skipIf(!canMount())('is called a full disk in the message', async () => {
    writePrompts(40)
    await withMount('tiny', 'size=16k', async () => {
      const { code, stderr } = await aft(['run', 'p.jsonl', '-o', 'tiny/a.jsonl', ...scripted])
      expect(code).toBe(1)
      expect(stderr).toMatch(/^error: tiny\/a\.jsonl\.journal: no space is left on the disk\. .*make room/)
    })
  })
})

test('a second run on the same journal, and the first is not disturbed', async () => {
  writePrompts(40)
  const { promise: go, resolve: goOn } = Promise.withResolvers<string>()
  const server = await startChatServer(scriptedEngine([{ replies: [() => go] }]))
  onTestFinished(() => server.close())
  const args = ['--model', `${server.baseURL}#m`, ...small]
  const first = run(args)
  while (!existsSync(at('a.jsonl.journal'))) await new Promise((resolve) => setTimeout(resolve, 10))
  expect(await run(args)).toMatchObject({
    code: 2,
    stderr: 'error: a.jsonl.journal: is in use by another process: wait for it to end, or give another -o\n',
  })
  goOn('The Rhine.')
  expect((await first).code).toBe(0)
  expectNothingTwice(40 * 3)
})
