/** From the stream parts of an AI SDK language model (specifications v2 to v4) to engine events. */
import type {
  LanguageModelV2StreamPart,
  LanguageModelV2Usage,
  LanguageModelV3StreamPart,
  LanguageModelV4StreamPart,
  LanguageModelV4Usage,
} from '@ai-sdk/provider'
import type { CompletionEnd, EngineEvent, FinishReason, Message, Usage } from '../../core/provider/engine.ts'
import { textOf } from '../../core/provider/engine.ts'
import { EngineError } from '../../core/provider/errors.ts'
import {
  addContent,
  addReasoning,
  createTranscript,
  endTranscript,
  estimateOutput,
  estimateTokens,
  extendToolCall,
  startToolCall,
  type Transcript,
} from '../transcript.ts'
import { toEngineError } from './errors.ts'
import { readWarnings } from './warnings.ts'

/** A part of a stream, in any of the three specifications. */
export type StreamPart = LanguageModelV2StreamPart | LanguageModelV3StreamPart | LanguageModelV4StreamPart
type FinishPart = Extract<StreamPart, { type: 'finish' }>

/** Which completion is read, and what was asked for. */
export interface Asked {
  engine: string
  index: number
  messages: Message[]
  /** A setting that the provider does not support is an error. */
  strict?: boolean
}

/**
 * Yields the deltas of one completion and returns its end; `usage` counts one call.
 * @throws EngineError for an error part, and for a stream that ends without a finish or finishes as broken
 */
export async function* readCompletion(
  { engine, index, messages, strict }: Asked,
  parts: AsyncIterable<StreamPart>,
): AsyncGenerator<EngineEvent, CompletionEnd> {
  const events: EngineEvent[] = []
  const transcript = createTranscript(index, (event) => events.push(event))
  let finish: FinishPart | undefined
  let warnings: string[] = []
  for await (const part of parts) {
    if (part.type === 'error') throw toEngineError(engine, part.error)
    if (part.type === 'stream-start') warnings = readWarnings(engine, part.warnings, strict)
    else if (part.type === 'finish') finish = part
    else takePart(transcript, part)
    yield* events.splice(0)
  }
  const finishReason = finish && toFinishReason(finish.finishReason)
  if (!finish || !finishReason) throw brokenStream(engine, finish)
  endTranscript(transcript)
  yield* events.splice(0)
  const { text, reasoning, toolCalls } = transcript
  return {
    type: 'completion-end',
    index,
    text,
    ...(reasoning && { reasoning }),
    ...(toolCalls.length > 0 && { toolCalls }),
    finishReason: finishReason === 'stop' && toolCalls.length > 0 ? 'tool-calls' : finishReason,
    usage: toUsage(finish.usage, transcript, messages),
    ...(warnings.length > 0 && { warnings }),
  }
}

function takePart(transcript: Transcript, part: StreamPart): void {
  if (part.type === 'text-delta') addContent(transcript, part.delta)
  else if (part.type === 'reasoning-delta') addReasoning(transcript, part.delta)
  else if (part.type === 'tool-input-start') {
    // A provider runs its own tools itself; raw text becomes JSON only in the call that follows.
    const isText = 'inputEncoding' in part && part.inputEncoding === 'text'
    if (!part.providerExecuted && !isText) startToolCall(transcript, { id: part.id, name: part.toolName })
  } else if (part.type === 'tool-input-delta') addArguments(transcript, part.id, part.delta)
  else if (part.type === 'tool-call' && !part.providerExecuted) takeToolCall(transcript, part)
}

/** A whole call: some providers stream its pieces before, and some do not. */
function takeToolCall(
  transcript: Transcript,
  { toolCallId: id, toolName: name, input }: Extract<StreamPart, { type: 'tool-call' }>,
): void {
  const find = () => transcript.toolCalls.find((call) => call.id === id)
  if (!find()) startToolCall(transcript, { id, name })
  if (!find()?.function.arguments) addArguments(transcript, id, input)
}

function addArguments(transcript: Transcript, id: string, piece: string): void {
  const position = transcript.toolCalls.findIndex((call) => call.id === id)
  if (position >= 0 && piece) extendToolCall(transcript, position, { arguments: piece })
}

/** Undefined if the stream broke: half an answer is no answer. */
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
  return new EngineError(engine, 'server', `${problem}: the answer may be incomplete, so it is dropped`)
}

/** Estimates what the provider does not report, or reports as 0. */
function toUsage(
  usage: LanguageModelV2Usage | LanguageModelV4Usage,
  transcript: Transcript,
  messages: Message[],
): Usage {
  const reported = readUsage(usage)
  const inputTokens = reported.input || estimateTokens(messages.map(textOf).join(''))
  const outputTokens = reported.output || estimateOutput(transcript)
  return {
    calls: 1,
    inputTokens,
    prefilledTokens:
      reported.input && reported.cached !== undefined ? Math.max(0, reported.input - reported.cached) : null,
    outputTokens,
    ...(reported.reasoning !== undefined && { reasoningTokens: reported.reasoning }),
    ...(typeof reported.cost === 'number' && { cost: reported.cost }),
    ...((inputTokens !== reported.input || outputTokens !== reported.output) && { estimated: true }),
    sharedBy: 1,
  }
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
