/** Lines of batch files: requests of OpenAI, Mistral and Anthropic, and their results. */
import { textOf } from '../../core/provider/engine.ts'
import { asFields, asList, type Fields, type Response, wrong } from '../rows/row.ts'
import { type Form, isFields, isGiven, isSet } from './form.ts'
import { readAsked } from './question.ts'

/** Settings of a request or a row that a run takes, by the names of the wire. */
const READ = ['messages', 'system', 'tools', 'tool_choice', 'response_format', 'stop', 'seed', 'n']
  .concat('temperature', 'top_p', 'top_k', 'min_p', 'frequency_penalty', 'presence_penalty')
  .concat('max_tokens', 'max_completion_tokens', 'reasoning_effort', 'parallel_tool_calls')

/** What would change the question or the answer, and is not supported. */
export const unsupported = ['functions', 'function_call', 'images', 'image', 'videos', 'audios'].concat(
  'logit_bias',
  'logprobs',
  'top_logprobs',
  'best_of',
  'modalities',
  'audio',
)

/** Fields of a request that are read, or say nothing of the answer: the model is the command's. */
const KNOWN = new Set(
  READ.concat(unsupported)
    .concat('model', 'stream', 'stream_options', 'user', 'metadata', 'store', 'service_tier')
    .concat('prompt_cache_key', 'safety_identifier'),
)

/**
 * The request of a batch file's line (OpenAI's and Mistral's `body`, Anthropic's `params`), else the row itself.
 * @throws RowProblem for a request of another endpoint, or with fields that a run does not know
 */
export function requestOf(row: Fields): Fields {
  if (!isGiven(row.custom_id) || isGiven(row.response ?? row.result)) return row
  const name = isGiven(row.params) ? 'params' : 'body'
  const request = row[name]
  if (!isFields(request)) throw wrong(`\`${name}\` to be the request of \`custom_id\``, request)
  if (isGiven(row.url) && !/\/chat\/completions$/.test(String(row.url)))
    throw wrong('`url` to be /v1/chat/completions', row.url)
  const unknown = Object.keys(request).filter((field) => isSet(request[field]) && !KNOWN.has(field))
  const [first] = unknown
  if (first !== undefined)
    throw wrong(`\`${name}\` without ${unknown.join(', ')}, which a run does not support`, request[first])
  return request
}

/** A request of a batch file. A reply that it has begun is a part of the question. */
export const batchRequest: Form = {
  name: 'batch requests',
  fields: '{custom_id, body: {messages}} or {custom_id, params: {messages}}',
  fits: (row) => isGiven(row.custom_id) && !isGiven(row.response ?? row.result ?? row.error),
  ask: (row) => readAsked(requestOf(row), true).messages,
}

/**
 * The answers in the result of a batch; none if the request failed.
 * @throws RowProblem for a result that cannot be read
 */
export function readResult(row: Fields): Response[] {
  const { response, result } = row
  if (isFields(result)) return isFields(result.message) ? [readMessage(result.message)] : []
  const body = isFields(response) ? response.body : undefined
  if (isGiven(row.error) || !isFields(body) || !isGiven(body.choices)) return []
  return asList(body.choices, 'response.body.choices').map((choice, i) => {
    const { message } = asFields(choice, `response.body.choices[${i}]`)
    return { text: contentOf(asFields(message, 'message')), model: modelOf(body) }
  })
}

const modelOf = ({ model }: Fields) => (typeof model === 'string' && model !== '' ? model : 'unknown')
const readMessage = (message: Fields): Response => ({ text: contentOf(message), model: modelOf(message) })

function contentOf({ content }: Fields): string {
  if (isGiven(content) && typeof content !== 'string' && !Array.isArray(content))
    throw wrong('`content` to be text or a list of parts', content)
  return textOf({ role: 'assistant', content: content as string })
}
