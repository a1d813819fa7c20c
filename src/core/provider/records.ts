/** Completions and failures with their place in a plan, as results and journals hold them. */
import type { Excluded, FinishReason, FormNote, TokenScore, ToolCall, Usage } from './engine.ts'
import type { ErrorRecord } from './errors.ts'

/** A completion of a layer. */
export interface Completion {
  /** Index of the member, from 0 over all voices of the layer. */
  index: number
  /** Index of the voice in its layer. */
  voice: number
  /** The engine's name in the plan. */
  engine: string
  seed: number
  text: string
  reasoning?: string
  toolCalls?: ToolCall[]
  logprobs?: TokenScore[]
  finishReason: FinishReason
  usage: Usage
  /** Milliseconds from the request to this completion's end. */
  ms: number
  /** Members of the layer before that this one was shown, in that order; absent if it saw nothing. */
  saw?: number[]
  /** Longer proposals were cut to this many characters, so that the prompt fits. */
  trimmedTo?: number
  /** What was left out of its request or rewritten because the model refuses it, in words. */
  warnings?: string[]
  /** If another engine failed before this one was asked: its name, and the kind of its error. */
  fellBack?: { from: string; because: string }
  waited?: Waited
  /** What was done to a text that was asked for as JSON, or what is wrong with it. */
  form?: FormNote
  /**
   * Why no aggregator is shown this completion: it is empty, repeats itself, or is not the JSON that was asked for. It can
   * still be the answer, if there is no other or a part of it was sent already.
   */
  excluded?: Excluded
}

/** A completion that failed. `usage` is what was spent on it. */
export interface Failure {
  index: number
  voice: number
  engine: string
  seed: number
  error: ErrorRecord
  usage?: Usage
  waited?: Waited
  ms: number
}

/** How often an engine asked again after a failed attempt, how long it waited for that, and the kinds of the errors. */
export interface Waited {
  times: number
  ms: number
  because: string[]
}
