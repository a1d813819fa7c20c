/**
 * The interface to a model. An engine turns messages and sampling settings into completions. It knows nothing of
 * aggregation: proposers, aggregators and judges are the same engines, called with other messages.
 */
import type { EngineError, EngineErrorKind } from './errors.ts'
import type { Template } from './template.ts'

/** The roles of messages. */
export const roles = ['system', 'developer', 'user', 'assistant', 'tool'] as const

/** A chat-completions wire message: what servers receive, engines send, journals keep and trainers read. */
export interface Message {
  role: (typeof roles)[number]
  content?: string | ContentPart[] | null
  name?: string
  tool_calls?: ToolCall[]
  tool_call_id?: string
  [extra: string]: unknown
}

/** A part of a message's content. Parts that are not text (images, audio, files) pass through unchanged. */
export type ContentPart = { type: 'text'; text: string } | { type: string; [extra: string]: unknown }

/** A call of a tool, as the chat-completions wire has it. */
export interface ToolCall {
  id: string
  type: 'function'
  function: { name: string; arguments: string }
  /** What its server wants back with the call (Google's signature). */
  extra_content?: Record<string, unknown>
}

/** A piece of a tool call as it streams; pieces with the same `position` belong together. */
export interface ToolCallDelta {
  position: number
  id?: string
  name?: string
  arguments?: string
  extra_content?: ToolCall['extra_content']
}

/** A tool as the chat-completions wire has it. */
export interface Tool {
  type: 'function'
  function: {
    name: string
    description?: string
    parameters?: Record<string, unknown>
    strict?: boolean | null
  }
}

/** Which tool may or must be called. */
export type ToolChoice = 'auto' | 'none' | 'required' | { type: 'function'; function: { name: string } }

/** The wire's response format. An engine that supports grammars enforces `json_schema` with one. */
export type ResponseFormat =
  | { type: 'text' }
  | { type: 'json_object' }
  | {
      type: 'json_schema'
      json_schema: {
        name: string
        schema?: Record<string, unknown>
        strict?: boolean | null
        description?: string
      }
    }

/** Whether a format asks for JSON. */
export function isJson(format?: ResponseFormat): boolean {
  return format !== undefined && format.type !== 'text'
}

/** How much a model may think before it writes, from nothing to the most. */
export const reasoningEfforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const
/** One of `reasoningEfforts`. */
export type ReasoningEffort = (typeof reasoningEfforts)[number]

/** How a completion is sampled. What is absent is not sent: the model's own settings hold. */
export interface Sampling {
  temperature?: number
  topP?: number
  topK?: number
  minP?: number
  frequencyPenalty?: number
  presencePenalty?: number
  /** At most this many generated tokens per completion, reasoning included. */
  maxTokens?: number
  reasoning?: ReasoningEffort
}

/** Why a completion ended. There is no reason for errors: a completion with an error is a failure. */
export type FinishReason = 'stop' | 'length' | 'tool-calls' | 'content-filter'

/**
 * What one completion took. A request has `calls` and `prefilledTokens` once for all its completions: the completion
 * with the lowest index carries them and the others have 0, so that usages can be added up.
 */
export interface Usage {
  /** Requests sent, repeats included. */
  calls: number
  /** Tokens of this completion's prompt, whether evaluated or shared. */
  inputTokens: number
  /** Prompt tokens that were evaluated; null if the engine does not know. */
  prefilledTokens: number | null
  outputTokens: number
  /** The part of `outputTokens` that is reasoning, if the engine reports it. */
  reasoningTokens?: number
  /** US dollars, if the provider reports them. */
  cost?: number
  /** True if the figures are this project's own count, because the server's is absent or too low. */
  estimated?: boolean
  /** On the completion that carries `calls`: how many completions the request had. */
  sharedBy?: number
  /** Spent a second time because an interrupted request was sent again; not part of the figures above. */
  repeated?: { calls: number; prefilledTokens: number | null }
}

/** One token of a completion and its log probability, in nats. */
export interface TokenScore {
  token: string
  logprob: number
  /** The most likely tokens at this place, best first, if the request asks for them. */
  top?: { token: string; logprob: number }[]
}

/** Asks for `n` samples of ONE prompt, so that an engine can read the shared prompt once. */
export interface CompletionRequest {
  /** Identifies, with a seed, one sample of the caller's prompt, so that a journal can be replayed. Engines ignore it. */
  key?: string
  messages: Message[]
  /** Number of completions, from 1. */
  n: number
  /** One seed per completion, each from 0 to 2^31 - 1; length n. */
  seeds: number[]
  sampling: Sampling
  stop?: string[]
  tools?: Tool[]
  toolChoice?: ToolChoice
  /** Whether one completion may call several tools. */
  parallelToolCalls?: boolean
  responseFormat?: ResponseFormat
  /** Other fields of the wire (`user`, `prompt_cache_key`): an engine with that wire sends them as they are. */
  passed?: Record<string, unknown>
  /** A setting that the model refuses is an error. Otherwise it is left out, and the end warns of it. */
  strict?: boolean
  /** Report log probabilities, with this many alternatives per token (0: only the sampled token's). */
  logprobs?: number
  /** Lower goes first if requests wait for a place; default 0. */
  priority?: number
  /**
   * If true, the engine reports each end at once, with an estimated usage if the server has not reported it yet, and the
   * usage when it comes. A quorum counts the ends, and a journal keeps them. Otherwise it may wait for the usage first.
   */
  endsEarly?: boolean
  /** If true, the caller reads ends and failures only: the engine may leave out all deltas, which saves time. */
  endsOnly?: boolean
  /** If a server asks for a longer delay than this, the completion fails at once; default 600,000. */
  maxWaitMs?: number
  signal?: AbortSignal
}

/**
 * `index` is 0 to n - 1. Per index: any number of deltas, then exactly one end or failure; after an end that was early, its
 * usage may follow. The text of an end is the sum of its deltas since the last restart. An aborted request ends each open index with a failure of
 * kind `aborted`. The iterable itself throws only what concerns the whole request before any work
 * (a prompt longer than the context, a wrong setting).
 */
export type EngineEvent =
  | { type: 'completion-delta'; index: number; text: string }
  | { type: 'reasoning-delta'; index: number; text: string }
  | { type: 'tool-call-delta'; index: number; delta: ToolCallDelta }
  /** Drop the deltas of this index: it is made again. */
  | { type: 'completion-restarted'; index: number; reason: string }
  | ({ type: 'completion-waiting'; index: number } & Waiting)
  /** What the model refuses was left out of the request or rewritten, and it is sent again. */
  | { type: 'request-changed'; index: number; reason: string }
  | CompletionEnd
  /** The usage of a completion that has ended on an estimate, and the rest of its end again if it has changed. */
  | {
      type: 'completion-usage'
      index: number
      usage: Usage
      end?: Omit<CompletionEnd, 'type' | 'index' | 'usage'>
    }
  | { type: 'completion-failed'; index: number; error: EngineError; usage?: Usage }

/** An attempt failed, and another follows. */
export interface Waiting {
  /** Number of the next attempt, from 2. */
  attempt: number
  /** How long until then: what the server asked for, or a delay that grows. */
  ms: number
  kind: EngineErrorKind
  reason: string
}

/** The end of one completion: its whole text, and what it took. */
export interface CompletionEnd {
  type: 'completion-end'
  index: number
  text: string
  reasoning?: string
  toolCalls?: ToolCall[]
  finishReason: FinishReason
  usage: Usage
  logprobs?: TokenScore[]
  /** What the engine left out of the request or rewrote because the model refuses it, in words. */
  warnings?: string[]
  /** Milliseconds that this completion took, if the engine knows better than the caller's clock. */
  ms?: number
  /** What was done to a text that was asked for as JSON, or what is wrong with it. */
  form?: FormNote
  /** `schema` if the text is not the JSON that was asked for. The core finds the other reasons by itself. */
  excluded?: Excluded
}

/** Why a completion is not shown to aggregators. */
export type Excluded = 'empty' | 'runaway' | 'schema'

/** How a text came to be the JSON that was asked for, or why it is not. */
export interface FormNote {
  /** Text around the JSON was left out. */
  stripped?: true
  /** What was wrong with the first text; it was written again. */
  repaired?: string[]
  /** What is wrong with this text. */
  broken?: string[]
}

/**
 * A model. `n` is in the request and never a loop above it.
 * @example
 * const shout: Engine = {
 *   id: 'shout',
 *   async *generate({ messages, seeds }) {
 *     const text = textOf(messages.at(-1) as Message).toUpperCase()
 *     const usage = { calls: 0, inputTokens: 0, prefilledTokens: 0, outputTokens: 0 }
 *     for (const index of seeds.keys()) yield { type: 'completion-end', index, text, finishReason: 'stop', usage }
 *   },
 * }
 */
export interface Engine {
  /** Stable and free of secrets: it is written to journals. */
  readonly id: string
  generate(request: CompletionRequest): AsyncIterable<EngineEvent>
  /** Tokens of the rendered prompt, the generation prompt included. */
  countTokens?(messages: Message[]): Promise<number>
  /** Tokens that a prompt and its completion may have together. */
  readonly contextLength?: number
  /** Default of `maxTokens` for this engine: small models have a limit of their own. */
  readonly defaultMaxTokens?: number
  /** Whether a grammar keeps its texts to a JSON schema: they are sent while they are written, and not repaired. */
  readonly keepsToSchema?: boolean
  /** The wording that the model was trained with, if its card names one: a plan whose last layer it writes uses it. */
  readonly template?: Template
  /** Log probability, in nats, of each token of `completion` after `messages`. */
  score?(messages: Message[], completion: string): Promise<TokenScore[]>
  close?(): Promise<void>
}

/**
 * The text of a message: its text parts joined. Other parts are left out.
 * @example
 * textOf({ role: 'user', content: [{ type: 'text', text: 'Hi' }] }) // 'Hi'
 */
export function textOf(message: Message): string {
  const { content } = message
  if (content == null) return ''
  if (typeof content === 'string') return content
  return content.map((part) => (part.type === 'text' ? String(part.text) : '')).join('')
}
