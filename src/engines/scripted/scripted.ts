/** An engine with scripted replies, for tests and examples: offline, and the same every time. */
import { setTimeout as wait } from 'node:timers/promises'
import type {
  CompletionEnd,
  CompletionRequest,
  Engine,
  EngineEvent,
  FinishReason,
  Message,
  TokenScore,
  ToolCall,
  Usage,
} from '../../core/provider/engine.ts'
import { textOf } from '../../core/provider/engine.ts'
import { EngineError, type EngineErrorKind, UsageError } from '../../core/provider/errors.ts'
import { merge } from '../../lib/merge.ts'
import { hashParts, randomFrom } from '../../lib/random.ts'

/** One scripted completion. With `error` it fails after its text has been streamed. */
export interface Reply {
  text?: string
  reasoning?: string
  toolCalls?: ToolCall[]
  finishReason?: FinishReason
  /** The pieces in which the text streams; default one per word. */
  deltas?: string[]
  /** Milliseconds before each piece. */
  delayMs?: number
  error?: { kind: EngineErrorKind; message: string; status?: number; isRetryable?: boolean; param?: string }
  usage?: Partial<Usage>
  logprobs?: TokenScore[]
  ms?: number
}

/** Replies to the requests that it matches; the first matching rule counts. */
export interface Rule {
  /**
   * A string or pattern to find in what the user said last (all turns since any other role, so that drafts after a question
   * are found like the question), or a function of the request.
   */
  when?: string | RegExp | ((request: CompletionRequest) => boolean)
  /** A string or pattern to find in the system messages. */
  system?: string | RegExp
  replies: (string | Reply | ReplyMaker)[]
  /**
   * `seed` (default): reply number `seed` modulo their count, so that a resumed run gets the same again and consecutive
   * seeds get different ones. `index`: in order; more completions than replies are an error.
   */
  pick?: 'seed' | 'index'
}

type Scripted = string | Reply | undefined

/** Makes the reply for completion `index` of a request; undefined means that it is not scripted. */
export type ReplyMaker = (request: CompletionRequest, index: number) => Scripted | Promise<Scripted>

/** What an engine replies: rules, or a function. */
export type Script = Rule[] | ReplyMaker

/** Settings of a scripted engine. */
export interface ScriptedOptions {
  /** Default `scripted`. */
  id?: string
  /** Tokens (words) of a prompt and its completion together; longer requests are refused at once. */
  contextLength?: number
  /** Milliseconds before each piece of a reply without its own `delayMs`, times 0.5 to 1.5 by its seed. */
  delayMs?: number
  /** False for long runs: `requests` stays empty. */
  keepRequests?: boolean
}

/** A scripted engine, which remembers its requests. */
export interface ScriptedEngine extends Engine {
  /** The requests so far, oldest first. */
  readonly requests: CompletionRequest[]
}

/**
 * Makes an engine from a script. A token is a word; `ms` is 0 unless scripted. A request that is not scripted throws a
 * UsageError that names the prompt.
 * @example
 * const engine = scriptedEngine([{ when: 'sky', replies: ['Blue.', 'It is blue.'] }])
 */
export function scriptedEngine(script: Script, options: ScriptedOptions = {}): ScriptedEngine {
  const { id = 'scripted', contextLength, keepRequests = true } = options
  const requests: CompletionRequest[] = []
  async function* generate(request: CompletionRequest): AsyncGenerator<EngineEvent> {
    if (keepRequests) requests.push(request)
    const inputTokens = countWords(request.messages)
    if (contextLength !== undefined) checkFits(id, request, inputTokens, contextLength)
    const replies = request.seeds.map((_, index) => findReply(script, request, index))
    const start = (signal: AbortSignal) =>
      replies.map((reply, index) => complete({ id, options, request, index, inputTokens, reply, signal }))
    yield* merge(start, request.signal)
  }
  return { id, contextLength, requests, generate, countTokens: async (messages) => countWords(messages) }
}

/**
 * A script that answers everything with a text made from messages and seed: the same seed gives the same bytes.
 * @example
 * const engine = scriptedEngine(echo)
 */
export function echo(request: CompletionRequest, index: number): string {
  const seed = request.seeds[index] ?? 0
  const hash = hashParts(JSON.stringify(request.messages), seed)
  const random = randomFrom(hash)
  const words = ((lastUserTexts(request.messages)[0] ?? '').match(/\S+/g) ?? []).slice(0, 200)
  const picked = Array.from({ length: 8 + Math.floor(random() * 24) }, () => {
    return words[Math.floor(random() * words.length)] ?? 'nothing'
  })
  return `Reply ${hash.toString(16)}, seed ${seed}: ${picked.join(' ')}.`
}

interface Job {
  id: string
  options: ScriptedOptions
  request: CompletionRequest
  index: number
  inputTokens: number
  reply: Scripted | Promise<Scripted>
  signal: AbortSignal
}

async function* complete(job: Job): AsyncGenerator<EngineEvent> {
  const { id, request, index, signal } = job
  let usage: Usage | undefined
  try {
    signal.throwIfAborted()
    usage = startUsage(job)
    const reply = asReply(await job.reply, request, index)
    const end = endOf(reply, request)
    const delayMs = reply.delayMs ?? jitter(job.options.delayMs, request.seeds[index])
    for (const event of deltasOf(reply, end, index)) {
      if (delayMs > 0) await wait(delayMs, undefined, { signal })
      signal.throwIfAborted()
      if (event.type !== 'tool-call-delta') usage.outputTokens += splitWords(event.text).length
      yield event
    }
    usage = { ...usage, ...reply.usage }
    if (reply.error) yield { type: 'completion-failed', index, error: errorOf(reply.error, id), usage }
    else yield { type: 'completion-end', index, ...end, usage, ms: reply.ms ?? 0 }
  } catch (cause) {
    if (!signal.aborted) throw cause
    const error = new EngineError(id, 'aborted', 'the request was aborted', { cause })
    yield { type: 'completion-failed', index, error, ...(usage && { usage }) }
  }
}

function startUsage({ index, request, inputTokens }: Job): Usage {
  const counts = { inputTokens, outputTokens: 0 }
  if (index > 0) return { calls: 0, prefilledTokens: 0, ...counts }
  return { calls: 1, prefilledTokens: inputTokens, ...counts, sharedBy: request.n }
}

function errorOf({ kind, message, ...more }: NonNullable<Reply['error']>, id: string): EngineError {
  return new EngineError(id, kind, message, more)
}

function findReply(script: Script, request: CompletionRequest, index: number): Scripted | Promise<Scripted> {
  if (typeof script === 'function') return script(request, index)
  const rule = script.find((rule) => matches(rule, request))
  if (!rule || rule.replies.length === 0) throw notScripted(request, index)
  const position = rule.pick === 'index' ? index : (request.seeds[index] ?? 0) % rule.replies.length
  const reply = rule.replies[position]
  return typeof reply === 'function' ? reply(request, index) : asReply(reply, request, index)
}

function matches({ when, system }: Rule, request: CompletionRequest): boolean {
  const isSystem = (m: Message) => m.role === 'system' || m.role === 'developer'
  const systemText = () => request.messages.filter(isSystem).map(textOf).join('\n')
  if (system !== undefined && !isFound(system, systemText())) return false
  if (typeof when === 'function') return when(request)
  return when === undefined || isFound(when, lastUserTexts(request.messages).join('\n\n'))
}

function isFound(pattern: string | RegExp, text: string): boolean {
  return typeof pattern === 'string' ? text.includes(pattern) : text.search(pattern) >= 0
}

function lastUserTexts(messages: Message[]): string[] {
  const end = messages.findLastIndex((m) => m.role === 'user') + 1
  const begin = messages.slice(0, end).findLastIndex((m) => m.role !== 'user') + 1
  return messages.slice(begin, end).map(textOf)
}

function asReply(reply: string | Reply | undefined, request: CompletionRequest, index: number): Reply {
  if (reply === undefined) throw notScripted(request, index)
  return typeof reply === 'string' ? { text: reply } : reply
}

function notScripted(request: CompletionRequest, index: number): UsageError {
  const prompt = lastUserTexts(request.messages).join(' ').slice(0, 200)
  return new UsageError(`the script has no reply for completion ${index} of the prompt "${prompt}"`)
}

/** The end of a reply: cut at `maxTokens` words (reasoning first) and before the first stop string. */
function endOf(reply: Reply, request: CompletionRequest): Omit<CompletionEnd, 'type' | 'index' | 'usage'> {
  const { toolCalls, logprobs } = reply
  const whole = reply.text ?? reply.deltas?.join('') ?? ''
  const thoughts = splitWords(reply.reasoning ?? '')
  const { maxTokens = Infinity } = request.sampling
  const reasoning = thoughts.slice(0, maxTokens).join('')
  const words = splitWords(whole)
  let text = words.slice(0, Math.max(0, maxTokens - thoughts.length)).join('')
  const isCut = thoughts.length + words.length > maxTokens
  const stops = (request.stop ?? []).map((stop) => text.indexOf(stop)).filter((at) => at >= 0)
  if (stops.length > 0) text = text.slice(0, Math.min(...stops))
  const natural = toolCalls?.length ? 'tool-calls' : 'stop'
  return {
    text,
    ...(reasoning && { reasoning }),
    ...(toolCalls && { toolCalls }),
    finishReason: isCut && stops.length === 0 ? 'length' : (reply.finishReason ?? natural),
    ...(logprobs && { logprobs }),
  }
}

/** The events before the end; their texts add up to that of the end. */
function* deltasOf(reply: Reply, end: ReturnType<typeof endOf>, index: number) {
  for (const text of splitWords(end.reasoning ?? '')) yield { type: 'reasoning-delta', index, text } as const
  let left = end.text.length
  for (const piece of reply.deltas ?? splitWords(end.text)) {
    const text = piece.slice(0, left)
    left -= text.length
    if (text) yield { type: 'completion-delta', index, text } as const
  }
  for (const [position, call] of (end.toolCalls ?? []).entries()) {
    const delta = { position, id: call.id, ...call.function }
    yield { type: 'tool-call-delta', index, delta } as const
  }
}

/** Words with the white space before them; white space at the end belongs to the last word. */
function splitWords(text: string): string[] {
  return text.match(/\s*\S+(?:\s+$)?|^\s+$/g) ?? []
}

function countWords(messages: Message[]): number {
  return messages.reduce((sum, message) => sum + splitWords(textOf(message)).length, 0)
}

function jitter(delayMs = 0, seed = 0): number {
  return delayMs * (0.5 + randomFrom(seed)())
}

function checkFits(id: string, { sampling }: CompletionRequest, prompt: number, context: number): void {
  const { maxTokens = 0 } = sampling
  if (prompt + maxTokens <= context) return
  const problem = `the prompt has ${prompt} tokens and ${maxTokens} are kept for the answer, but the context has ${context}`
  throw new EngineError(id, 'context-overflow', problem, { tokens: { prompt, context } })
}
