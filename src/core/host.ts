/** What the algorithm is given: the world around it, and one layer of work. Types only. */
import type { Layer, Plan, Prompt } from './plan.ts'
import type { Engine } from './provider/engine.ts'
import type { AftEvent, Completion, LayerResult } from './result.ts'
import type { judgeMessages, Template } from './templates.ts'

/** All that the algorithm needs from outside: it has no clock, network or randomness of its own. */
export interface Host {
  /** By the names that the plan uses. */
  engines: Record<string, Engine>
  template: Template
  clock: Clock
  emit?: (event: AftEvent) => void
  /** Layers of an earlier, interrupted run: what is in them is not sampled again. */
  recorded?: RecordedLayer[]
  signal?: AbortSignal
  /** Priority of a layer's requests; lower goes first. */
  priority?: (layer: number) => number
}

export interface Clock {
  /** Milliseconds; only differences count. */
  now(): number
  /** Resolves after `ms`, or at once when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

/**
 * `isClosed` tells that the layer had ended: its failures stand, deeper layers were built on it. Of an open layer only
 * those stand that a fallback made good; what is missing is tried again.
 */
export interface RecordedLayer extends LayerResult {
  isClosed: boolean
}

/** One layer of one prompt, with the usable completions of the layer before. */
export interface LayerRun {
  prompt: Prompt
  plan: Plan
  host: Host
  layer: Layer
  depth: number
  proposals: Completion[]
  /** The messages of members that see something; an aggregator's where absent. */
  write?: typeof judgeMessages
}
