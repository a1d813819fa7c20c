/** Every dialect in every situation. */
import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { collect, open } from '../../src/engines/openai/openai.fixture.ts'
import { answerIn, type Dialect } from './server.ts'

const names = readdirSync(import.meta.dirname)
  .filter((name) => !/^(server|dialects\.test)\.ts$/.test(name))
  .map((name) => name.replace('.ts', ''))
const dialects = await Promise.all(
  names.map(async (name) => (await import(`./${name}.ts`)).dialect as Dialect),
)
const calls = [
  { name: 'get_weather', arguments: '{"city":"Oslo"}' },
  { name: 'get_time', arguments: '{"tz":"UTC"}' },
]
const tools = calls.map(({ name }) => ({ type: 'function' as const, function: { name } }))

describe.each(dialects.map((dialect) => [dialect.name, dialect] as const))('%s', (_, dialect) => {
  const text = 'The answer is 42.'
  it.each([1, 3])('n of %i', async (n) => {
    const { engine } = await open({}, answerIn(dialect, { text }))
    const { ends } = await collect(engine, { n })
    expect(ends.map((end) => [end.text, end.finishReason])).toEqual(Array(n).fill([text, 'stop']))
  })

  it('with tools', async () => {
    const { engine } = await open({}, answerIn(dialect, { calls }))
    const [end] = (await collect(engine, { tools })).ends
    expect(end?.toolCalls?.map((call) => call.function)).toEqual(calls)
    expect(end?.finishReason).toBe('tool-calls')
  })

  it('with reasoning, or without if its models show none', async () => {
    const { engine } = await open({}, answerIn(dialect, { text, reasoning: 'hm, let me think' }))
    expect((await collect(engine)).ends).toMatchObject([
      { text, ...(dialect.hidesReasoning ? {} : { reasoning: 'hm, let me think' }) },
    ])
  })

  it('cut, then whole', async () => {
    const { engine, asked } = await open(
      {},
      answerIn(dialect, { text }, { cut: true }),
      answerIn(dialect, { text }),
    )
    expect((await collect(engine)).ends).toMatchObject([{ text }])
    expect(asked).toHaveLength(2)
  })

  it('failing', async () => {
    const { engine, asked } = await open({}, answerIn(dialect, {}, { error: 'bad field' }))
    const { failures } = await collect(engine)
    expect(failures).toMatchObject([
      { error: { kind: 'refused', message: expect.stringContaining('bad field') } },
    ])
    expect(asked).toHaveLength(1)
  })

  it('overflowing', async () => {
    const error = 'prompt is too long: 5012 tokens > 4096 maximum'
    const { engine } = await open({}, answerIn(dialect, {}, { error }))
    await expect(collect(engine)).rejects.toMatchObject({
      kind: 'context-overflow',
      tokens: { prompt: 5012, context: 4096 },
    })
  })
})
