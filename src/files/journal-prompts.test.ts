import { describe, expect, test } from 'vitest'
import { createJournalPrompts, findAnswer, findShown, takeRecord } from './journal-prompts.ts'
import type { CompletionRecord, JournalRecord } from './journal-records.ts'

const usage = { calls: 1, inputTokens: 1, prefilledTokens: 1, outputTokens: 1 }
const server = { kind: 'server', message: 'gone away' }
const prompt: JournalRecord = { type: 'prompt', id: 'p', messages: [{ role: 'user', content: 'Why?' }] }
const member = (layer: number, index: number) => ({
  prompt: 'p',
  layer,
  index,
  voice: 0,
  engine: 'e',
  seed: index,
  ms: 1,
})
const completion = (layer: number, index: number, text: string, more: object = {}): CompletionRecord => ({
  type: 'completion',
  ...member(layer, index),
  text,
  finishReason: 'stop',
  usage,
  ...more,
})
const failure = (layer: number, index: number): JournalRecord => ({
  type: 'failure',
  ...member(layer, index),
  error: server,
})
const end = (layer: number, shown: number[]): JournalRecord => ({ type: 'layer', prompt: 'p', layer, shown })
const answer = (text: string): JournalRecord => ({
  type: 'answer',
  prompt: 'p',
  answer: text,
  finishReason: 'stop',
  degraded: false,
  usage,
  ms: 2,
})
const failed: JournalRecord = { type: 'answer', prompt: 'p', error: server }

function read(...records: JournalRecord[]) {
  const journal = createJournalPrompts()
  for (const record of [prompt, ...records]) takeRecord(journal, record)
  const found = journal.prompts.get('p')
  if (!found) throw new Error('the prompt is missing')
  return found
}
const shown = (...records: JournalRecord[]) => findShown(read(...records)).map(({ text }) => text)

describe('of a prompt that failed and was answered later', () => {
  const old = [completion(0, 1, 'old one'), failure(0, 0), failed]

  test('the lines of the failed attempt no longer count', () => {
    const { layers, end: ended } = read(...old, completion(0, 0, 'new zero'), failure(0, 1))
    expect(ended).toBeUndefined()
    expect(layers.map((layer) => layer.completions.map(({ text }) => text))).toEqual([['new zero']])
    expect(layers[0]?.failures.map(({ index }) => index)).toEqual([1])
  })

  test('the lines of the failed attempt are kept until there is another', () => {
    expect(read(...old)).toMatchObject({ end: failed, layers: [{ completions: [{ text: 'old one' }] }] })
  })
})

test('a failure that was tried again by the same engine is replaced; a failure before a fallback stays', () => {
  const { layers } = read(failure(0, 0), completion(0, 0, 'again'), failure(0, 1), {
    ...completion(0, 1, 'by another'),
    engine: 'other',
  })
  expect(layers[0]?.completions.map(({ text }) => text)).toEqual(['again', 'by another'])
  expect(layers[0]?.failures.map(({ index, engine }) => [index, engine])).toEqual([[1, 'e']])
})

test('a line whose prompt no line before it holds belongs to none', () => {
  expect(takeRecord(createJournalPrompts(), completion(0, 0, 'x'))).toBeUndefined()
})

describe('what the aggregator of the answer was shown', () => {
  const first = [completion(0, 0, 'a'), completion(0, 1, 'b'), completion(0, 2, 'c', { excluded: 'empty' })]

  test('is of the layer before the answer, whatever the depth', () => {
    const second = [completion(1, 0, 'x', { saw: [0, 1] }), completion(1, 1, 'y', { saw: [0, 1] })]
    const third = [completion(2, 0, 'end', { saw: [1, 0] }), end(2, [0]), answer('end')]
    expect(shown(...first, end(0, [0, 1]), ...second, end(1, [0, 1]), ...third)).toEqual(['y', 'x'])
  })

  test('is what that completion saw, not all that was there', () => {
    const last = [completion(1, 0, 'no', { saw: [0] }), completion(1, 1, 'yes', { saw: [1] })]
    expect(shown(...first, end(0, [0, 1]), ...last, end(1, [0, 1]), answer('yes'))).toEqual(['b'])
  })

  test('is what the layer gave to the next if the completion does not tell', () => {
    expect(shown(...first, end(0, [1]), completion(1, 0, 'yes'), answer('yes'))).toEqual(['b'])
  })

  test('is of the layer before one that gave nothing usable', () => {
    const nothing = [failure(1, 0), end(1, [])]
    const last = [completion(2, 0, 'yes', { saw: [0, 1] }), end(2, [0]), answer('yes')]
    expect(shown(...first, end(0, [0, 1]), ...nothing, ...last)).toEqual(['a', 'b'])
  })

  test('is nothing for an answer that was chosen, and a judge is no aggregator', () => {
    const judge = completion(1, 0, 'a', { saw: [0, 1] })
    const records = [...first, end(0, [0, 1]), judge, answer('a')]
    expect(findShown(read(...records), 1)).toEqual([])
    expect(findAnswer(read(...records), 1)).toMatchObject({ layer: 0, completion: { index: 0 } })
  })
})

test('a member whose answer repeats itself keeps both of its completions; what failed on the way is gone', () => {
  const again = { ...member(1, 0), seed: 99 }
  const records: JournalRecord[] = [
    completion(0, 0, 'a'),
    end(0, [0]),
    completion(1, 0, 'on and on', { excluded: 'runaway' }),
    { type: 'failure', ...again, error: server },
    { ...completion(1, 0, 'fine'), ...again },
    end(1, [0]),
    answer('fine'),
  ]
  const { layers } = read(...records)
  expect(layers[1]?.completions.map((c) => [c.seed, c.text])).toEqual([
    [0, 'on and on'],
    [99, 'fine'],
  ])
  expect(layers[1]?.failures).toEqual([])
  expect(findAnswer(read(...records))?.completion.text).toBe('fine')
})
