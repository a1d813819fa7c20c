/** Proposals that do not fit an aggregator's context: trimmed by a stated rule, or refused. */
import { describe, expect, test } from 'vitest'
import { ask, planFor } from '../../test/ask.ts'
import { type Script, scriptedEngine } from '../engines/scripted/scripted.ts'
import { type CompletionRequest, type Engine, type Message, textOf } from './provider/engine.ts'
import { EngineError } from './provider/errors.ts'

const numbered = (name: string, words: number) =>
  Array.from({ length: words }, (_, i) => `${name}${i}`).join(' ')
const proposals = [numbered('long', 300), 'short and whole', numbered('other', 300)]
const isAggregator = ({ messages }: CompletionRequest) => textOf(messages.at(-1) as Message).includes('\n1. ')
const script: Script = (request, index) => (isAggregator(request) ? 'end' : proposals[index])
const options = { width: 3, depth: 1, maxTokens: 320 } as const
const shownTo = (request: CompletionRequest | undefined) =>
  textOf(request?.messages.at(-1) as Message)
    .split(/\n\d\. |\n\n(?:Now write|Reply with)/)
    .slice(1, -1)
    .map((text) => text.trimEnd())

/** Refuses what is too long as a server does: it cannot be asked to count. */
function refusing(contextLength: number, tokens: (prompt: number) => { prompt?: number; context?: number }) {
  const inner = scriptedEngine(script)
  const overflows: number[] = []
  async function* generate(request: CompletionRequest) {
    const prompt = (await inner.countTokens?.(request.messages)) as number
    if (prompt + (request.sampling.maxTokens ?? 0) > contextLength) {
      overflows.push(prompt)
      throw new EngineError('server', 'context-overflow', 'too long', { status: 400, tokens: tokens(prompt) })
    }
    yield* inner.generate(request)
  }
  return { id: 'server', requests: inner.requests, overflows, generate } satisfies Engine &
    Record<string, unknown>
}

describe('proposals too long for an engine that can count', () => {
  test('are trimmed before the request is sent: head and tail of the long ones, short ones whole', async () => {
    const engine = scriptedEngine(script, { contextLength: 800 })
    const { layers, answer } = await ask({ engine }, planFor({ engine }, options))
    expect(answer).toBe('end')
    const [first, second, third] = shownTo(engine.requests[1])
    expect(first).toMatch(/^long0 long1 [\s\S]*\n\[…\]\n[\s\S]* long299$/)
    expect(second).toBe('short and whole')
    expect(third).toMatch(/^other0 [\s\S]* other299$/)
    const [head, tail] = (first as string).split('\n[…]\n') as [string, string]
    expect(Math.abs(head.length - tail.length)).toBeLessThanOrEqual(1)
    expect(layers[1]?.completions[0]?.trimmedTo).toBe(head.length + tail.length)
  })

  test('use the room there is: all but a few percent', async () => {
    const engine = scriptedEngine(script, { contextLength: 800 })
    await ask({ engine }, planFor({ engine }, options))
    const used = (await engine.countTokens?.(engine.requests[1]?.messages as Message[])) as number
    expect(used + 320).toBeLessThanOrEqual(800)
    expect(used + 320).toBeGreaterThan(760)
  })

  test('may be one alone', async () => {
    const engine = scriptedEngine(script, { contextLength: 500 })
    const { degraded } = await ask({ engine }, planFor({ engine }, { ...options, width: 1 }))
    expect([shownTo(engine.requests[1]).length, degraded]).toEqual([1, false])
  })

  test('that fit are not touched', async () => {
    const engine = scriptedEngine(script, { contextLength: 4000 })
    const { layers } = await ask({ engine }, planFor({ engine }, options))
    expect(shownTo(engine.requests[1])).toEqual(proposals)
    expect(layers[1]?.completions[0]).not.toHaveProperty('trimmedTo')
  })

  test('are refused if the plan says so: no request is sent, and the best proposal answers, degraded', async () => {
    const engine = scriptedEngine(script, { contextLength: 800 })
    const result = await ask({ engine }, planFor({ engine }, { ...options, overflow: 'refuse' }))
    expect(engine.requests).toHaveLength(1)
    expect(result).toMatchObject({ degraded: true, from: { layer: 0 } })
    expect(result.layers[1]?.failures[0]?.error.kind).toBe('context-overflow')
    expect(result.layers[1]?.failures[0]?.error.message).toMatch(
      /the context has 800\. Ask for fewer or shorter/,
    )
  })

  test('cannot be trimmed where the conversation alone is too long', async () => {
    const engine = scriptedEngine(script, { contextLength: 390 })
    const result = await ask({ engine }, planFor({ engine }, options))
    expect(engine.requests).toHaveLength(1)
    expect(result.degradedBecause?.[0]).toBe('layer 2: completion 1 is missing (context-overflow)')
  })
})

describe('proposals that a server refuses as too long', () => {
  test.each([
    ['tells both lengths', (prompt: number) => ({ prompt, context: 800 })],
    ['tells the context only', () => ({ context: 800 })],
    ['tells nothing', () => ({})],
  ])('are trimmed and sent again: it %s', async (_, tokens) => {
    const engine = refusing(800, tokens)
    const { layers, answer, degraded } = await ask({ engine }, planFor({ engine }, options))
    expect([answer, degraded]).toEqual(['end', false])
    expect(layers[1]?.completions[0]?.trimmedTo).toBeGreaterThan(100)
    expect(layers[1]?.failures).toEqual([])
    expect(shownTo(engine.requests[1])[1]).toBe('short and whole')
  })

  test('are given up after five attempts, each shorter than the last', async () => {
    const late = refusing(360, () => ({}))
    expect(await ask({ late }, planFor({ late }, options))).toMatchObject({ degraded: true })
    expect(late.overflows).toHaveLength(5)
    expect(late.overflows).toEqual([...late.overflows].sort((a, b) => b - a))
  })

  test('stay refused if the plan says so', async () => {
    const engine = refusing(800, () => ({}))
    const result = await ask({ engine }, planFor({ engine }, { ...options, overflow: 'refuse' }))
    expect(engine.overflows).toHaveLength(1)
    expect(result.layers[1]?.failures[0]?.error).toMatchObject({ kind: 'context-overflow', status: 400 })
  })
})

test('candidates too long for a judge are trimmed for it, and the pick is answered whole', async () => {
  const judged: Script = (request, index) => (isAggregator(request) ? '3' : proposals[index])
  const engine = scriptedEngine(judged, { contextLength: 900 })
  const plan = planFor({ engine }, { ...options, strategy: 'best-of-n', judgeMaxTokens: 512 })
  const result = await ask({ engine }, plan)
  expect(result).toMatchObject({ answer: proposals[2], degraded: false })
  expect(shownTo(engine.requests[1])[2]).toContain('[…]')
})

test('a question longer than the context is an error before any work', async () => {
  const engine = scriptedEngine(script, { contextLength: 100 })
  const error = await ask({ engine }, planFor({ engine }, options)).catch((e) => e)
  expect(error).toMatchObject({ kind: 'context-overflow', isRetryable: false })
  expect(error.message).toMatch(/320 are kept for the answer, but the context has 100/)
})
