import type { OpenAI } from 'openai'
import { describe, expect, test } from 'vitest'
import { echo, scriptedEngine } from '../../engines/scripted/scripted.ts'
import { createResponseStore } from './responses-store.ts'
import { startServer } from './server.fixture.ts'

const ask = { model: 'single', input: 'Hi' }
const more = { role: 'user' as const, content: 'More' }
const call = { id: 'call_1', type: 'function' as const, function: { name: 'look', arguments: '{}' } }
type Item = OpenAI.Responses.ResponseInputItem.ItemReference

describe('a second turn', () => {
  test('may name the items of the first instead of sending them', async () => {
    const engine = scriptedEngine([{ when: /More/, replies: ['Again.'] }, { replies: ['Hello.'] }])
    const { client } = await startServer(engine)
    const first = await client.responses.create(ask)
    const reference: Item = { type: 'item_reference', id: first.output[0]?.id as string }
    const input = [{ role: 'user' as const, content: 'Hi' }, reference, more]
    expect((await client.responses.create({ ...ask, input })).output_text).toBe('Again.')
    expect(engine.requests[1]?.messages.slice(-3)).toEqual([
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello.' },
      more,
    ])
  })

  test('may name a call, after a stream, without a type', async () => {
    const engine = scriptedEngine([
      { when: (request) => request.messages.some((m) => m.role === 'tool'), replies: ['Blue.'] },
      { replies: [{ toolCalls: [call] }] },
    ])
    const { client } = await startServer(engine)
    const first = await client.responses.stream(ask).finalResponse()
    const reference = { id: first.output[0]?.id } as Item
    const output = { type: 'function_call_output' as const, call_id: 'call_1', output: '"blue"' }
    const input = [{ role: 'user' as const, content: 'Hi' }, reference, output]
    expect((await client.responses.create({ ...ask, input })).output_text).toBe('Blue.')
    expect(engine.requests[1]?.messages.slice(-2)).toEqual([
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'call_1', content: '"blue"' },
    ])
  })

  test('may name the whole response, and a third turn the second', async () => {
    const engine = scriptedEngine([{ replies: ['Hello.'] }])
    const { client } = await startServer(engine)
    const first = await client.responses.create({ ...ask, instructions: 'Be brief.' })
    const second = await client.responses.create({ ...ask, input: 'More', previous_response_id: first.id })
    const third = { ...ask, input: 'And?', previous_response_id: second.id, instructions: 'Be long.' }
    expect((await client.responses.create(third)).previous_response_id).toBe(second.id)
    expect(engine.requests.at(-1)?.messages).toEqual([
      { role: 'system', content: 'Be long.' },
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello.' },
      { role: 'user', content: 'More' },
      { role: 'assistant', content: 'Hello.' },
      { role: 'user', content: 'And?' },
    ])
  })
})

describe('an answer is not kept', () => {
  const named = (id: string) => ({ ...ask, previous_response_id: id })

  test('if the client says so', async () => {
    const { client } = await startServer(scriptedEngine(echo))
    const first = await client.responses.create({ ...ask, store: false })
    expect(first).toMatchObject({ store: false })
    await expect(client.responses.create(named(first.id))).rejects.toThrow('send the whole conversation')
  })

  test('if the server keeps none; the refusal names the way out', async () => {
    const { client } = await startServer(scriptedEngine(echo), { maxStoredBytes: 0 })
    const first = await client.responses.create({ ...ask, store: true })
    expect(first).toMatchObject({ store: false })
    const input: Item[] = [{ type: 'item_reference', id: first.output[0]?.id as string }]
    const advice = /send items whole; in the AI SDK set providerOptions.openai.store to false/
    await expect(client.responses.create({ ...ask, input })).rejects.toThrow(advice)
  })

  test('for another client', async () => {
    const keys = { a: 'sk-of-a', b: 'sk-of-b' }
    const { client } = await startServer(scriptedEngine(echo), { keys }, 'sk-of-a')
    const first = await client.responses.create(ask)
    const other = client.withOptions({ apiKey: 'sk-of-b' })
    await expect(other.responses.create(named(first.id))).rejects.toThrow('is not kept here')
    expect((await client.responses.create(named(first.id))).status).toBe('completed')
  })

  test('beyond the memory: the oldest goes first', () => {
    const store = createResponseStore(400)
    const keep = (name: string, text: string) =>
      store.keep('me', { id: `resp_${name}`, output: [], messages: [{ role: 'user', content: text }] })
    keep('a', 'x'.repeat(100))
    keep('b', 'x'.repeat(100))
    expect(store.find('me', 'msg_a_0')).toBeDefined()
    keep('c', 'x'.repeat(100))
    expect(['a', 'b', 'c'].map((name) => store.find('me', `resp_${name}`) !== undefined)).toEqual([
      false,
      true,
      true,
    ])
    keep('d', 'x'.repeat(1_000))
    expect(store.find('me', 'resp_d')).toBe(undefined)
    expect(store.find('me', 'resp_c')).toBeDefined()
  })
})
