/** From the stream parts of an AI SDK language model (specifications v2 to v4) to engine events. */
import type {
  LanguageModelV2StreamPart,
  LanguageModelV2Usage,
  LanguageModelV3StreamPart,
  LanguageModelV4StreamPart,
  LanguageModelV4Usage,
} from '@ai-sdk/provider'
import type {
  CompletionEnd,
  EngineEvent,
  FinishReason,
  Message,
  ToolCall,
  Usage,
} from '../../core/provider/engine.ts'
import { textOf } from '../../core/provider/engine.ts'
import { EngineError } from '../../core/provider/errors.ts'
import { createReasoningSplitter, type ReasoningPart } from '../reasoning.ts'
import { errorFromConnection, errorFromStatus } from '../upstream-error.ts'

export type StreamPart = LanguageModelV2StreamPart | LanguageModelV3StreamPart | LanguageModelV4StreamPart
type FinishPart = Extract<StreamPart, { type: 'finish' }>

/** What a stream has brought so far, with the events that tell of it. */
interface Transcript {
  take(part: StreamPart): Iterable<EngineEvent>
  /** The events that were kept back. */
  end(): Iterable<EngineEvent>
  readonly text: string
  readonly reasoning: string
  readonly toolCalls: ToolCall[]
}

/**
 * Yields the deltas of one completion and returns its end; `usage` counts one call.
 * @throws EngineError for an error part, and for a stream that ends without a finish or finishes as broken
 */
export async function* readCompletion(
  engine: string,
  index: number,
  messages: Message[],
  parts: AsyncIterable<StreamPart>,
): AsyncGenerator<EngineEvent, CompletionEnd> {
  const transcript = createTranscript(index)
  let finish: FinishPart | undefined
  for await (const part of parts) {
    if (part.type === 'error') throw toEngineError(engine, part.error)
    if (part.type === 'finish') finish = part
    else yield* transcript.take(part)
  }
  const finishReason = finish && toFinishReason(finish.finishReason)
  if (!finish || !finishReason) throw brokenStream(engine, finish)
  yield* transcript.end()
  const { text, reasoning, toolCalls } = transcript
  return {
    type: 'completion-end',
    index,
    text,
    ...(reasoning && { reasoning }),
    ...(toolCalls.length > 0 && { toolCalls }),
    finishReason: finishReason === 'stop' && toolCalls.length > 0 ? 'tool-calls' : finishReason,
    usage: toUsage(finish.usage, transcript, messages),
  }
}

function createTranscript(index: number): Transcript {
  const pieces: [ReasoningPart, string][] = []
  const splitter = createReasoningSplitter((part, text) => pieces.push([part, text]))
  const calls = new Map<string, ToolCall>()
  let [text, reasoning] = ['', '']

  function* tell(): Generator<EngineEvent> {
    for (const [part, text] of pieces.splice(0)) {
      if (part === 'text') yield* say(text)
      else if (part === 'reasoning') yield* think(text)
      else yield* rethink()
    }
  }
  function* say(delta: string): Generator<EngineEvent> {
    text += delta
    if (delta) yield { type: 'completion-delta', index, text: delta }
  }
  function* think(delta: string): Generator<EngineEvent> {
    reasoning += delta
    if (delta) yield { type: 'reasoning-delta', index, text: delta }
  }
  /** All text was reasoning: everything is told anew. */
  function* rethink(): Generator<EngineEvent> {
    const thoughts = reasoning + text
    ;[text, reasoning] = ['', '']
    yield { type: 'completion-restarted', index, reason: 'the text so far was reasoning' }
    yield* think(thoughts)
    for (const [position, call] of [...calls.values()].entries()) {
      yield { type: 'tool-call-delta', index, delta: { position, id: call.id, ...call.function } }
    }
  }
  function* startCall(id: string, name: string): Generator<EngineEvent> {
    const position = calls.size
    calls.set(id, { id, type: 'function', function: { name, arguments: '' } })
    yield { type: 'tool-call-delta', index, delta: { position, id, name } }
  }
  function* growCall(id: string, piece: string): Generator<EngineEvent> {
    const call = calls.get(id)
    if (!call || !piece) return
    call.function.arguments += piece
    const position = [...calls.keys()].indexOf(id)
    yield { type: 'tool-call-delta', index, delta: { position, arguments: piece } }
  }
  function* take(part: StreamPart): Generator<EngineEvent> {
    if (part.type === 'text-delta') {
      splitter.push(part.delta)
      yield* tell()
    } else if (part.type === 'reasoning-delta') yield* think(part.delta)
    else if (part.type === 'tool-input-start') {
      // A provider runs its own tools itself; raw text becomes JSON only in the call that follows.
      const isText = 'inputEncoding' in part && part.inputEncoding === 'text'
      if (!part.providerExecuted && !isText) yield* startCall(part.id, part.toolName)
    } else if (part.type === 'tool-input-delta') yield* growCall(part.id, part.delta)
    else if (part.type === 'tool-call' && !part.providerExecuted) {
      if (!calls.has(part.toolCallId)) yield* startCall(part.toolCallId, part.toolName)
      if (!calls.get(part.toolCallId)?.function.arguments) yield* growCall(part.toolCallId, part.input)
    }
  }
  return {
    take,
    end() {
      splitter.end()
      return tell()
    },
    get text() {
      return text
    },
    get reasoning() {
      return reasoning
    },
    get toolCalls() {
      return [...calls.values()]
    },
  }
}

/** Undefined where the stream broke: half an answer is no answer. */
function toFinishReason(reason: FinishPart['finishReason']): FinishReason | undefined {
  const [unified, raw] = typeof reason === 'string' ? [reason, reason] : [reason.unified, reason.raw]
  if (unified === 'unknown' || unified === 'error' || unified === 'interrupted') return undefined
  if (unified !== 'other') return unified
  return raw === undefined || /abort|cancel|error|interrupt/i.test(raw) ? undefined : 'stop'
}

function brokenStream(engine: string, finish: FinishPart | undefined): EngineError {
  const reason =
    finish && (typeof finish.finishReason === 'string' ? finish.finishReason : finish.finishReason.raw)
  const problem = reason ? `the stream finished as "${reason}"` : 'the stream ended without a finish reason'
  return new EngineError(engine, 'server', `${problem}: an answer may be cut there, and is not taken`)
}

const BYTES_PER_TOKEN = 4

/** What the provider does not tell, or tells as 0 for something, is estimated. */
function toUsage(
  usage: LanguageModelV2Usage | LanguageModelV4Usage,
  { text, reasoning, toolCalls }: Transcript,
  messages: Message[],
): Usage {
  const told = readUsage(usage)
  const written = [text, reasoning, ...toolCalls.map((call) => call.function.name + call.function.arguments)]
  const inputTokens = told.input || estimateTokens(messages.map(textOf))
  const outputTokens = told.output || estimateTokens(written)
  return {
    calls: 1,
    inputTokens,
    prefilledTokens: told.input && told.cached !== undefined ? Math.max(0, told.input - told.cached) : null,
    outputTokens,
    ...(told.reasoning !== undefined && { reasoningTokens: told.reasoning }),
    ...(typeof told.cost === 'number' && { cost: told.cost }),
    ...((inputTokens !== told.input || outputTokens !== told.output) && { estimated: true }),
    sharedBy: 1,
  }
}

function estimateTokens(texts: string[]): number {
  return Math.ceil(Buffer.byteLength(texts.join('')) / BYTES_PER_TOKEN)
}

function readUsage(usage: LanguageModelV2Usage | LanguageModelV4Usage) {
  if (typeof usage.inputTokens === 'object') {
    const { inputTokens, outputTokens, raw } = usage as LanguageModelV4Usage
    const { total: input, cacheRead: cached } = inputTokens
    return { input, cached, output: outputTokens.total, reasoning: outputTokens.reasoning, cost: raw?.cost }
  }
  const { inputTokens, outputTokens, cachedInputTokens, reasoningTokens } = usage as LanguageModelV2Usage
  return { input: inputTokens, cached: cachedInputTokens, output: outputTokens, reasoning: reasoningTokens }
}

/** Any error of the AI SDK or of the network, thrown or in a part. */
export function toEngineError(engine: string, error: unknown): EngineError {
  if (error instanceof EngineError) return error
  const { name, statusCode, status, code, isRetryable, cause } = asRecord(error)
  const message =
    error instanceof Error ? error.message : String(asRecord(error).message ?? JSON.stringify(error))
  const number = [statusCode, status, code].find((n) => typeof n === 'number' && n >= 400 && n < 600)
  const more = { cause: error, ...(typeof isRetryable === 'boolean' && { isRetryable }) }
  if (typeof number === 'number') return errorFromStatus(engine, number, `${message}${excerpt(error)}`, more)
  if (name === 'AI_LoadAPIKeyError') return new EngineError(engine, 'auth', message, more)
  if (name === 'AI_NoSuchModelError') return new EngineError(engine, 'not-found', message, more)
  if (REFUSALS.has(String(name))) return new EngineError(engine, 'refused', message, more)
  if (name === 'TypeError' || cause instanceof Error) return errorFromConnection(engine, error)
  return new EngineError(engine, 'server', message, more)
}

const REFUSALS = new Set([
  'AI_UnsupportedFunctionalityError',
  'AI_InvalidPromptError',
  'AI_InvalidArgumentError',
  'AI_LoadSettingError',
])

/** The start of the body, where the message alone does not hold it. */
function excerpt(error: unknown): string {
  const { message, responseBody } = asRecord(error)
  if (typeof responseBody !== 'string' || !responseBody || responseBody.includes(String(message))) return ''
  return ` (${responseBody.slice(0, 300)})`
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)
    : { message: String(value) }
}
