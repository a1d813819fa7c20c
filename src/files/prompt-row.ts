/** One row of a prompt file: which question it asks, and what it says of the answer. Nothing of that is dropped silently. */
import type { Prompt } from '../core/plan.ts'
import {
  type Message,
  type ReasoningEffort,
  reasoningEfforts,
  type Sampling,
  textOf,
} from '../core/provider/engine.ts'
import type { DataError } from '../core/provider/errors.ts'
import type { OwnSettings } from '../plans/own-settings.ts'
import { type Fail, readMessages } from './messages.ts'

/** A prompt of a file; `dataset` is the part of a benchmark that its row names. */
export interface PromptRow extends Prompt {
  dataset?: string
  /** Sampling and seed that hold for this prompt only. */
  own?: OwnSettings
}

/** Makes the error that names the row. */
export type Wrong = (expected: string, got: unknown) => DataError

type Row = Record<string, unknown>

/** A row has exactly one of these fields, but see `chooseQuestion`. */
const QUESTIONS = ['messages', 'query', 'prompt', 'instruction', 'question'] as const

/** Settings of a row, by the names of the wire. */
const SAMPLING: Record<string, keyof Sampling> = {
  temperature: 'temperature',
  top_p: 'topP',
  top_k: 'topK',
  min_p: 'minP',
  frequency_penalty: 'frequencyPenalty',
  presence_penalty: 'presencePenalty',
  max_tokens: 'maxTokens',
  max_completion_tokens: 'maxTokens',
}

/** What would change the question or the answer, and is not supported. */
const REFUSED = [
  'functions',
  'function_call',
  'images',
  'image',
  'videos',
  'audios',
  'logit_bias',
  'logprobs',
  'top_logprobs',
  'best_of',
  'modalities',
  'audio',
]

/** Fields of a batch file's request that are read, or say nothing of the answer: the model is the command's. */
const OF_A_REQUEST = new Set(
  Object.keys(SAMPLING)
    .concat(REFUSED)
    .concat('messages', 'system', 'tools', 'tool_choice', 'response_format', 'stop', 'seed', 'n', 'model')
    .concat('stream', 'stream_options', 'user', 'metadata', 'store', 'service_tier', 'prompt_cache_key')
    .concat('safety_identifier', 'reasoning_effort', 'parallel_tool_calls'),
)

/**
 * Reads a row: `{prompt}`, `{instruction, input}`, `{messages}` or `{query: [messages]}`, with `system`, `history`, tools and
 * sampling of its own; or a line of a batch file, `{custom_id, body: {messages, …}}`.
 * @param line from 1; names a row without id
 * @throws what `wrong` makes, with the field that is wrong or not supported
 */
export function readPromptRow(value: unknown, line: number, wrong: Wrong): PromptRow {
  if (!isObject(value)) throw wrong('an object', value)
  const row = requestOf(value, wrong)
  refuseOthers(row, wrong)
  const { tools, tool_choice, parallel_tool_calls, response_format, stop } = row
  const { dataset } = value
  const { messages, isShared } = readConversation(row, wrong)
  const own = readOwn(row, wrong)
  return {
    id: readId(isShared && value.id == null ? { ...value, id: value.prompt_id } : value, line, wrong),
    messages,
    ...(isGiven(stop) && { stop: readStop(stop, wrong) }),
    ...(isGiven(tools) && { tools: tools as Prompt['tools'] }),
    ...(isGiven(tool_choice) && { toolChoice: tool_choice as Prompt['toolChoice'] }),
    ...(isGiven(parallel_tool_calls) && { parallelToolCalls: parallel_tool_calls === true }),
    ...(isGiven(response_format) && { responseFormat: readFormat(response_format, wrong) }),
    ...(typeof dataset === 'string' && { dataset }),
    ...(own && { own }),
  }
}

/** The request of a batch file's line (OpenAI's and Mistral's `body`, Anthropic's `params`), else the row itself. */
function requestOf(row: Row, wrong: Wrong): Row {
  if (row.custom_id === undefined) return row
  const name = row.params === undefined ? 'body' : 'params'
  const request = row[name]
  if (!isObject(request)) throw wrong(`\`${name}\` to be the request of \`custom_id\``, request)
  if (row.url !== undefined && !/\/chat\/completions$/.test(String(row.url)))
    throw wrong('`url` to be /v1/chat/completions', row.url)
  const unknown = Object.keys(request).filter((field) => isSet(request[field]) && !OF_A_REQUEST.has(field))
  const [first] = unknown
  if (first !== undefined)
    throw wrong(`\`${name}\` without ${unknown.join(', ')}, which a run does not support`, request[first])
  return request
}

function refuseOthers(row: Row, wrong: Wrong): void {
  if (isSet(row.n) && row.n !== 1) throw wrong('`n` to be 1: a run gives one answer per row', row.n)
  const found = REFUSED.find((field) => isSet(row[field]))
  if (found) throw wrong(`no \`${found}\`: a run does not support it`, row[found])
}

function readId({ id, custom_id }: Row, line: number, wrong: Wrong): string {
  const given = custom_id ?? id
  if (given === undefined || given === null) return String(line - 1)
  if (typeof given === 'string' || typeof given === 'number') return String(given)
  throw wrong(`\`${custom_id === undefined ? 'id' : 'custom_id'}\` to be a string or a number`, given)
}

/**
 * Reads what a row asks, as `readPromptRow` does, without what it says of the answer.
 * @throws what `wrong` makes
 */
export function readQuestion(row: Row, wrong: Fail): Message[] {
  return readConversation(row, wrong).messages
}

/** The messages; `isShared` if the row has them as a prompt and, with the answer, as messages. */
function readConversation(row: Row, wrong: Fail): { messages: Message[]; isShared: boolean } {
  const { field, isShared } = chooseQuestion(row, wrong)
  const value = row[field]
  const mayBeText = field === 'prompt' || field === 'instruction' || field === 'question'
  const isText = typeof value === 'string' && mayBeText
  const orText: Fail = (expected, got) => wrong(expected.replace(/(?=a list of messages$)/, 'text or '), got)
  if (isText && value.trim() === '') throw wrong(`\`${field}\` to hold text`, value)
  const asked = isShared
    ? upToQuestion(readMessages(row.messages, 'messages', wrong), row.prompt as string, wrong)
    : isText
      ? [{ role: 'user' as const, content: value + inputOf(row) }]
      : readMessages(value, field, mayBeText ? orText : wrong)
  return {
    messages: [...readSystem(row, asked, wrong), ...readHistory(row, isText, wrong), ...asked],
    isShared,
  }
}

/**
 * The field with the question. Some data sets have the prompt as text, and again with its answer as `messages`: the messages
 * up to that question are asked.
 */
function chooseQuestion(row: Row, wrong: Fail): { field: (typeof QUESTIONS)[number]; isShared: boolean } {
  const given = QUESTIONS.filter((field) => row[field] !== undefined && row[field] !== null)
  const [field] = given
  if (field === undefined) throw wrong(`one of the fields ${QUESTIONS.join(', ')}`, fieldsOf(row))
  const isShared = given.join() === 'messages,prompt' && typeof row.prompt === 'string'
  if (given.length > 1 && !isShared) throw wrong(`only one of the fields ${QUESTIONS.join(', ')}`, given)
  return { field, isShared }
}

/** The names of a row's fields, if it has some. */
function fieldsOf(row: Row): unknown {
  return Object.keys(row).length === 0 ? row : Object.keys(row)
}

function upToQuestion(messages: Message[], prompt: string, wrong: Fail): Message[] {
  const at = messages.findIndex(({ role }) => role === 'user')
  const first = messages[at]
  if (first && textOf(first).trim() === prompt.trim()) return messages.slice(0, at + 1)
  throw wrong('`prompt` to be the first user message of `messages`, or only one of both', prompt)
}

/** Instruction data of the Alpaca kind have the text that an instruction is about in a field of its own. */
function inputOf({ instruction, input }: Row): string {
  return instruction !== undefined && typeof input === 'string' && input !== '' ? `\n\n${input}` : ''
}

function readSystem({ system }: Row, asked: Message[], wrong: Fail): Message[] {
  if (!isSet(system)) return []
  const text = Array.isArray(system) ? textOf({ role: 'system', content: system }) : system
  if (typeof text !== 'string') throw wrong('`system` to be text', system)
  if (asked.some(({ role }) => role === 'system' || role === 'developer'))
    throw wrong('a system message in `system` or in the messages, not in both', system)
  return [{ role: 'system', content: text }]
}

/** Turns before an instruction: pairs of question and answer, or messages. */
function readHistory({ history }: Row, isText: boolean, wrong: Fail): Message[] {
  if (!isSet(history)) return []
  if (!isText)
    throw wrong('`history` with a prompt or an instruction; messages hold their own turns', history)
  if (!Array.isArray(history) || !history.every((turn) => isPair(turn)))
    return readMessages(history, 'history', wrong)
  return history.flatMap(([question, answer]): Message[] => [
    { role: 'user', content: question },
    { role: 'assistant', content: answer },
  ])
}

function isPair(turn: unknown): turn is [string, string] {
  return Array.isArray(turn) && turn.length === 2 && turn.every((text) => typeof text === 'string')
}

function readOwn(row: Row, wrong: Wrong): OwnSettings | undefined {
  const sampling: Partial<Sampling> = {}
  for (const [field, name] of Object.entries(SAMPLING)) {
    const value = row[field]
    if (!isGiven(value)) continue
    const isWhole = name === 'maxTokens' || name === 'topK'
    const isRight =
      typeof value === 'number' && (isWhole ? Number.isInteger(value) && value > 0 : value >= -2)
    if (!isRight) throw wrong(`\`${field}\` to be a ${isWhole ? 'whole number from 1' : 'number'}`, value)
    sampling[name] = value as never
  }
  const { seed, reasoning_effort: effort } = row
  if (isGiven(effort)) {
    if (!reasoningEfforts.some((known) => known === effort))
      throw wrong(`\`reasoning_effort\` to be one of ${reasoningEfforts.join(', ')}`, effort)
    sampling.reasoning = effort as ReasoningEffort
  }
  if (isGiven(seed) && !Number.isInteger(seed)) throw wrong('`seed` to be a whole number', seed)
  const own: OwnSettings = {
    ...(Object.keys(sampling).length > 0 && { sampling }),
    ...(isGiven(seed) && { seed: Math.abs(seed as number) }),
  }
  return Object.keys(own).length > 0 ? own : undefined
}

function readStop(stop: unknown, wrong: Wrong): string[] {
  const stops = typeof stop === 'string' ? [stop] : stop
  if (Array.isArray(stops) && stops.every((s) => typeof s === 'string')) return stops
  throw wrong('`stop` to be a string or a list of strings', stop)
}

function readFormat(format: unknown, wrong: Wrong): Prompt['responseFormat'] {
  const { type, json_schema: given } = isObject(format) ? format : {}
  if (type === 'text' || type === 'json_object') return { type }
  if (type !== 'json_schema')
    throw wrong('`response_format.type` to be text, json_object or json_schema', type ?? format)
  if (!isObject(given)) throw wrong('`response_format.json_schema` to be an object', given)
  if (isGiven(given.schema) && !isObject(given.schema))
    throw wrong('`response_format.json_schema.schema` to be a JSON schema', given.schema)
  return format as Prompt['responseFormat']
}

const isGiven = (value: unknown) => value !== undefined && value !== null

/** Data sets fill absent fields with nothing. */
function isSet(value: unknown): boolean {
  return isGiven(value) && value !== '' && value !== false && !(Array.isArray(value) && value.length === 0)
}

function isObject(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
