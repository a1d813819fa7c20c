/** `kill -9` of a run while a request has one text whole and waits for the other. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { killAndResume, readCompletions } from '../../test/kill-and-resume.ts'
import { type Answer, delta, finish, sendAll, startFixture, usage } from '../engines/openai/openai.fixture.ts'

const prompts = (count: number) =>
  Array.from({ length: count }, (_, i) => `${JSON.stringify({ id: `p${i}`, prompt: `River ${i}?` })}\n`)

/** The first text whole and at once, the other never. */
const half: Answer = ({ send }) => send(delta(0, 'The Po', 'stop'))
const second = sendAll(delta(0, 'The Elbe', 'stop'), usage(7, 3))
const streamed = sendAll(
  ...[0, 1].flatMap((index) => [delta(index, 'The '), delta(index, 'Po'), finish(index)]),
  usage(7, 6),
)

test.each([
  ['at a server that streamed before', [streamed], ['The Po', 'The Po', 'The Po', 'The Elbe']],
  ['at a server that was never asked', [], ['The Po', 'The Elbe']],
])('a text that came whole in one piece is not paid again %s', async (_, before: Answer[], texts) => {
  const server = await startFixture(...before, half, second)
  onTestFinished(() => server.close())
  const cwd = mkdtempSync(path.join(tmpdir(), 'whole-'))
  writeFileSync(path.join(cwd, 'p.jsonl'), prompts(before.length + 1).join(''))
  const model = ['--model', `${server.baseURL}#m`, '--strategy', 'self-consistency', '--width', '2']
  const { ended, keptCompletions } = await killAndResume(
    ['run', 'p.jsonl', '-o', 'a.jsonl', '--concurrency', '2', ...model],
    { cwd, journal: 'a.jsonl.journal', completions: texts.length - 1 },
  )
  expect([ended.code, keptCompletions]).toEqual([0, texts.length - 1])
  expect(readCompletions(path.join(cwd, 'a.jsonl.journal')).map(({ text }) => text)).toEqual(texts)
  // Of the request that was cut only the missing text is asked for again, by its own seed.
  const [cut, last] = server.asked.slice(-2)
  expect([cut?.body.n, last?.body.n ?? 1]).toEqual([2, 1])
  expect(last?.body.seed).toBe((cut?.body.seed ?? 0) + 1)
})
