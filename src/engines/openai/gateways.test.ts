/** Answers of gateways that put things elsewhere, or speak another interface: nothing is lost in silence. */
import { describe, expect, it } from 'vitest'
import type { Tool } from '../../core/provider/engine.ts'
import { type Answer, collect, delta, finish, open } from './openai.fixture.ts'

const event = (value: object) => `data: ${JSON.stringify(value)}\n\n`
const raw =
  (body: string): Answer =>
  ({ response }) =>
    void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(body)
const stream = (...chunks: object[]) => raw(`${chunks.map(event).join('')}data: [DONE]\n\n`)
const choose = (choice: object) => ({ choices: [{ index: 0, ...choice }] })
const whole = choose({ message: { content: 'Hello' }, finish_reason: 'stop' })
const message = (content: string, finish_reason: string | null = null) =>
  choose({ message: { content }, finish_reason })

describe('a text is read', () => {
  it.each<[string, Answer, string]>([
    [
      'beside an empty delta',
      stream(choose({ delta: {}, message: { content: 'Hello' } }), finish(0)),
      'Hello',
    ],
    [
      'beside a delta with a role',
      stream(choose({ delta: { role: 'assistant', content: '' }, text: 'Hello' }), finish(0)),
      'Hello',
    ],
    ['within `output`', raw(JSON.stringify({ output: whole, request_id: 'a' })), 'Hello'],
    ['within `body`', raw(JSON.stringify({ body: whole })), 'Hello'],
    [
      'from JSON that was written as JSON twice',
      raw(`data: ${JSON.stringify(JSON.stringify(whole))}\n\n`),
      'Hello',
    ],
    [
      'from messages that are pieces, some of them like earlier ones',
      stream(message('no '), message('no '), message('and '), message('no', 'stop')),
      'no no and no',
    ],
    [
      "from lines of Ollama's own interface",
      raw(
        [
          { message: { role: 'assistant', content: 'Hel' }, done: false },
          { message: { role: 'assistant', content: 'lo' }, done: false },
          { message: { role: 'assistant', content: '' }, done: true, done_reason: 'stop', eval_count: 2 },
        ]
          .map((line) => `${JSON.stringify(line)}\n`)
          .join(''),
      ),
      'Hello',
    ],
  ])('%s', async (_, answer, text) => {
    const { engine } = await open({ maxRetries: 0 }, answer)
    expect((await collect(engine)).ends).toMatchObject([{ text, finishReason: 'stop' }])
  })

  it.each<[string, object]>([
    ['finishReason', { delta: {}, finishReason: 'MAX_TOKENS' }],
    ['stop_reason', { delta: {}, stop_reason: 'max_tokens' }],
    ['finish_reason of the delta', { delta: { finish_reason: 'length' } }],
  ])('to the end that stands in %s', async (_, end) => {
    const { engine } = await open({ maxRetries: 0 }, stream(delta(0, 'Hello', null), choose(end)))
    const { ends } = await collect(engine)
    expect(ends).toMatchObject([{ text: 'Hello', finishReason: 'length' }])
    expect(ends[0]?.warnings ?? []).toEqual([])
  })
})

describe('reasoning is kept apart', () => {
  it.each(['thoughts', 'reasoningContent', 'thinking_content', 'cot', 'chain_of_thought_reasoning'])(
    'under the name %s',
    async (name) => {
      const { engine } = await open({}, stream(delta(0, { [name]: 'hm' }), delta(0, 'So.'), finish(0)))
      expect((await collect(engine)).ends).toMatchObject([{ text: 'So.', reasoning: 'hm' }])
    },
  )

  it.each<[string, object]>([
    ['in the choice', { reasoning: 'hm', message: { content: 'So.' } }],
    [
      'in fields of a provider',
      { message: { content: 'So.', provider_specific_fields: { thinking: 'hm' } } },
    ],
  ])('%s', async (_, choice) => {
    const { engine } = await open({}, raw(JSON.stringify(choose({ ...choice, finish_reason: 'stop' }))))
    expect((await collect(engine)).ends).toMatchObject([{ text: 'So.', reasoning: 'hm' }])
  })

  it('from signatures and efforts, which are none', async () => {
    const piece = { content: 'So.', thought_signature: 'abc', reasoning_effort: 'low' }
    const { engine } = await open({}, stream(delta(0, piece), finish(0)))
    expect((await collect(engine)).ends[0]?.reasoning).toBeUndefined()
  })
})

describe('a call is read', () => {
  const tools: Tool[] = [{ type: 'function', function: { name: 'look', parameters: {} } }]
  const called = { name: 'look', arguments: '{"at":1}' }
  it.each<[string, object]>([
    ['in the choice', { delta: {}, tool_calls: [{ index: 0, id: 'a', function: called }] }],
    ['alone', { delta: { tool_call: { id: 'a', function: called } } }],
    ["in Google's form", { delta: { functionCall: { name: 'look', args: { at: 1 } } } }],
    [
      'as a part of the content',
      { delta: { content: [{ type: 'tool_use', id: 'a', name: 'look', input: { at: 1 } }] } },
    ],
    [
      'with arguments that are JSON twice',
      {
        delta: {
          tool_calls: [
            { index: 0, id: 'a', function: { name: 'look', arguments: JSON.stringify(called.arguments) } },
          ],
        },
      },
    ],
  ])('%s', async (_, choice) => {
    const { engine } = await open({}, stream(choose(choice), finish(0, 'tool_calls')))
    const { ends } = await collect(engine, { tools })
    expect(ends[0]?.toolCalls?.map((call) => call.function)).toEqual([called])
  })
})

describe('what is no answer of this interface is told as it came, and asked for once', () => {
  it.each<[string, object]>([
    ['Anthropic', { type: 'message', content: [{ type: 'text', text: 'Hi' }], usage: { input_tokens: 3 } }],
    ['Google', { candidates: [{ content: { parts: [{ text: 'Hi' }] } }] }],
    ['an error without words', { success: false, code: 'InvalidParameter' }],
  ])('%s', async (_, body) => {
    const { engine, asked } = await open({}, raw(JSON.stringify(body)))
    const { failures } = await collect(engine)
    expect(failures[0]?.error.message).toContain(JSON.stringify(body).slice(0, 40))
    expect(asked).toHaveLength(1)
  })
})
