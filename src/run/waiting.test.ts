/** What an answer waits for, and what engines change: events, and the record of it in the result. */
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Engine } from '../core/provider/engine.ts'
import type { AftEvent } from '../core/result.ts'
import { fromAiSdk } from '../engines/ai-sdk/ai-sdk.ts'
import { type Asked, delta, finish, model, say, startFixture } from '../engines/openai/openai.fixture.ts'
import { openOpenAI } from '../engines/openai/openai.ts'
import { describeNote, foldNotes } from '../plans/notes.ts'
import { answer } from './answer.ts'

/** A server that is busy for its first two requests, and takes no seed. Each kind of engine asks it. */
async function start(kind: string, status: number, headers: Record<string, string>) {
  const busy = (asked: Asked) => asked.refuse(status, { error: { message: 'slow down' } }, headers)
  const fixture = await startFixture(busy, busy, (asked) =>
    'seed' in asked.body
      ? asked.refuse(400, { error: { message: "Unknown parameter: 'seed'" } })
      : say('The Rhine.')(asked),
  )
  onTestFinished(fixture.close)
  const { baseURL } = fixture
  const compatible = createOpenAICompatible({ name: 'local', baseURL })
  const engine: Engine =
    kind === 'openai'
      ? openOpenAI({ baseURL, model: 'm', env: {}, id: 'it' })
      : fromAiSdk(compatible('m'), { id: 'it' })
  return { engine, asked: fixture.asked }
}

describe.each(['openai', 'ai-sdk'])('%s', (kind) => {
  test('each wait and each change is an event, and the result holds what was waited', async () => {
    const { engine, asked } = await start(kind, 429, { 'retry-after-ms': '30' })
    const events: AftEvent[] = []
    const result = await answer('Name a river.', { engine, depth: 0, onEvent: (event) => events.push(event) })
    const waits = events.filter((e) => e.type === 'completion-waiting')
    const shared = { layer: 0, index: 0, engine: 'it', kind: 'rate-limit', reason: '429: slow down' }
    expect(waits).toMatchObject([
      { ...shared, attempt: 2 },
      { ...shared, attempt: 3 },
    ])
    for (const { ms } of waits) expect(ms).toBeGreaterThanOrEqual(30)
    expect(events.filter((e) => e.type === 'request-changed')).toMatchObject([
      { layer: 0, index: 0, engine: 'it', reason: expect.stringContaining('it refuses `seed`') },
    ])
    expect(events.some((e) => e.type === 'completion-restarted')).toBe(false)
    expect(result.layers[0]?.completions[0]?.waited).toMatchObject({ times: 2, because: ['rate-limit'] })
    expect(asked).toHaveLength(4)
  })

  test('a failure says what was waited before it', async () => {
    const { engine } = await start(kind, 503, { 'retry-after-ms': '1' })
    const events: AftEvent[] = []
    const fallback = { ...engine, id: 'other' }
    const stubborn: Engine = {
      id: 'stubborn',
      generate: async function* ({ signal }) {
        signal?.throwIfAborted()
        const kind = 'server' as const
        yield { type: 'completion-waiting', index: 0, attempt: 2, ms: 20.4, kind, reason: 'gone' }
        throw new Error('gone')
      },
    }
    const engines = { stubborn, fallback }
    const options = { engines, depth: 1, width: 1, aggregators: ['fallback'] }
    const proposers = [{ engine: 'stubborn', fallbacks: ['fallback'] }]
    const { layers } = await answer('Name a river.', {
      ...options,
      proposers,
      onEvent: (e) => events.push(e),
    })
    expect(layers[0]?.failures[0]?.waited).toEqual({ times: 1, ms: 20, because: ['server'] })
    expect(layers[0]?.completions[0]).toMatchObject({ waited: { times: 2 }, fellBack: { from: 'stubborn' } })
  })
})

test('the reset of a limit is waited for, and a longer delay than the caller takes is a failure', async () => {
  const { engine, asked } = await start('openai', 429, { 'x-ratelimit-reset-tokens': '40ms' })
  const events: AftEvent[] = []
  await answer('Name a river.', { engine, depth: 0, onEvent: (event) => events.push(event) })
  const [wait] = events.filter((e) => e.type === 'completion-waiting')
  expect(wait?.ms).toBeGreaterThanOrEqual(40)
  expect(asked).toHaveLength(4)
  const impatient = await start('openai', 429, { 'retry-after': '61' })
  const seen: string[] = []
  const request = { messages: [], n: 1, seeds: [1], sampling: {}, maxWaitMs: 60_000 }
  for await (const event of impatient.engine.generate(request)) seen.push(event.type)
  expect(seen).toEqual(['completion-failed'])
  expect(impatient.asked).toHaveLength(1)
})

test('a layer whose quorum is reached says for how many it waits, and how long', async () => {
  const engine: Engine = openOpenAI({ baseURL: (await slowLast()).baseURL, model: 'm', env: {} })
  const events: AftEvent[] = []
  const options = { engine, width: 3, depth: 1, quorum: 2, graceMs: 40 }
  await answer('Name a river.', { ...options, onEvent: (event) => events.push(event) })
  expect(events.filter((e) => e.type === 'layer-waiting')).toEqual([
    { type: 'layer-waiting', layer: 0, missing: 1, ms: 40 },
  ])
  expect(events.map(describeNote).filter(Boolean)).toEqual([
    'layer 1 waits at most 1 s for 1 more',
    expect.stringMatching(/^a completion of http.* was cut: the layer/),
  ])
})

/** A server whose third choice never comes. */
async function slowLast() {
  const fixture = await startFixture((asked) => {
    if (asked.body.n !== 3) return model()(asked)
    for (const index of [0, 1]) asked.send(delta(index, `River ${index}.`), finish(index))
  })
  onTestFinished(fixture.close)
  return fixture
}

test('equal notes are told once, other numbers in them make no other note, and there is a bound', () => {
  const notes: string[] = []
  const take = foldNotes((note) => notes.push(note), 2)
  const wait = {
    type: 'completion-waiting' as const,
    layer: 0,
    index: 0,
    engine: 'it',
    kind: 'server' as const,
  }
  for (const [i, reason] of ['503: busy', '503: busy', 'gone', 'torn'].entries())
    take({ ...wait, index: i, attempt: i + 2, ms: 1000 * (i + 1), reason })
  take({ type: 'completion-delta', layer: 0, index: 0, text: 'x' })
  expect(notes).toEqual([
    'it is asked again in 1 s (server, attempt 2): 503: busy',
    'it is asked again in 3 s (server, attempt 4): gone',
  ])
})
