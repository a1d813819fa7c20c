/** The situations in which every server is tried. Each returns what a reader of the table may know, or throws. */
import assert from 'node:assert/strict'
import type { CompletionEnd, CompletionRequest, Message, Tool } from '../../src/core/provider/engine.ts'
import type { EngineError } from '../../src/core/provider/errors.ts'
import { type AnswerOptions, answer } from '../../src/run/answer.ts'
import type { Asked, Called, Dialect } from './dialect.ts'
import type { Loopback, Opened, Script } from './loopback.ts'

/** What came of a situation. */
export interface Outcome {
  /** What the cell of the table says; `ok` if nothing is worth saying. */
  cell: string
  /** What was left out or rewritten, in the words of the engine. */
  warnings: string[]
}

interface Bench {
  dialect: Dialect
  /** Opens a server that plays a script. */
  open: (script: Script, options?: Parameters<Loopback['open']>[2]) => Opened
}

const text = 'The answer is 42.'
const thoughts = 'Hm, six times seven.'
const question = 'What is six times seven?'
const calls: Called[] = [
  { name: 'get_weather', arguments: '{"city":"Oslo"}' },
  { name: 'get_time', arguments: '{"tz":"UTC"}' },
]
const tools: Tool[] = calls.map(({ name }) => ({
  type: 'function',
  function: { name, parameters: { type: 'object', properties: {} } },
}))
const settings = { temperature: 0.7, topP: 0.9, maxTokens: 200 }
const system: Message = { role: 'system', content: 'Be brief.' }
const user: Message = { role: 'user', content: question }
const say = () => ({ text })

/** The situations, by the heads of the table's columns. */
export const situations: Record<string, (bench: Bench) => Promise<Outcome>> = {
  /** A question and no setting at all. */
  plain: async ({ open }) => ok(await ask(open({ say }).engine, question)),

  /** Settings that a user gave, and a system message. */
  settings: async ({ open }) => ok(await ask(open({ say }).engine, [system, user], settings)),

  /** A blank system message, as the preset `paper` has it, one later on, and two turns of one role. */
  turns: async ({ open }) => {
    const turns: Message[] = [user, { role: 'assistant', content: '43.' }, system, user, user]
    const { engine } = open({ say })
    const { ends, warnings } = await complete(engine, { messages: [{ role: 'system', content: '\n' }, user] })
    assert.equal(ends[0]?.text, text)
    const { cell, warnings: more } = ok(await ask(engine, turns))
    return { cell, warnings: [...warnings, ...more] }
  },

  /** Text comes while it is made. */
  streamed: async ({ open }) => {
    const { engine } = open({ say })
    let pieces = 0
    const { ends, warnings } = await complete(engine, {}, () => pieces++)
    assert.equal(ends[0]?.text, text)
    const isCounted = ends[0]?.usage.estimated === undefined
    return { cell: pieces === 1 ? 'comes whole' : isCounted ? 'ok' : 'counts estimated', warnings }
  },

  /** The same without streams. */
  whole: async ({ open }) => {
    const off = { extraBody: { stream: false, stream_options: undefined } }
    const { ends, warnings } = await complete(open({ say }, off).engine)
    assert.equal(ends[0]?.text, text)
    const called = await complete(open({ say: () => ({ calls }) }, off).engine, { tools })
    assertCalls(called.ends[0]?.toolCalls)
    return { cell: 'ok', warnings }
  },

  /** Three completions of one prompt, once the engine knows the server. */
  n: async ({ open }) => {
    const { engine, taken } = open({ say })
    const { warnings } = await complete(engine, { n: 3 })
    const before = taken.length
    const { ends } = await complete(engine, { n: 3 })
    assert.deepEqual(
      ends.map((end) => end.text),
      [text, text, text],
    )
    const requests = taken.length - before
    return { cell: requests === 1 ? 'ok' : `${requests} requests`, warnings }
  },

  /** The model calls two tools; then it gets their results, and writes. Proposers see no tools. */
  tools: async ({ dialect, open }) => {
    if (dialect.hasNoTools) return { cell: 'no tools', warnings: [] }
    const { engine } = open({
      say: ({ body }) =>
        body.tools && !hasResults(body.messages) ? { reasoning: thoughts, calls } : { text },
    })
    const first = await ask(engine, { messages: [system, user], tools })
    assertCalls(first.toolCalls)
    const called: Message = { role: 'assistant', content: null, tool_calls: first.toolCalls }
    const results = (first.toolCalls ?? []).map(({ id }, i): Message => {
      return { role: 'tool', tool_call_id: id, content: i === 0 ? '12 degrees' : 'noon' }
    })
    const second = await ask(engine, { messages: [system, user, called, ...results], tools })
    assert.equal(second.answer, text)
    return ok(second)
  },

  /** What a client of another model brings: long ids of calls, names, parts, fields of answers, a user after a tool. */
  history: async ({ dialect, open }) => {
    const id = 'toolu_01A09q90qw90lq917835lq9'
    const call = { id, type: 'function' as const, function: calls[0] as Called }
    const turns: Message[] = [
      system,
      { role: 'user', name: 'Ada Lovelace', content: [{ type: 'text', text: 'Weather in Oslo?' }] },
      { role: 'assistant', content: null, refusal: null, annotations: [], tool_calls: [call] },
      { role: 'tool', tool_call_id: id, content: '12 degrees' },
      user,
    ]
    return ok(await ask(open({ say }).engine, { messages: turns, ...(!dialect.hasNoTools && { tools }) }))
  },

  /** A JSON schema for the answer. */
  schema: async ({ open }) => {
    const { engine, taken } = open({ say: () => ({ text: '{"answer":42}' }) })
    const schema = { type: 'object', properties: { answer: { type: 'number' } }, required: ['answer'] }
    const responseFormat = { type: 'json_schema' as const, json_schema: { name: 'answer', schema } }
    const result = await ask(engine, { messages: [user], responseFormat })
    assert.equal(result.answer, '{"answer":42}')
    const sent = taken.at(-1)?.body.response_format as { type: string } | undefined
    return { ...ok(result), cell: sent?.type === 'json_schema' ? 'ok' : (sent?.type ?? 'in words') }
  },

  /** A model that thinks, and how much it may. */
  reasoning: async ({ dialect, open }) => {
    const { engine } = open({ say: () => ({ reasoning: thoughts, text }) })
    const { ends, warnings } = await complete(engine, { sampling: { reasoning: 'low', maxTokens: 200 } })
    const isShown = dialect.showsReasoning || dialect.reasoningIn !== undefined
    assert.deepEqual([ends[0]?.reasoning, ends[0]?.text], [isShown ? thoughts : undefined, text])
    return { cell: isShown ? 'ok' : 'not shown', warnings }
  },

  /** The token limit ends an answer. */
  limit: async ({ open }) => {
    const { engine } = open({ say: () => ({ text, isCut: true }) })
    const { ends, warnings } = await complete(engine, { sampling: { maxTokens: 8 } })
    assert.deepEqual([ends[0]?.text, ends[0]?.finishReason], [text, 'length'])
    return { cell: 'ok', warnings }
  },

  /** Proposals that do not fit into the context of the aggregator. */
  'too long': async ({ dialect, open }) => {
    const draft = `It may be 42. ${Array.from({ length: 900 }, (_, i) => `Step ${i}: ${i * 7}.`).join(' ')} ${text}`
    const { engine } = open({
      say: ({ body }) => ({ text: isAggregating(body) ? text : draft }),
      context: 4096,
    })
    const result = await ask(engine, question, { maxTokens: 100 })
    assert.equal(result.answer, text)
    const isTrimmed = result.layers.flat().length > 0 && JSON.stringify(result.layers).includes('trimmedTo')
    assert.equal(isTrimmed, dialect.tooLong !== undefined)
    return { ...ok(result), cell: isTrimmed ? 'trimmed' : 'cut there' }
  },

  /** A server that has too much to do, twice. */
  busy: async ({ open }) => {
    const { engine, taken } = open({ say, faults: ['busy', 'busy'] })
    const { ends, warnings } = await complete(engine)
    assert.deepEqual([ends[0]?.text, taken.length], [text, 1])
    return { cell: 'ok', warnings }
  },

  /** An error within an answer that began well: one that may pass, and one that will not. */
  error: async ({ open }) => {
    const passing = open({ say, faults: [{ message: 'The server is overloaded, try again', status: 503 }] })
    const { ends, warnings } = await complete(passing.engine)
    assert.deepEqual([ends[0]?.text, passing.taken.length], [text, 2])
    const message = 'The key is not allowed to use this model'
    const final = open({ say, faults: [{ message, status: 403 }] })
    const { failures } = await complete(final.engine)
    assert.ok(failures[0]?.message.includes(message), `told as: ${failures[0]?.message}`)
    assert.equal(final.taken.length, 1, 'it was asked again')
    return { cell: 'ok', warnings }
  },

  /** A connection that breaks within an answer. */
  broken: async ({ open }) => {
    const { engine, taken } = open({ say, faults: ['cut'] })
    const { ends, warnings } = await complete(engine)
    assert.deepEqual([ends[0]?.text, taken.length], [text, 2])
    return { cell: 'ok', warnings }
  },
}

type Asking =
  | string
  | Message[]
  | { messages: Message[]; tools?: Tool[]; responseFormat?: CompletionRequest['responseFormat'] }

/** Two proposals and an answer. */
async function ask(engine: Opened['engine'], prompt: Asking, options: Partial<AnswerOptions> = {}) {
  const result = await answer(prompt, { engine, width: 2, depth: 1, ...options })
  assert.equal(result.degraded, false, `degraded: ${result.degradedBecause}`)
  return result
}

function ok({ answer, warnings = [] }: { answer: string; warnings?: string[] }): Outcome {
  assert.ok(answer === text || answer.startsWith('{'), `answered ${answer}`)
  return { cell: 'ok', warnings }
}

/** All completions of one request. */
async function complete(
  engine: Opened['engine'],
  { n = 1, ...more }: Partial<CompletionRequest> = {},
  onText?: () => void,
) {
  const ends: CompletionEnd[] = []
  const failures: EngineError[] = []
  const seeds = Array.from({ length: n }, (_, i) => 100 + i)
  const request = { messages: [user], n, seeds, sampling: {}, ...more }
  for await (const event of engine.generate(request)) {
    if (event.type === 'completion-delta') onText?.()
    if (event.type === 'completion-end') ends.push(event)
    if (event.type === 'completion-failed') failures.push(event.error)
  }
  return { ends, failures, warnings: ends.flatMap((end) => end.warnings ?? []) }
}

function assertCalls(made: { function: Called }[] | undefined): void {
  assert.deepEqual(
    made?.map((call) => call.function),
    calls,
  )
}

const hasResults = (messages: Message[]) => messages.some(({ role }) => role === 'tool')

function isAggregating({ messages }: Asked['body']): boolean {
  return JSON.stringify(messages).includes('It may be 42.')
}
