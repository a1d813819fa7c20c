import { expect, test } from 'vitest'
import type { Message } from '../../core/provider/engine.ts'
import { scriptedEngine } from '../../engines/scripted/scripted.ts'
import { paperTemplate } from '../../plans/wordings.ts'
import { startServer, user } from './server.fixture.ts'
import { createServer } from './server.ts'

const reply = () => 'Because.'
const question = user('Why?')
interface Answer {
  aft: { template: { id: string }; layers: { completions: { warnings?: string[] }[] }[] }
}
const newline: Message = { role: 'system', content: '\n' }

test('each model has the wording of its preset: only `paper` sends a blank system message', async () => {
  const engine = scriptedEngine(reply)
  const { post } = await startServer(engine, { presets: { own: { template: 'aft-1', depth: 0 } } })
  for (const [model, first, template] of [
    ['aft', question, 'aft-2'],
    ['aft-fast', question, 'aft-2'],
    ['rsa', question, 'aft-2'],
    ['single', question, 'aft-2'],
    ['paper', [newline, ...question], 'aft-1'],
    ['own', [newline, ...question], 'aft-1'],
  ] as const) {
    const at = engine.requests.length
    const answer = (await (await post({ model, messages: question })).json()) as Answer
    expect(engine.requests[at]?.messages).toEqual(first)
    expect(answer.aft.template.id).toBe(template)
    expect(answer.aft.layers[0]?.completions[0]?.warnings).toBeUndefined()
  }
})

test('turns of tools, parts and a system prompt reach every role as they came', async () => {
  const engine = scriptedEngine(reply)
  const { post } = await startServer(engine)
  const messages = [
    { role: 'developer', content: 'Be brief.' },
    { role: 'user', content: [{ type: 'text', text: 'What is it?' }] },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'a', type: 'function', function: { name: 'look', arguments: '{}' } }],
    },
    { role: 'tool', tool_call_id: 'a', content: 'A river.' },
  ]
  const tools = [{ type: 'function', function: { name: 'look' } }]
  expect((await post({ model: 'aft', messages, tools })).status).toBe(200)
  for (const [i, { messages: sent }] of engine.requests.entries()) {
    expect(sent.slice(0, -1)).toMatchObject(messages)
    expect(sent.at(-1)).toEqual({
      role: 'user',
      content: expect.stringContaining(i === 0 ? 'No tools' : 'Drafts:'),
    })
  }
})

test('a trained model has the wording of its card, unless the operator gives one', async () => {
  const template = { ...paperTemplate, id: 'mine', aggregatorSystem: 'Merge: {{proposals}}' }
  const tuned = Object.assign(scriptedEngine(reply), { template })
  for (const [options, id] of [
    [{}, 'mine'],
    [{ template: paperTemplate }, 'aft-1'],
  ] as const) {
    const { post } = await startServer(tuned, options)
    for (const model of ['aft', 'paper']) {
      const answer = (await (await post({ model, messages: question })).json()) as Answer
      expect(answer.aft.template.id).toBe(id)
    }
  }
})

test('a preset with a template that is not there is found at the start', () => {
  const presets = { own: { template: 'none' } }
  expect(() => createServer({ engines: { one: scriptedEngine(reply) }, presets })).toThrow(
    'there is no template "none"; there are: aft-2, aft-1',
  )
})
