import { describe, expect, it } from 'vitest'
import { collect, delta, finish, model, open, sumOf, usage } from './openai.fixture.ts'

describe('usage', () => {
  it('is shared out of one sum for all completions, with prompt and calls on the first', async () => {
    const { engine } = await open({}, model())
    const { ends } = await collect(engine, { n: 3 })
    expect(ends.map((e) => e.usage)).toEqual([
      { calls: 1, prefilledTokens: 4, inputTokens: 5, outputTokens: 8, sharedBy: 3 },
      { calls: 0, prefilledTokens: 0, inputTokens: 5, outputTokens: 8 },
      { calls: 0, prefilledTokens: 0, inputTokens: 5, outputTokens: 8 },
    ])
  })

  it('gives tokens that came several to a chunk to the longer texts', async () => {
    const { engine } = await open({}, (asked) => {
      asked.send(delta(0, 'x'.repeat(10)), delta(1, 'y'.repeat(30)), finish(0), finish(1), usage(5, 42))
      asked.done()
    })
    const { ends } = await collect(engine, { n: 2 })
    expect(ends.map((e) => e.usage.outputTokens)).toEqual([11, 31])
  })

  it.each(['one', 'none'] as const)(
    'is counted by chunks if the server counts %s of the completions',
    async (told) => {
      const { engine } = await open({}, model({ usage: told }))
      const { ends } = await collect(engine, { n: 3 })
      for (const { usage } of ends)
        expect(usage).toMatchObject({ outputTokens: 8, estimated: true, inputTokens: 5 })
    },
  )

  it.each<[string, object]>([
    ['in a field of Groq', { ...finish(0), x_groq: { usage: { prompt_tokens: 7, completion_tokens: 9 } } }],
    [
      'within the choice',
      {
        choices: [
          { index: 0, delta: {}, finish_reason: 'stop', usage: { prompt_tokens: 7, completion_tokens: 9 } },
        ],
      },
    ],
  ])('is found %s', async (_, last) => {
    const { engine } = await open({}, (asked) => {
      asked.send(delta(0, 'a'), last)
      asked.done()
    })
    const { ends } = await collect(engine)
    expect(ends[0]?.usage).toMatchObject({ inputTokens: 7, outputTokens: 9 })
    expect(ends[0]?.usage.estimated).toBeUndefined()
  })

  it.each([1e300, 1e10, -5, 'many', null, { a: 1 }])('of %j tokens is not believed', async (figure) => {
    const { engine } = await open({}, (asked) => {
      asked.send(delta(0, 'a'), finish(0), {
        choices: [],
        usage: { prompt_tokens: figure, completion_tokens: figure },
      })
      asked.done()
    })
    const { ends } = await collect(engine)
    expect(ends[0]?.usage).toMatchObject({ outputTokens: 1, estimated: true })
    expect(ends[0]?.usage.inputTokens).toBeLessThan(100)
  })

  it('that each choice has of its own is added up', async () => {
    const own = (index: number, completion_tokens: number) => ({
      choices: [{ index, delta: {}, finish_reason: 'stop', usage: { prompt_tokens: 7, completion_tokens } }],
    })
    const { engine } = await open({}, (asked) => {
      asked.send(delta(0, 'aaaa'), delta(1, 'bbbb'), own(0, 10), own(1, 6))
      asked.done()
    })
    const { ends } = await collect(engine, { n: 2 })
    expect(ends.map((e) => [e.usage.inputTokens, e.usage.outputTokens])).toEqual([
      [7, 8],
      [7, 8],
    ])
  })

  it('that a server reports after each completion ends it at once', async () => {
    const { engine } = await open({}, async (asked) => {
      asked.send(delta(1, 'b'), finish(1), usage(6, 2), delta(0, 'a'))
      await collected
      asked.send(delta(0, 'a'), finish(0), usage(6, 3))
      asked.done()
    })
    let hasCome = () => {}
    const collected = new Promise<void>((resolve) => (hasCome = resolve))
    const { ends } = await collect(engine, { n: 2 }, (event) => event.type === 'completion-end' && hasCome())
    expect(ends.map((e) => [e.usage.outputTokens, e.usage.estimated])).toEqual([
      [3, undefined],
      [2, undefined],
    ])
    expect(sumOf(ends, 'calls')).toBe(1)
  })

  it('is estimated if an early end is asked for, and what the server reports follows', async () => {
    let hasCome = () => {}
    const collected = new Promise<void>((resolve) => (hasCome = resolve))
    const { engine } = await open({}, async (asked) => {
      asked.send(delta(0, 'a'), delta(0, 'a'), finish(0), delta(1, 'b'))
      await collected
      asked.send(finish(1), usage(6, 5))
      asked.done()
    })
    const { ends, events } = await collect(
      engine,
      { n: 2, endsEarly: true },
      (event) => event.type === 'completion-end' && hasCome(),
    )
    expect(ends.map((e) => [e.usage.outputTokens, e.usage.estimated])).toEqual([
      [2, true],
      [2, undefined],
    ])
    const later = events.flatMap((e) => (e.type === 'completion-usage' ? [[e.index, e.usage]] : []))
    expect(later).toEqual([[0, expect.objectContaining({ inputTokens: 6, outputTokens: 3, sharedBy: 2 })]])
  })

  it('has cost, cached and reasoning tokens if the server reports them', async () => {
    const more = {
      cost: 0.25,
      prompt_tokens_details: { cached_tokens: 4 },
      completion_tokens_details: { reasoning_tokens: 3 },
    }
    const { engine } = await open({}, (asked) => {
      asked.send(delta(0, { reasoning: 'hm' }), delta(0, 'a'), finish(0), usage(6, 5, more))
      asked.done()
    })
    const { ends } = await collect(engine)
    expect(ends[0]?.usage).toEqual({
      calls: 1,
      prefilledTokens: 2,
      inputTokens: 6,
      outputTokens: 5,
      reasoningTokens: 3,
      cost: 0.25,
      sharedBy: 1,
    })
  })

  it('that comes with every chunk counts once', async () => {
    const { engine } = await open({}, (asked) => {
      const told = (tokens: number) => ({ usage: { prompt_tokens: 6, completion_tokens: tokens } })
      asked.send(
        { ...delta(0, 'a'), ...told(1) },
        { ...delta(0, 'b'), ...told(2) },
        { ...finish(0), ...told(3) },
      )
      asked.done()
    })
    expect((await collect(engine)).ends[0]?.usage).toMatchObject({ inputTokens: 6, outputTokens: 3 })
  })
})
