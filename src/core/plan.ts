/** What is asked, and how it is answered. Plain data: a journal has the plan as it is. */
import type { Message, ResponseFormat, Sampling, Tool, ToolChoice } from './provider/engine.ts'

/** What is asked: any number of turns, and what the client wants of the answer. */
export interface Prompt {
  id: string
  messages: Message[]
  /** Passed to every layer. */
  stop?: string[]
  /** Passed to every layer: other fields of the wire, which engines send as they are. */
  passed?: Record<string, unknown>
  /** Passed to every layer, but with tools only to the last. */
  responseFormat?: ResponseFormat
  /** This and the next three go to the last layer only: proposers call nothing. */
  tools?: Tool[]
  toolChoice?: ToolChoice
  parallelToolCalls?: boolean
  logprobs?: number
}

/** `n` samples of one engine. For samples that fail, the fallbacks are asked, in turn. */
export interface Voice {
  engine: string
  n: number
  sampling: Sampling
  fallbacks?: Fallback[]
}

/** An engine to ask if another fails; with its own sampling, or with that of the other. */
export type Fallback = string | { engine: string; sampling: Sampling }

/** The engines of a voice, each with its sampling, in the order in which they are asked. */
export function listAsked({ engine, sampling, fallbacks = [] }: Omit<Voice, 'n'>): {
  engine: string
  sampling: Sampling
}[] {
  const others = fallbacks.map((f) => (typeof f === 'string' ? { engine: f, sampling } : f))
  return [{ engine, sampling }, ...others]
}

/** When a layer ends without its stragglers. Times in milliseconds. */
export interface Quorum {
  /** Usable completions that are enough. */
  count: number
  /** How long the others may still take after `count` are there. */
  graceMs: number
  /** The layer ends at the latest this long after its start, with what it has. */
  capMs?: number
}

/** The engine that picks the answer. Its temperature is 0, unless `sampling` sets it or the plan is strict. */
export interface Judge {
  judge: string
  maxTokens?: number
  sampling?: Sampling
  fallbacks?: Fallback[]
}

/** One round of parallel completions, and what each of them sees of the round before. */
export interface Layer {
  voices: Voice[]
  see: 'nothing' | 'all' | { sample: number }
  quorum?: Quorum
}

/** Layers of completions, and how the answer is taken from them. */
export interface Plan {
  /** Name of the strategy that made it; the algorithm does not read it. */
  strategy: string
  layers: Layer[]
  /** Id of the template. */
  template: string
  seed: number
  /** Order in which proposals are shown. */
  order: 'as-sampled' | 'reversed' | 'shuffled'
  /**
   * How the answer is taken from the last layer: `last` is its first completion (mostly the only one), `vote` the most
   * frequent answer. A judge is an engine that reads the completions and picks one.
   */
  choose: 'last' | 'vote' | 'random' | Judge
  /** What to do with proposals that do not fit an aggregator's context. */
  overflow: 'trim' | 'refuse'
  /** Skip the remaining layers if the proposals agree at least this much (0 to 1). */
  stopAtAgreement?: number
  /** A setting that an engine's model refuses is an error; otherwise it is left out, and the result warns. */
  strict?: true
}

/** Counts the completions of a plan, without a judge's. */
export function countCompletions(plan: Plan): number {
  return plan.layers.reduce((sum, layer) => sum + countMembers(layer), 0)
}

/** Counts the completions of a layer. */
export function countMembers(layer: Layer): number {
  return layer.voices.reduce((sum, voice) => sum + voice.n, 0)
}

/** Name of the engine that writes the answer: the first of the last layer. */
export function writerOf({ layers }: Pick<Plan, 'layers'>): string {
  return layers.at(-1)?.voices[0]?.engine ?? ''
}

/** Names of all engines that a plan may call, each once. */
export function enginesOf(plan: Plan): string[] {
  const { choose, layers } = plan
  const voices: Omit<Voice, 'n'>[] = layers.flatMap((layer) => layer.voices)
  if (typeof choose === 'object') voices.push({ sampling: {}, ...choose, engine: choose.judge })
  return [...new Set(voices.flatMap(listAsked).map(({ engine }) => engine))]
}
