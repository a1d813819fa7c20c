/** What a chunk of an answer says, in whatever of the usual forms it comes. */
import type { Fields } from './framing.ts'

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

/** The value as a record; an empty one if it is none. */
export function asFields(value: unknown): Fields {
  return isFields(value) ? value : NONE
}

const NONE: Fields = Object.freeze({})

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The choices of a chunk: a list, one alone, or none. */
export function choicesOf({ choices }: Chunk): Choice[] {
  if (Array.isArray(choices)) return choices
  return isFields(choices) ? [choices] : []
}

/**
 * The error that a chunk is or holds; undefined if it is none. An object without choices that has a message and no
 * usage is an error, whatever its fields are called.
 */
export function errorIn(chunk: Chunk): unknown {
  const { error, choices } = chunk
  if (error) return typeof error === 'object' ? error : chunk
  if (chunk.object === 'error' || chunk.type === 'error') return chunk
  if (Array.isArray(choices) ? choices.length > 0 : choices) return undefined
  const { status_code: code } = asFields(chunk.base_resp)
  if (code) return chunk
  if (choices || chunk.usage) return undefined
  return SAYS_WHY.some((name) => typeof chunk[name] === 'string' || isFull(chunk[name])) ? chunk : undefined
}

const SAYS_WHY = [
  'message',
  'msg',
  'detail',
  'errors',
  'error_msg',
  'error_message',
  'errorMessage',
  'Response',
]

function isFull(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0
}

/** The piece of a completion that a choice brings. `isWhole` if it is all of it and not the next piece. */
export function pieceOf(choice: Choice): { piece: Fields; isWhole: boolean } {
  if (isFields(choice.delta)) return { piece: choice.delta, isWhole: false }
  if (isFields(choice.message)) return { piece: choice.message, isWhole: true }
  return { piece: choice.text === undefined ? NONE : { content: choice.text }, isWhole: false }
}

/** Text and reasoning of a piece, in whatever fields and parts they stand. */
export interface Words {
  reasoning: string
  content: string
}

/** Reads the text and the reasoning of a piece. If several fields hold the same reasoning, it counts once. */
export function readWords(piece: Fields): Words {
  const { content } = piece
  const words = { reasoning: '', content: '' }
  // Most pieces are a text and nothing else.
  if (holdsReasoning(piece)) words.reasoning = readReasoning(piece)
  if (typeof content === 'string' && content !== '') words.content = content
  else if (content) addParts(content, words)
  if (words.content === '' && typeof piece.refusal === 'string') words.content = piece.refusal
  return words
}

function holdsReasoning(piece: Fields): boolean {
  const { reasoning_content: first, reasoning, thinking, reasoning_text: text } = piece
  return Boolean(first || reasoning || thinking || text || piece.reasoning_details || piece.thinking_blocks)
}

/** From the first field that holds any: several may hold the same. */
function readReasoning(piece: Fields): string {
  for (const name of REASONING_FIELDS) {
    const reasoning = piece[name] ? joinText(piece[name]) : ''
    if (reasoning !== '') return reasoning
  }
  return ''
}

const REASONING_FIELDS = [
  'reasoning_content',
  'reasoning',
  'thinking',
  'reasoning_text',
  'reasoning_details',
  'thinking_blocks',
]

/** Adds content that is a list of parts, or one part. */
function addParts(content: unknown, words: Words): void {
  for (const part of Array.isArray(content) ? content : [content]) {
    if (typeof part === 'string') words.content += part
    if (!isFields(part)) continue
    const isReasoning = typeof part.type === 'string' && /thinking|reasoning|thought/.test(part.type)
    if (isReasoning || part.thought === true) words.reasoning += joinText(part)
    else if (Array.isArray(part.parts)) addParts(part.parts, words)
    else words.content += joinText(part.text ?? part.refusal ?? part.content ?? '')
  }
}

/** All text in a value of parts, in order. */
function joinText(value: unknown): string {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.map(joinText).join('')
  if (!isFields(value)) return ''
  const inner = value.text ?? value.thinking ?? value.reasoning ?? value.summary ?? value.content
  return joinText(inner ?? value.value ?? '')
}

/** The word with which a choice ends; undefined while it does not. */
export function finishOf({ finish_reason: reason }: Choice): string | undefined {
  return typeof reason === 'string' && reason !== '' && reason !== 'null' ? reason : undefined
}

/** The log probabilities that a choice brings. */
export function scoresOf({ logprobs }: Choice): readonly WireScore[] {
  if (!logprobs) return NO_SCORES
  const { content } = asFields(logprobs)
  return Array.isArray(content) ? content.filter((score) => typeof score?.token === 'string') : []
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
    prompt_tokens: toNumber(usage.prompt_tokens ?? usage.input_tokens),
    completion_tokens: toNumber(usage.completion_tokens ?? usage.output_tokens),
    cached_tokens: toNumber(prompt.cached_tokens ?? usage.prompt_cache_hit_tokens),
    reasoning_tokens: toNumber(completion.reasoning_tokens ?? usage.reasoning_tokens),
    cost: toNumber(usage.cost),
  }
}

function toNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && number >= 0 && Number.isFinite(number) ? number : undefined
}
