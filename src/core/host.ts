/** What the algorithm is given: the world around it, and the work of one layer. Types only. */
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
  /** Gets every event as it happens. */
  emit?: (event: AftEvent) => void
  /** Layers that are there already, from the first on: they are not sampled and make no events. */
  recorded?: LayerResult[]
  /** Whether a reader has seen a part of this member of the last layer: it cannot be sampled again. */
  isSent?: (index: number) => boolean
  signal?: AbortSignal
  /** Priority of a layer's requests; lower goes first. */
  priority?: (layer: number) => number
}

/** The time, and waiting. */
export interface Clock {
  /** Milliseconds; only differences count. */
  now(): number
  /** Resolves after `ms`, or at once when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

/** One layer of one prompt, with the usable completions of the layer before. */
export interface LayerTask {
  prompt: Prompt
  plan: Plan
  host: Host
  layer: Layer
  /** Number of the layer, from 0; a judge's is the number of layers. */
  depth: number
  /** Whether it writes the answer. */
  isLast: boolean
  proposals: Completion[]
  /** The messages of members that see something. Default: an aggregator's. */
  write?: typeof judgeMessages
}

/** A layer at work. */
export interface LayerRun extends LayerTask {
  /** What has come, and what has failed. */
  result: LayerResult
  quorum: QuorumWatch
}

/** Watches how many completions of a layer there are, and for how long. */
export interface QuorumWatch {
  /** Aborts with the reason `straggler` once grace or cap has passed, or with the host's signal. */
  signal: AbortSignal
  /** To be called at every end of a completion. */
  check(): void
  /** Aborts at once. */
  cut(reason: unknown): void
  /** Stops the timers. */
  stop(): void
}
