/** What the algorithm gets from outside, and what the parts of a layer share. Types only. */
import type { Layer, Plan, Prompt } from './plan.ts'
import type { Engine } from './provider/engine.ts'
import type { Completion } from './provider/records.ts'
import type { Template } from './provider/template.ts'
import type { AftEvent, LayerResult } from './result.ts'
import type { judgeMessages } from './templates.ts'

/** All that the algorithm needs from outside: it has no clock, network or randomness of its own. */
export interface Host {
  /** By the names that the plan uses. */
  engines: Record<string, Engine>
  template: Template
  clock: Clock
  /** Gets every event as it happens. */
  emit?: (event: AftEvent) => void
  /** Whether `emit` does not need the deltas of a layer. Then engines leave them out. */
  endsOnly?: (layer: number) => boolean
  /** Whether `emit` needs each end at once, though its usage is an estimate: the usage follows as an event of its own. */
  endsEarly?: boolean
  /** The first layers, if they exist already: they are not sampled and emit no events. */
  recorded?: LayerResult[]
  /** How many of the prompt's messages the proposals in `recorded` answer, if turns of tools came since then. */
  recordedFor?: number
  /** Whether the client has received a part of this member of the last layer: then it cannot be sampled again. */
  isSent?: (index: number) => boolean
  /** Longest delay that a server may ask for before a completion fails; default the engine's. */
  maxWaitMs?: number
  /** Aborts the requests; `answerPrompt` then rejects with the signal's reason. */
  signal?: AbortSignal
  /** Priority of a layer's requests; lower goes first. */
  priority?: (layer: number) => number
}

/** The time, and a way to wait. */
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
  /** From 0. A judge comes after the last layer of the plan. */
  layerIndex: number
  /** Whether it is the last layer of the plan: it gets the tools of the prompt. */
  isLast: boolean
  proposals: Completion[]
  /** Makes the messages of members that are shown proposals. Default: `aggregatorMessages`. */
  write?: typeof judgeMessages
}

/** A layer that is being sampled. */
export interface LayerRun extends LayerTask {
  /** Filled as completions end or fail. */
  result: LayerResult
  quorum: QuorumWatch
}

/** Decides when a layer stops waiting for its stragglers. */
export interface QuorumWatch {
  /** Aborts with the reason `straggler` when the grace or the cap is over, or together with the host's signal. */
  signal: AbortSignal
  /** Call it when a completion has ended: it counts the usable ones. */
  check(): void
  /** Aborts `signal` at once. */
  cut(reason: unknown): void
  /** Stops the timers. */
  stop(): void
}
