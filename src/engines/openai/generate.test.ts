import { describe, expect, it, onTestFinished } from 'vitest'
import type { EngineEvent, Message } from '../../core/provider/engine.ts'
import { type Asked, collect, delta, finish, model, open, say, sumOf, toRequest } from './openai.fixture.ts'
import { openOpenAI } from './openai.ts'

describe('an abort', () => {
  it('closes the connection at once, and fails what is open but not what has ended', async () => {
    const caller = new AbortController()
    const { engine, asked } = await open({}, (one) =>
      one.send(delta(0, 'a'), finish(0), delta(1, 'b'), delta(2, 'c')),
    )
    const { ends, failures } = await collect(engine, { n: 3, signal: caller.signal }, (event) => {
      if (event.type === 'completion-delta' && event.index === 2) caller.abort()
    })
    await asked[0]?.closed
    expect(ends.map((e) => e.index)).toEqual([0])
    expect(failures.map((f) => [f.index, f.error.kind, f.usage?.outputTokens])).toEqual([
      [1, 'aborted', 1],
      [2, 'aborted', 1],
    ])
  })

  it('before the server has answered closes the connection', async () => {
    const caller = new AbortController()
    const { engine, asked } = await open({}, () => caller.abort('enough'))
    const { failures } = await collect(engine, { n: 2, signal: caller.signal })
    await asked[0]?.closed
    expect(failures.map((f) => f.error.kind)).toEqual(['aborted', 'aborted'])
  })

  it('ends the wait before the next attempt', async () => {
    const caller = new AbortController()
    const later = (asked: Asked) => {
      asked.refuse(503, { error: { message: 'busy' } }, { 'retry-after': '500' })
      setTimeout(() => caller.abort(), 20)
    }
    const { engine, asked } = await open({}, later)
    const { failures } = await collect(engine, { signal: caller.signal })
    expect(failures.map((f) => f.error.kind)).toEqual(['aborted'])
    expect(asked).toHaveLength(1)
  })

  it('ends the wait for a slot, and sends nothing', async () => {
    const caller = new AbortController()
    const { engine, asked } = await open({ concurrency: 1 }, (one) => one.send(delta(0, 'a')))
    const first = collect(engine, { signal: caller.signal }, () => second.abort())
    const second = new AbortController()
    const { failures } = await collect(engine, { signal: second.signal })
    expect(failures).toMatchObject([{ error: { kind: 'aborted' }, usage: { calls: 0 } }])
    caller.abort()
    await first
    expect(asked).toHaveLength(1)
  })

  it('happens when a consumer stops reading', async () => {
    const { engine, asked } = await open(
      { concurrency: 2 },
      (one) => one.send(delta(0, 'a'), delta(1, 'b')),
      model(),
    )
    for await (const event of engine.generate(toRequest({ n: 2 })))
      if (event.type === 'completion-delta') break
    await asked[0]?.closed
    expect((await collect(engine, { n: 2 })).ends).toHaveLength(2)
  })
})

it('a request for ends only gets no deltas', async () => {
  const { engine } = await open({}, model())
  const { events, ends } = await collect(engine, { n: 2, endsOnly: true })
  expect(events).toEqual(ends)
  expect(ends.every(({ text }) => text !== '')).toBe(true)
})

describe('slots at an endpoint', () => {
  it('are shared by the engines of the same address, and never exceeded', async () => {
    let [inFlight, most] = [0, 0]
    const { engine, fixture } = await open({ concurrency: 4 }, async (asked) => {
      inFlight += asked.body.n ?? 1
      most = Math.max(most, inFlight)
      await model({ delayMs: 1 })(asked)
      inFlight -= asked.body.n ?? 1
    })
    const other = openOpenAI({ baseURL: `${fixture.baseURL}/`, model: 'other', env: {} })
    onTestFinished(() => other.close?.())
    const all = [1, 2, 3, 4, 5, 6].map((n) => collect(n % 2 ? engine : other, { n }))
    expect((await Promise.all(all)).map(({ ends }) => ends.length)).toEqual([1, 2, 3, 4, 5, 6])
    expect(most).toBe(4)
  })

  it('come back one by one as completions end', async () => {
    const ended: number[] = []
    const { engine, asked } = await open(
      { concurrency: 2 },
      async (one) => {
        one.send(delta(0, 'a'), finish(0), delta(1, 'b'))
        while (asked.length < 2) await new Promise((resolve) => setTimeout(resolve, 1))
        one.send(finish(1))
        one.done()
      },
      say('c'),
    )
    const onEnd = (event: EngineEvent) => event.type === 'completion-end' && ended.push(event.index)
    await Promise.all([collect(engine, { n: 2 }, onEnd), collect(engine, {}, onEnd)])
    expect(ended).toHaveLength(3)
  })

  it('are waited for until one request can ask for all completions of a long prompt, or for as many as there are', async () => {
    const { engine, asked } = await open({ concurrency: 4 }, model({ delayMs: 1 }))
    const messages: Message[] = [{ role: 'user', content: 'Why is the sky blue? '.repeat(60) }]
    const all = await Promise.all([3, 3, 2, 6].map((n) => collect(engine, { n, messages })))
    expect(all.map(({ ends }) => sumOf(ends, 'calls'))).toEqual([1, 1, 1, 2])
    expect(asked.map(({ body }) => body.n)).toEqual([3, 3, 2, 4, 2])
  })

  it('are taken by a short prompt as they become free, so that none stays idle', async () => {
    const { engine, asked } = await open({ concurrency: 4 }, model({ delayMs: 1 }))
    const all = await Promise.all([3, 3].map((n) => collect(engine, { n })))
    expect(all.map(({ ends }) => ends.length)).toEqual([3, 3])
    expect(asked.slice(0, 2).map(({ body }) => body.n ?? 1)).toEqual([3, 1])
  })

  it('go to the lowest priority number first', async () => {
    const order: unknown[] = []
    const { engine } = await open({ concurrency: 1 }, async (asked) => {
      order.push(asked.body.seed)
      await model({ delayMs: 1 })(asked)
    })
    const ask = (seed: number, priority: number) => collect(engine, { seeds: [seed], priority })
    await Promise.all([ask(1, 5), ask(2, 5), ask(3, 1), ask(4, 9)])
    expect(order).toEqual([1, 3, 2, 4])
  })
})

it('one slot in fifty stays empty for a request that is whole with the next', async () => {
  let goOn = () => {}
  const { engine, asked } = await open({ concurrency: 51 }, async (one) => {
    if (one.number === 0) await new Promise<void>((resolve) => (goOn = resolve))
    await model()(one)
  })
  const first = collect(engine, { n: 50 })
  await expect.poll(() => asked.length).toBe(1)
  const second = collect(engine, { n: 2, seeds: [900, 901] })
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(asked).toHaveLength(1)
  goOn()
  expect((await first).ends).toHaveLength(50)
  expect((await second).ends).toHaveLength(2)
  expect(asked.map(({ body }) => body.n)).toEqual([50, 2])
})
