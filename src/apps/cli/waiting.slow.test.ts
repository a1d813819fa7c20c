/** A server that is busy at first: the delay that it asks for is waited, and told on the terminal, in the journal and the log. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { aft } from '../../../test/command-line.ts'
import { say, startFixture } from '../../engines/openai/openai.fixture.ts'

/** It answers the first `times` requests with 429 and `retry-after: 1`. */
async function startBusy(times: number) {
  const fixture = await startFixture((asked) =>
    asked.number < times
      ? asked.refuse(429, { error: { message: 'slow down' } }, { 'retry-after': '1' })
      : say('The Rhine.')(asked),
  )
  onTestFinished(fixture.close)
  return { model: `${fixture.baseURL}#m`, cwd: mkdtempSync(join(tmpdir(), 'aft-busy-')) }
}

const NOTE = /#m is asked again in 1 s \(rate-limit, attempt 2\): 429: slow down$/gm

test('ask waits twice, and says so once', async () => {
  const { model, cwd } = await startBusy(2)
  const startMs = performance.now()
  const { code, stdout, stderr } = await aft(['ask', 'Name a river.', '-m', model, '--depth', '0'], { cwd })
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'The Rhine.\n' })
  expect(performance.now() - startMs).toBeGreaterThan(2_000)
  expect(stderr.match(NOTE)).toHaveLength(1)
  expect(stderr.match(/asked again/g)).toHaveLength(1)
})

test('run says it once for all prompts, and the journal holds what each waited', async () => {
  const { model, cwd } = await startBusy(4)
  writeFileSync(join(cwd, 'p.jsonl'), '{"prompt":"a"}\n{"prompt":"b"}\n')
  const args = ['run', 'p.jsonl', '-o', 'a.jsonl', '-m', model, '--depth', '0']
  const { code, stderr } = await aft(args, { cwd })
  expect({ code, notes: stderr.match(NOTE)?.length }).toEqual({ code: 0, notes: 1 })
  const lines = readFileSync(join(cwd, 'a.jsonl.journal'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const waited = lines.flatMap((line) => line.waited ?? [])
  expect(waited.reduce((sum, { times }) => sum + times, 0)).toBe(4)
  for (const { times, ms, because } of waited) {
    expect(ms).toBeGreaterThanOrEqual(1000 * times)
    expect(because).toEqual(['rate-limit'])
  }
})

test('serve writes it to its log, streams it as an event, and tells clients how long to wait', async () => {
  const { model, cwd } = await startBusy(2)
  const bin = join(import.meta.dirname, '../../../bin/aft.js')
  const child = spawn(process.execPath, [bin, 'serve', '-m', model, '--port', '0', '--max-retries', '1'], {
    cwd,
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text
  })
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data')
  const post = (path: string) =>
    fetch(`${line.trim()}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'single', messages: [{ role: 'user', content: 'Name a river.' }] }),
    })
  const refused = await post('/v1/chat/completions')
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1'])
  await expect.poll(() => log).toMatch(/^chatcmpl-[\w-]+ m is asked again in 1 s \(rate-limit, attempt 2\)/m)
  expect(await (await post('/v1/aft')).text()).toContain('The Rhine.')
})
