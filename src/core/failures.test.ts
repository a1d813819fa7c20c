/** What answerPrompt does when engines fail, are cut short, or refuse what is too long. */
import { describe, expect, test } from 'vitest'
import { ask, planFor, question } from '../../test/ask.ts'
import { createVirtualClock, type Timed, timedEngine } from '../../test/virtual-clock.ts'
import { echo, type Reply, type Script, scriptedEngine } from '../engines/scripted/scripted.ts'
import type { CompletionRequest, Engine } from './provider/engine.ts'
import { EngineError, UsageError } from './provider/errors.ts'

const failure = { kind: 'server' as const, message: 'gone', status: 502 }
const fails: Script = () => ({ error: failure })
const isAggregator = ({ messages }: CompletionRequest) => String(messages.at(-1)?.content).includes('1. ')
const proposeThen =
  (aggregate: Reply | string, proposals: (Reply | string)[] = ['one', 'two']): Script =>
  (request, index) =>
    isAggregator(request) ? aggregate : proposals[index]

describe('a failed completion', () => {
  test('is absent and recorded; the others go on, and the result is degraded', async () => {
    const engine = scriptedEngine(proposeThen('end', ['one', { text: 'half', error: failure }, 'three']))
    const result = await ask({ engine }, planFor({ engine }, { width: 3, depth: 1 }))
    expect(result.answer).toBe('end')
    expect(result.layers[0]?.completions.map((c) => c.index)).toEqual([0, 2])
    expect(result.layers[0]?.failures).toMatchObject([{ index: 1, engine: 'engine', error: failure }])
    expect(result.degradedBecause).toEqual(['layer 1: completion 2 is missing (server)'])
    expect(String(engine.requests[1]?.messages.at(-1)?.content)).toMatch(/\n1\. one\n\n2\. three\n\n/)
  })

  test('is counted in the usage by what it spent', async () => {
    const engine = scriptedEngine(proposeThen('end', ['a', { text: 'b c d', error: failure }]))
    const { usage } = await ask({ engine }, planFor({ engine }, { width: 2, depth: 1 }))
    expect(usage.outputTokens).toBe(1 + 3 + 1)
  })

  test('that the engine never mentions again is missing, not forgotten', async () => {
    const silent: Engine = { id: 'silent', async *generate() {} }
    await expect(ask({ silent }, planFor({ silent }))).rejects.toThrow('ended without this completion')
  })

  test('leaves an error with every reason when no proposal is left', async () => {
    const engine = scriptedEngine((_, i) => ({ error: { ...failure, message: `reason ${i}` } }))
    const error = await ask({ engine }, planFor({ engine }, { width: 2 })).catch((e) => e)
    expect(error).toBeInstanceOf(EngineError)
    expect(error).toMatchObject({ kind: 'server', status: 502, engine: 'engine' })
    expect(error.message).toBe('no proposal is left: reason 0; reason 1')
  })

  test('says that the limit was spent on thinking, by which engine, and what to set', async () => {
    const engine = scriptedEngine(() => ({ text: 'an answer', reasoning: 'a b c d e f' }))
    const plan = planFor({ engine }, { width: 2, depth: 1, maxTokens: 4 })
    await expect(ask({ engine }, plan)).rejects.toMatchObject({
      engine: 'engine',
      message: expect.stringMatching(
        /2 came back empty: the limit was spent on thinking \(4 tokens.*--max-tokens/,
      ),
    })
  })

  test('leaves an error when all proposals came back empty, but a bare engine may say nothing', async () => {
    const engine = scriptedEngine(() => '')
    await expect(ask({ engine }, planFor({ engine }))).rejects.toThrow(
      'no proposal is left: 5 came back empty',
    )
    const alone = planFor({ engine }, { width: 1 })
    await expect(ask({ engine }, alone)).rejects.toThrow('no proposal is left: 1 came back empty')
    expect((await ask({ engine }, planFor({ engine }, { depth: 0 }))).answer).toBe('')
  })
})

describe('a failed aggregator', () => {
  test('falls back to the next named engine, with the same messages and seeds', async () => {
    const [a, b, c] = [
      scriptedEngine(proposeThen({ error: failure })),
      scriptedEngine(fails),
      scriptedEngine(echo),
    ]
    const plan = planFor({ a }, { width: 2, depth: 1, aggregators: ['a', 'b', 'c'] })
    const { layers, degraded, answer, events } = await ask({ a, b, c }, plan)
    expect(layers[1]?.failures.map((f) => f.engine)).toEqual(['a', 'b'])
    expect(layers[1]?.completions).toMatchObject([{ engine: 'c', text: answer }])
    expect(degraded).toBe(false)
    const content = ({ messages, seeds }: CompletionRequest) => ({ messages, seeds })
    expect(b.requests.map(content)).toEqual(a.requests.slice(1).map(content))
    expect(c.requests.map(content)).toEqual(a.requests.slice(1).map(content))
    const restarts = events.filter((e) => e.type === 'completion-restarted').map((e) => e.reason)
    expect(restarts).toEqual(['falls back to b', 'falls back to c'])
  })

  test('is asked again by the fallback only for the members that failed', async () => {
    const some: Script = (request, i) => (isAggregator(request) && i > 0 ? { error: failure } : 'text')
    const [a, b] = [scriptedEngine(some), scriptedEngine(() => 'help')]
    const { layers } = await ask({ a, b }, planFor({ a }, { width: 3, depth: 2, aggregators: ['a', 'b'] }))
    expect(layers[1]?.completions.map((c) => c.engine)).toEqual(['a', 'b', 'b'])
    expect(b.requests[0]?.seeds).toEqual(a.requests[1]?.seeds.slice(1))
  })

  test('is told in the result: who stood in for whom, and why; proposers too', async () => {
    const busy = new EngineError('a', 'rate-limit', 'slow down')
    const [a, b] = [scriptedEngine(() => ({ error: busy })), scriptedEngine(echo)]
    const list = [{ engine: 'a', fallbacks: [{ engine: 'b', temperature: 0.1 }] }]
    const plan = planFor(
      { a },
      { width: 2, depth: 1, proposers: list, aggregators: ['a', 'b'], temperature: 1 },
    )
    const result = await ask({ a, b }, plan)
    expect(result.degraded).toBe(false)
    expect(result.warnings).toEqual([
      'layer 1: 2 completions fell back from a to b (rate-limit)',
      'layer 2: 1 completion fell back from a to b (rate-limit)',
    ])
    const fellBack = { from: 'a', because: 'rate-limit' }
    expect(result.layers[0]?.completions).toMatchObject([{ fellBack }, { fellBack }])
    expect(b.requests.map(({ sampling }) => sampling.temperature)).toEqual([0.1, 1])
  })

  test('is not asked again for what trimming cannot mend', async () => {
    const long = 'a long proposal that could be trimmed, if that were of any help at all'
    const engine = scriptedEngine(proposeThen({ error: failure }, [long, long]))
    await ask({ engine }, planFor({ engine }, { width: 2, depth: 1 }))
    expect(engine.requests).toHaveLength(2)
  })

  test('without a fallback leaves the best proposal, the one most like the others, marked degraded', async () => {
    const proposals = ['the sky is red', 'the sky is blue today', 'the sky is blue']
    const engine = scriptedEngine(proposeThen({ error: failure }, proposals))
    const result = await ask({ engine }, planFor({ engine }, { width: 3, depth: 1 }))
    expect(result).toMatchObject({ answer: 'the sky is blue', from: { layer: 0, index: 2 }, degraded: true })
    expect(result.degradedBecause).toEqual([
      'layer 2: completion 1 is missing (server)',
      'layer 2 gave nothing usable and was skipped',
    ])
  })

  test('that writes nothing is passed over, and so is a whole layer in the middle', async () => {
    const engine = scriptedEngine(proposeThen(''))
    const result = await ask({ engine }, planFor({ engine }, { width: 2 }))
    expect(result).toMatchObject({ answer: 'one', from: { layer: 0 }, degraded: true })
    expect(result.layers).toHaveLength(3)
    expect(engine.requests[2]?.messages).toEqual(engine.requests[1]?.messages)
  })
})

describe('wrong settings', () => {
  test('an engine that was not opened is a usage error before the first request', async () => {
    const engine = scriptedEngine(echo)
    const plan = planFor({ engine }, { aggregators: ['engine', 'other'] })
    await expect(ask({ engine }, plan)).rejects.toThrow(
      new UsageError('the plan names the engine "other", which was not opened; there are: engine', {
        code: 'unknown-engine',
      }),
    )
    expect(engine.requests).toHaveLength(0)
  })

  test('a usage error of one engine ends the others, and is thrown as it is', async () => {
    const clock = createVirtualClock()
    const slow = timedEngine(clock, () => ({ ms: 1e6 }))
    const wrong = scriptedEngine([])
    const plan = planFor({ slow }, { strategy: 'moa', proposers: ['slow', 'wrong'] })
    await expect(ask({ slow, wrong }, plan, { clock })).rejects.toThrow(UsageError)
    expect(slow.requests[0]?.signal?.aborted).toBe(true)
    expect(clock.now()).toBeLessThan(1e6)
  })
})

describe('abort', () => {
  const slowJudge = (clock: ReturnType<typeof createVirtualClock>, judge: Timed) =>
    timedEngine(clock, ({ sampling }) => (sampling.temperature === 0 ? judge : { ms: 1 }))

  test('stops every request and rejects with the reason of the signal', async () => {
    const clock = createVirtualClock()
    const [a, b] = [timedEngine(clock, () => ({ ms: 1e6 })), timedEngine(clock, () => ({ ms: 1e6 }))]
    const stop = new AbortController()
    const plan = planFor({ a }, { strategy: 'moa', proposers: ['a', 'b'], width: 4 })
    const asked = ask({ a, b }, plan, { clock, signal: stop.signal })
    void clock.sleep(50, new AbortController().signal).then(() => stop.abort(new Error('enough')))
    await expect(asked).rejects.toThrow('enough')
    expect([...a.abortReasons, ...b.abortReasons]).toEqual([new Error('enough'), new Error('enough')])
    expect([a.requests.length, b.requests.length]).toEqual([1, 1])
    expect(clock.now()).toBe(50)
  })

  test('rejects too while a judge reads, and before anything was sent', async () => {
    const clock = createVirtualClock()
    const stop = new AbortController()
    const engine = slowJudge(clock, { ms: 1e6 })
    const plan = planFor({ engine }, { strategy: 'best-of-n', width: 2 })
    const asked = ask({ engine }, plan, { clock, signal: stop.signal })
    void clock.sleep(50, new AbortController().signal).then(() => stop.abort(new Error('enough')))
    await expect(asked).rejects.toThrow('enough')
    expect(engine.requests).toHaveLength(2)
    await expect(ask({ engine }, plan, { clock, signal: stop.signal })).rejects.toThrow('enough')
    expect(engine.requests).toHaveLength(2)
  })
})

test('an error that is no EngineError is recorded as internal, and never ends the process', async () => {
  const broken: Engine = {
    id: 'broken',
    // biome-ignore lint/correctness/useYield: it breaks before
    async *generate() {
      throw new TypeError('x is not a function')
    },
  }
  const engine = scriptedEngine(() => 'fine')
  const plan = planFor({ engine }, { strategy: 'moa', proposers: ['engine', 'broken'], depth: 1 })
  const { layers } = await ask({ engine, broken }, plan, { prompt: question })
  expect(layers[0]?.failures).toMatchObject([{ error: { kind: 'internal', message: 'x is not a function' } }])
})
