/** Ends that are reported at once, although a finish reason came with the first piece of a completion. */
import { describe, expect, it } from 'vitest'
import type { EngineEvent } from '../../core/provider/engine.ts'
import { type Answer, collect, delta, finish, open, say, sendAll, usage } from './openai.fixture.ts'

const early = { n: 2, endsEarly: true }
const whole = sendAll(delta(0, 'One.', 'stop'), delta(1, 'Two.', 'stop'), usage(6, 4))
const pieces = sendAll(delta(0, 'On'), delta(0, 'e.'), finish(0), delta(1, 'Two.'), finish(1), usage(6, 4))

/** Sends a whole text, waits until the caller has its end, and goes on. */
function holdBack(text: string, goOn: Answer) {
  let hasCome = () => {}
  const come = new Promise<void>((resolve) => {
    hasCome = resolve
  })
  const answer: Answer = async (asked) => {
    asked.send(delta(0, text, 'stop'))
    await come
    await goOn(asked)
  }
  return { answer, onEvent: (event: EngineEvent) => event.type === 'completion-end' && hasCome() }
}

const later = (events: EngineEvent[]) => events.filter((event) => event.type === 'completion-usage')
const secondAnswer = sendAll(delta(1, 'Two.', 'stop'), usage(6, 4))

describe('a completion that comes whole in one piece', () => {
  it.each([
    ['another has shown where this server puts its finish reasons', [pieces]],
    ['three answers of whole texts came before', [whole, whole, whole]],
  ])('ends at once if %s', async (_, before) => {
    const { answer, onEvent } = holdBack('One.', secondAnswer)
    const { engine } = await open({}, ...before, answer)
    for (const _ of before) await collect(engine, early)
    const { ends, events } = await collect(engine, early, onEvent)
    expect(ends).toMatchObject([{ text: 'One.', usage: { estimated: true } }, { text: 'Two.' }])
    // It was certain: no warning, and nothing to correct.
    expect(ends.map((end) => end.warnings)).toEqual([undefined, undefined])
    expect(later(events).map(({ index, usage, end }) => [index, usage.outputTokens, end])).toEqual([
      [0, 2, undefined],
    ])
  })

  it('ends at once if another completion of its request is still written', async () => {
    const { answer, onEvent } = holdBack('One.', (asked) => {
      asked.send(delta(1, 'o.'), finish(1), usage(6, 4))
      asked.done()
    })
    const { engine } = await open({}, (asked) => {
      asked.send(delta(1, 'Tw'))
      return answer(asked)
    })
    const { ends } = await collect(engine, early, onEvent)
    expect(ends.map(({ text, warnings }) => [text, warnings])).toEqual([
      ['One.', undefined],
      ['Two.', undefined],
    ])
  })

  it('ends with a warning at a server that is not known, which is taken back', async () => {
    const { answer, onEvent } = holdBack('One.', secondAnswer)
    const { engine } = await open({}, answer)
    const { ends, events } = await collect(engine, early, onEvent)
    expect(ends[0]).toMatchObject({ text: 'One.', warnings: [expect.stringContaining('may not be whole')] })
    const [first] = later(events)
    expect(first).toMatchObject({ index: 0, usage: { outputTokens: 2 }, end: { text: 'One.' } })
    expect(first?.end?.warnings).toBe(undefined)
  })

  it('has the usage of its server if all came at once', async () => {
    const { engine } = await open({ noStream: true }, ({ response }) => {
      const choice = { index: 0, message: { content: 'One.' }, finish_reason: 'stop' }
      response.end(JSON.stringify({ choices: [choice], usage: { prompt_tokens: 6, completion_tokens: 9 } }))
    })
    const { ends } = await collect(engine, { endsEarly: true })
    expect(ends).toMatchObject([{ text: 'One.', usage: { inputTokens: 6, outputTokens: 9 } }])
    expect(ends[0]?.usage.estimated).toBe(undefined)
  })
})

describe('a server that writes on after a finish reason', () => {
  const parts = ['One ', 'and ', 'one ', 'are ', 'always ', 'two.']
  const goOn = sendAll(...parts.slice(1).map((part) => delta(0, part, 'stop')), finish(0), usage(6, 7))

  it.each([
    ['is not known', []],
    ['was believed', [whole, whole, whole]],
    [
      'was believed and goes on without a reason',
      [pieces],
      sendAll(...parts.slice(1).map((part) => delta(0, part)), usage(6, 7)),
    ],
  ])('loses and doubles nothing if it %s', async (_, before: Answer[], rest = goOn) => {
    const { answer, onEvent } = holdBack('One ', rest)
    const { engine } = await open({}, ...before, answer, goOn)
    for (const _ of before) await collect(engine, early)
    const { ends, events } = await collect(engine, { endsEarly: true }, onEvent)
    expect(ends.map(({ text }) => text)).toEqual(['One '])
    expect(later(events).map(({ end }) => [end?.text, end?.warnings ?? []])).toEqual([[parts.join(''), []]])
  })

  it('is not believed again, however long it is silent', async () => {
    const { answer, onEvent } = holdBack('One ', goOn)
    const slow: Answer = async (asked) => {
      asked.send(delta(0, 'One ', 'stop'))
      await new Promise((resolve) => setTimeout(resolve, 1_200))
      await goOn(asked)
    }
    const { engine } = await open({}, answer, slow)
    await collect(engine, { endsEarly: true }, onEvent)
    const { ends } = await collect(engine, { endsEarly: true })
    expect(ends.map(({ text }) => text)).toEqual([parts.join('')])
  })

  it('is asked again if the connection breaks then', async () => {
    const { answer, onEvent } = holdBack('One ', async ({ send, response }) => {
      send(delta(0, 'and ', 'stop'))
      await new Promise((resolve) => setTimeout(resolve, 20))
      response.destroy()
    })
    const { engine, asked } = await open({}, pieces, answer, say('One and one.'))
    await collect(engine, early)
    const { ends, events, failures } = await collect(engine, { endsEarly: true }, onEvent)
    expect([ends[0]?.text, failures]).toEqual(['One ', []])
    expect(later(events).map(({ end }) => end?.text)).toEqual(['One and one.'])
    expect(asked.at(-1)?.body.n ?? 1).toBe(1)
  })
})
