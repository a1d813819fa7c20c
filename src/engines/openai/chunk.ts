/** What a chunk of an answer says, in whatever of the usual forms it comes. */
import { stringify } from '../upstream/error-body.ts'
import { asFields, type Fields, isFields, NONE } from './fields.ts'

/** One event of a stream, or a whole answer. Servers send anything: only the functions below read it. */
export type Chunk = Fields

/** What a chunk says of one completion. */
export type Choice = Fields

/** A token and its log probability. */
export interface WireScore {
  token: string
  logprob: number
  top_logprobs?: { token: string; logprob: number }[]
}

/** The chunk within a chunk: some gateways wrap what they pass on. */
export function unwrap(chunk: Chunk): Chunk {
  if (chunk.choices || chunk.error) return chunk
  for (const name of ['data', 'result', 'response', 'output', 'body']) {
    const inner = chunk[name]
    if (isFields(inner) && inner.choices) return inner
  }
  return isFields(chunk.message) && typeof chunk.done === 'boolean' ? fromOllama(chunk, chunk.message) : chunk
}

/** A line of Ollama's own interface, which some gateways pass on. */
function fromOllama(chunk: Chunk, delta: Fields): Chunk {
  const { done, done_reason: reason, prompt_eval_count, eval_count } = chunk
  const usage = { prompt_tokens: prompt_eval_count, completion_tokens: eval_count }
  const choice = { index: 0, delta, finish_reason: done ? (reason ?? 'stop') : null }
  return { choices: [choice], ...(eval_count !== undefined && { usage }) }
}

/** The choices of a chunk: a list, a map by number, one alone, or none. */
export function choicesOf({ choices }: Chunk): Choice[] {
  if (Array.isArray(choices)) return choices
  if (!isFields(choices)) return []
  const isOne = ['delta', 'message', 'text', 'finish_reason'].some((name) => name in choices)
  return isOne ? [choices] : Object.values(choices).filter(isFields)
}

/**
 * The error that a chunk is or holds; undefined if it is none. An object without choices that has a message and no
 * usage is an error, whatever its fields are called.
 */
export function errorIn(chunk: Chunk): unknown {
  const { choices } = chunk
  const error = chunk.error || asFields(chunk.x_groq).error
  if (error && !isEmpty(error)) return typeof error === 'object' ? error : { ...chunk, error }
  if (chunk.object === 'error' || isTypeOfError(chunk.type)) return chunk
  if (Array.isArray(choices) ? choices.length > 0 : choices) return undefined
  const { status_code: code } = asFields(chunk.base_resp)
  if (code) return chunk
  if (chunk.usage) return undefined
  const says = (name: string) => typeof chunk[name] === 'string' || isFull(chunk[name])
  if (choices) return SAYS_ERROR.some(says) ? chunk : undefined
  const exception = Object.keys(chunk).find((name) => /exception$/i.test(name) && isFull(chunk[name]))
  if (exception) return chunk[exception]
  return [...SAYS_ERROR, ...SAYS_WHY].some(says) ? chunk : undefined
}

function isTypeOfError(type: unknown): boolean {
  return Boolean(type) && /(^|[._])(error|failed)$/.test(String(type))
}

const isEmpty = (value: unknown) => typeof value === 'object' && !isFull(value)

const SAYS_ERROR = ['errors', 'error_msg', 'error_message', 'errorMessage', 'error_description', 'detail']
const SAYS_WHY = ['message', 'msg', 'Message', 'reason', 'title', 'Response']

function isFull(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0
}

/** The piece of a completion that a choice brings. `isWhole` if it is all of it and not the next piece. */
export function pieceOf(choice: Choice): { piece: Fields; isWhole: boolean } {
  const { delta, message, text } = choice
  const hasOther = Boolean(message || text)
  if (isFields(delta) && !(hasOther && isBare(delta))) return { piece: delta, isWhole: false }
  if (isFields(message)) return { piece: message, isWhole: true }
  // A text, or parts, in place of an object.
  const content = (isFields(delta) ? undefined : delta) || message || text
  return { piece: content === undefined ? NONE : { content }, isWhole: !delta && Boolean(message) }
}

/** Whether a delta says nothing but a role: then what stands beside it counts. */
function isBare(delta: Fields): boolean {
  return Object.entries(delta).every(([name, value]) => name === 'role' || isNothing(value))
}

const isNothing = (value: unknown) => value === null || value === undefined || value === ''

/** Text and reasoning of a piece, in whatever fields and parts they stand. */
export interface Words {
  reasoning: string
  content: string
}

/** Reads the text and the reasoning of a piece. If several fields hold the same reasoning, it counts once. */
export function readWords(piece: Fields, choice: Choice = NONE): Words {
  const { content } = piece
  const words = { reasoning: '', content: '' }
  // Most pieces are a text and nothing else.
  if (Object.keys(piece).some(isForReasoning)) words.reasoning = readReasoning(piece)
  if (Object.keys(choice).some(isForReasoning)) words.reasoning ||= readReasoning(choice)
  if (typeof content === 'string' && content !== '') words.content = content
  else if (content || content === 0 || content === false) addParts(content, words)
  if (words.content === '' && typeof piece.refusal === 'string') words.content = piece.refusal
  return words
}

/** From the first field that holds any: several may hold the same. */
function readReasoning(piece: Fields): string {
  for (const name of [...REASONING_FIELDS, ...Object.keys(piece).filter(isForReasoning)]) {
    const reasoning = piece[name] ? joinText(piece[name]) : ''
    if (reasoning !== '') return reasoning
  }
  const inner = piece.provider_specific_fields
  return isFields(inner) ? readReasoning(inner) : ''
}

/** Whether a field has a name that some server may give to reasoning. */
function isForReasoning(name: string): boolean {
  return (
    /reason|think|thought|^cot$|^analysis$|provider_specific/i.test(name) &&
    !/signature|effort|finish|stop/i.test(name)
  )
}

const REASONING_FIELDS = [
  'reasoning_content',
  'reasoning',
  'thinking',
  'reasoning_text',
  'reasoning_details',
  'thinking_blocks',
]

/** Parts within parts, and text within them. What is deeper is no text. */
const MAX_DEPTH = 8

/** Adds content that is a list of parts, or one part. */
function addParts(content: unknown, words: Words, depth = 0): void {
  if (depth > MAX_DEPTH) return
  for (const part of Array.isArray(content) ? content : [content]) {
    // JSON that a gateway has parsed: a number, or an object without a text.
    if (typeof part !== 'object') words.content += String(part)
    if (!isFields(part)) continue
    const isReasoning = typeof part.type === 'string' && /thinking|reasoning|thought/.test(part.type)
    if (isReasoning || part.thought === true) words.reasoning += joinText(part)
    else if (Array.isArray(part.parts)) addParts(part.parts, words, depth + 1)
    else if (!('type' in part) && !PART_FIELDS.some((name) => name in part)) words.content += stringify(part)
    else words.content += joinText(part.text ?? part.refusal ?? part.content ?? '')
  }
}

const PART_FIELDS = ['text', 'refusal', 'content', 'parts']

/** All text in a value of parts, in order. */
function joinText(value: unknown, depth = 0): string {
  if (typeof value === 'string') return value
  if (depth > MAX_DEPTH) return ''
  if (Array.isArray(value)) return value.map((item) => joinText(item, depth + 1)).join('')
  if (!isFields(value)) return ''
  const inner = value.text ?? value.thinking ?? value.reasoning ?? value.summary ?? value.content
  return joinText(inner ?? value.value ?? '', depth + 1)
}

/** The word with which a choice ends; undefined while it does not. */
export function finishOf(choice: Choice): string | undefined {
  const fields = asFields(choice)
  const reason = 'finish_reason' in fields ? fields.finish_reason : otherFinish(fields)
  if (isFields(reason)) return finishOf({ finish_reason: reason.type ?? reason.reason })
  return typeof reason === 'string' && reason !== '' && reason !== 'null' ? reason : undefined
}

/** Where servers without the field put it. */
function otherFinish({ finishReason, stop_reason: stop, delta, message }: Choice): unknown {
  return finishReason ?? stop ?? asFields(delta).finish_reason ?? asFields(message).finish_reason
}

/** The log probabilities that a choice brings. */
export function scoresOf({ logprobs }: Choice): readonly WireScore[] {
  if (!logprobs) return NO_SCORES
  const { content } = asFields(logprobs)
  return (Array.isArray(content) ? content : scoresOfText(asFields(logprobs))).filter(isScore).map(cutScore)
}

/** Those of raw text are lists side by side, and the alternatives a record by token. */
function scoresOfText({ tokens, token_logprobs: logprobs, top_logprobs: top }: Fields): Fields[] {
  if (!Array.isArray(tokens) || !Array.isArray(logprobs)) return []
  const bestOf = (i: number) =>
    Object.entries(asFields(Array.isArray(top) ? top[i] : undefined))
      .map(([token, logprob]) => ({ token, logprob }))
      .sort((a, b) => Number(b.logprob) - Number(a.logprob))
  return tokens.map((token, i) => ({ token, logprob: logprobs[i], top_logprobs: bestOf(i) }))
}

function isScore(score: unknown): score is WireScore {
  const { token, logprob } = asFields(score)
  return typeof token === 'string' && typeof logprob === 'number'
}

const MAX_ALTERNATIVES = 20

function cutScore({ token, logprob, top_logprobs: top }: WireScore): WireScore {
  if (!Array.isArray(top)) return { token, logprob }
  return { token, logprob, top_logprobs: top.filter(isScore).slice(0, MAX_ALTERNATIVES) }
}

const NO_SCORES: readonly WireScore[] = []

/** What the server counted. */
export interface WireUsage {
  prompt_tokens?: number
  completion_tokens?: number
  cached_tokens?: number
  reasoning_tokens?: number
  /** US dollars (OpenRouter). */
  cost?: number
}

/** Where a chunk holds figures: in a field of its own, in Groq's, or in its choice (Moonshot). */
export function findUsage({ usage, x_groq: groq }: Chunk, choice: Choice | undefined): unknown {
  return usage || (groq && asFields(groq).usage) || choice?.usage
}

/** Figures in numbers, undefined without any. Those that are texts are read as numbers. */
export function usageOf(usage: unknown): WireUsage | undefined {
  if (!isFields(usage)) return undefined
  const prompt = asFields(usage.prompt_tokens_details ?? usage.input_tokens_details)
  const completion = asFields(usage.completion_tokens_details ?? usage.output_tokens_details)
  return {
    prompt_tokens: toTokens(usage.prompt_tokens ?? usage.input_tokens),
    completion_tokens: toTokens(usage.completion_tokens ?? usage.output_tokens),
    cached_tokens: toTokens(prompt.cached_tokens ?? usage.prompt_cache_hit_tokens),
    reasoning_tokens: toTokens(completion.reasoning_tokens ?? usage.reasoning_tokens),
    cost: toNumber(usage.cost),
  }
}

/** No answer has more tokens, or costs more: a figure above it is a mistake. */
const MOST = 1e9

function toNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && number >= 0 && number <= MOST ? number : undefined
}

function toTokens(value: unknown): number | undefined {
  const number = toNumber(value)
  return number === undefined ? undefined : Math.round(number)
}
