/** What is asked of a server, and what is known of it. */

import type { CompletionRequest } from '../../core/provider/engine.ts'
import type { EngineError } from '../../core/provider/errors.ts'
import type { Level } from '../../lib/level.ts'
import type { Grant, Slots } from '../../lib/slots.ts'
import type { Scouts } from '../upstream/scouts.ts'
import type { Completion } from './completion.ts'
import type { Ends } from './ends.ts'
import type { Target } from './post.ts'
import { toRawBody } from './raw.ts'
import { type Dialect, type SentBody, toBody } from './request.ts'
import type { SessionOptions } from './session.ts'

/** A server and what this process knows of it. */
export interface Server {
  target: Target
  model: string
  /** Attempts per completion, the first included. */
  attempts: number
  timeoutMs: number
  /** The same for answers that are not streamed: nothing comes until they are whole. */
  wholeTimeoutMs: number
  noStream?: boolean
  /** It continues raw text, without a chat template. */
  isRaw?: boolean
  extraBody?: Record<string, unknown>
  session?: SessionOptions
  slots: Slots
  /** Finds how many slots the server can use. */
  level?: Level
  dialect: Dialect
  scouts: Scouts
  /** How its answers end. */
  ends: Ends
}

/** What is asked of a server. */
export interface Question {
  server: Server
  request: CompletionRequest
  /** Fires when the caller aborts or stops reading. */
  signal: AbortSignal
}

/** How one request ended. */
export interface Outcome {
  sent: SentBody
  /** The server said that it had said everything. */
  isDone: boolean
  /** A line of the answer that means nothing: it may say what went wrong. */
  stray?: string
  /** The start of an object that is no chunk of a chat completion. */
  other?: string
  error?: EngineError
}

/** The body that asks for some completions, in the dialect as far as it is known. */
export function toSent({ server, request }: Question, completions: Completion[]): SentBody {
  const { model, dialect, isRaw } = server
  const [n, seed] = [completions.length, completions[0]?.seed ?? 0]
  return (isRaw ? toRawBody : toBody)(request, { model, seed, n, dialect: { ...dialect } })
}

/** What one request is about. */
export interface Asked {
  completions: Completion[]
  sent: SentBody
  grant: Grant
  /** Called when the server has taken the request: it begins to answer. */
  onTaken: () => void
}
