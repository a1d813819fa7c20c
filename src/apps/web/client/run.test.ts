import fc from 'fast-check'
import { expect, test } from 'vitest'
import { echo, scriptedEngine } from '../../../engines/scripted/scripted.ts'
import { streamAnswer } from '../../../run/answer.ts'
import { readJournal } from './journal.ts'
import { answerOf, messagesFor, newRun, stopRun, type Turn, takeEvent, viewLayer } from './run.ts'

async function watch(script: Parameters<typeof scriptedEngine>[0], more: object = {}) {
  const run = newRun()
  const steps: string[] = []
  for await (const event of streamAnswer('Why?', {
    engine: scriptedEngine(script),
    width: 2,
    depth: 1,
    ...more,
  })) {
    takeEvent(run, event)
    steps.push(answerOf(run)?.text ?? '')
  }
  return { run, steps }
}

test('events add up to the result, and the answer grows with them', async () => {
  const { run, steps } = await watch(echo)
  expect(run.state).toBe('done')
  expect(run.layers.map((layer) => layer.members.map((m) => m.state))).toEqual([['done', 'done'], ['done']])
  expect(run.answer).toBe(run.layers[1]?.members[0]?.text)
  expect(new Set(steps).size).toBeGreaterThan(4)
  expect(run.usage?.calls).toBe(2)
})

test('a member and a layer say what they wait for, and in the end how often it was asked', () => {
  const run = newRun()
  const member = () => run.layers[0]?.members[0]
  takeEvent(run, { type: 'layer-start', layer: 0, width: 2, isLast: false })
  const wait = { type: 'completion-waiting', layer: 0, index: 0, engine: 'it', attempt: 2, ms: 2000 } as const
  takeEvent(run, { ...wait, kind: 'rate-limit', reason: '429: slow down' })
  expect(member()).toMatchObject({
    state: 'waiting',
    note: 'it is asked again in 2 s (rate-limit, attempt 2): 429: slow down',
  })
  takeEvent(run, { type: 'completion-delta', layer: 0, index: 0, text: 'A' })
  expect(member()).toMatchObject({ state: 'writing', note: undefined })
  takeEvent(run, { type: 'layer-waiting', layer: 0, missing: 1, ms: 5000 })
  expect(run.layers[0]?.note).toBe('layer 1 waits at most 5 s for 1 more')
  const usage = { calls: 3, inputTokens: 1, prefilledTokens: 1, outputTokens: 1 }
  const waited = { times: 2, ms: 3000, because: ['rate-limit'] }
  const made = { index: 0, voice: 0, engine: 'it', seed: 1, ms: 9, text: 'A', finishReason: 'stop' } as const
  takeEvent(run, { type: 'completion-end', layer: 0, completion: { ...made, usage, waited } })
  takeEvent(run, { type: 'layer-end', layer: 0, shown: [0] })
  expect(member()).toMatchObject({ waited })
  expect(run.layers[0]?.note).toBeUndefined()
})

test('a failed member keeps its place and says why', async () => {
  const fail = { error: { kind: 'server' as const, message: 'broke', isRetryable: false } }
  const { run } = await watch([
    { when: /Drafts:/, replies: ['Fine.'] },
    { replies: [fail, 'Two.'], pick: 'index' },
  ])
  expect(run.layers[0]?.members).toMatchObject([
    { state: 'failed', error: 'server: broke' },
    { text: 'Two.' },
  ])
  expect(run.degradedBecause.length).toBe(1)
})

test('a vote has no member that writes the answer: the answer is one of the proposals', async () => {
  const { run } = await watch([{ replies: ['4', '4'] }], { strategy: 'self-consistency', depth: undefined })
  expect(answerOf(run)).toBeUndefined()
  expect(run).toMatchObject({ answer: '4', from: { layer: 0 } })
})

test('a stopped run keeps its text; a turn without an answer is left out of the next question', () => {
  const stopped = newRun()
  takeEvent(stopped, { type: 'layer-start', layer: 0, width: 1, isLast: true })
  takeEvent(stopped, { type: 'completion-delta', layer: 0, index: 0, text: 'Half' })
  stopRun(stopped, 'stopped')
  expect(stopped).toMatchObject({ state: 'stopped', answer: 'Half' })
  const failed: Turn = { id: '1', question: 'A?', messages: [], run: { ...newRun(), state: 'failed' } }
  expect(messagesFor([failed, { ...failed, question: 'B?', run: stopped }], 'C?', ' ')).toEqual([
    { role: 'user', content: 'B?' },
    { role: 'assistant', content: 'Half' },
    { role: 'user', content: 'C?' },
  ])
})

const lines = [
  {
    type: 'header',
    version: 1,
    aft: '0',
    plan: { layers: [{}, {}], strategy: 'aft', seed: 3 },
    template: {},
    engines: {},
  },
  { type: 'prompt', id: 'a', messages: [{ role: 'user', content: 'Why?' }] },
  ...[0, 1].map((index) => completion(0, index, `draft ${index}`)),
  {
    type: 'failure',
    prompt: 'a',
    layer: 0,
    index: 2,
    voice: 0,
    engine: 'e',
    seed: 1,
    ms: 1,
    error: { kind: 'server', message: 'x' },
  },
  completion(1, 0, 'The answer.'),
  {
    type: 'answer',
    prompt: 'a',
    answer: 'The answer.',
    degraded: true,
    degradedBecause: ['one is missing'],
    usage: {},
    ms: 2,
  },
].map((line) => JSON.stringify(line))

function completion(layer: number, index: number, text: string) {
  const usage = { calls: 1, inputTokens: 1, prefilledTokens: 1, outputTokens: 2 }
  return {
    type: 'completion',
    prompt: 'a',
    layer,
    index,
    voice: 0,
    engine: 'e',
    seed: 1,
    text,
    finishReason: 'stop',
    usage,
    ms: 1,
  }
}

test('a journal shows its prompts, layers, failures and answers', () => {
  const { strategy, seed, turns, badLines } = readJournal('j', lines.join('\n'))
  expect({ strategy, seed, badLines }).toEqual({ strategy: 'aft', seed: 3, badLines: 0 })
  expect(turns).toMatchObject([
    {
      id: 'a',
      question: 'Why?',
      run: { state: 'done', answer: 'The answer.', from: { layer: 1, index: 0 } },
    },
  ])
  expect(turns[0]?.run.layers[0]?.members.map((m) => m.state)).toEqual(['done', 'done', 'failed'])
})

test('a journal cut at any character is read up to there, and a file that is not a journal is refused', () => {
  const whole = lines.join('\n')
  const start = whole.indexOf('\n', whole.indexOf('"prompt"')) + 1
  fc.assert(
    fc.property(fc.integer({ min: start, max: whole.length }), (at) => {
      const { turns, badLines } = readJournal('j', whole.slice(0, at))
      expect(turns.length).toBe(1)
      expect(badLines).toBeLessThanOrEqual(1)
    }),
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.json(), fc.string()), { maxLength: 5 }), (junk) => {
      expect(() => readJournal('j', junk.join('\n'))).toThrow(/neither a journal/)
    }),
  )
})

test('if an answer repeats itself, the page shows the one that was sampled again', async () => {
  const runaway = 'on and on it goes '.repeat(30)
  const replies = ['One.', runaway, 'Fine.']
  const engine = scriptedEngine(() => replies.shift() as string)
  const run = newRun()
  for await (const event of streamAnswer('Why?', { engines: { one: engine }, width: 1, depth: 1 })) {
    takeEvent(run, event)
    if (event.type !== 'answer') continue
    const { completions = [], failures = [] } = event.result.layers[1] ?? {}
    expect(completions).toHaveLength(2)
    expect(viewLayer({ completions: completions.toReversed(), failures }, true).members).toHaveLength(1)
  }
  expect(answerOf(run)).toMatchObject({ text: 'Fine.', state: 'done' })
})
