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
  /** Layers that are there already, from the first on: they are not sampled and make no events. */
  recorded?: LayerResult[]
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
