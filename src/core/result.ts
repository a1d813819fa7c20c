/** The result of a prompt, and the events on the way. The same shapes are printed, streamed and written to journals. */
import { countCompletions, type Plan } from './plan.ts'
import { describeEmpty } from './provider/empty.ts'
import type {
  Excluded,
  FinishReason,
  FormNote,
  TokenScore,
  ToolCall,
  ToolCallDelta,
  Usage,
  Waiting,
} from './provider/engine.ts'
import { type describeError, EngineError } from './provider/errors.ts'
import { sumCached, sumUsage, type UsageRole, type UsageTotal } from './provider/usage.ts'
import { hashTemplate, type Template } from './templates.ts'

/** An error as results and journals hold it. */
export type ErrorRecord = ReturnType<typeof describeError>

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

/** What a layer gave, sorted by the members' index. */
export interface LayerResult {
  /** A member has two completions if the first repeats itself and it was sampled again. The usable one comes first. */
  completions: Completion[]
  failures: Failure[]
}

/** The answer, and all that led to it. */
export interface Result {
  answer: string
  finishReason: FinishReason
  toolCalls?: ToolCall[]
  logprobs?: TokenScore[]
  /** Which layer and member wrote the answer, from 0. */
  from: { layer: number; index: number }
  /** True if the answer is less than the plan asks for; the reasons say how. */
  degraded: boolean
  degradedBecause?: string[]
  /** What was left out or rewritten because a model refuses it, and which engines replaced others; each once, in words. */
  warnings?: string[]
  /** How much the proposals agreed (0 to 1), if the remaining layers were skipped for it. */
  agreed?: number
  layers: LayerResult[]
  /** The judge's completion or failure, if the plan has a judge. */
  judgment?: Completion | Failure
  usage: UsageTotal
  /** Milliseconds: the slowest completion of each layer and the judgment, added up. */
  ms: number
  plan: Plan
  template: { id: string; sha256: string }
}

/** The completion that was chosen as the answer, the index of its layer, and what a judge wrote. */
export interface Chosen {
  completion: Completion
  layer: number
  judgment?: Completion | Failure
  degradedBecause: string[]
}

/** Everything that happens while a prompt is answered, in order; `layer` counts from 0. */
export type AftEvent =
  | { type: 'layer-start'; layer: number; width: number; isLast: boolean }
  | { type: 'completion-delta'; layer: number; index: number; text: string }
  | { type: 'reasoning-delta'; layer: number; index: number; text: string }
  | { type: 'tool-call-delta'; layer: number; index: number; delta: ToolCallDelta }
  | { type: 'completion-restarted'; layer: number; index: number; reason: string }
  | ({ type: 'completion-waiting'; layer: number; index: number; engine: string } & Waiting)
  | { type: 'request-changed'; layer: number; index: number; engine: string; reason: string }
  /** The quorum is reached: the layer waits for the `missing` others, at most so long. */
  | { type: 'layer-waiting'; layer: number; missing: number; ms: number }
  | { type: 'completion-end'; layer: number; completion: Completion }
  | { type: 'completion-failed'; layer: number; failure: Failure }
  | { type: 'layer-end'; layer: number; shown: number[] }
  | { type: 'answer'; result: Result }

/**
 * The completions of a layer that count: those that are not excluded. If there is none, JSON that breaks its schema counts,
 * unless the layer before has something better.
 */
export function listUsable({ completions }: LayerResult, before: Completion[]): Completion[] {
  const usable = completions.filter((c) => !c.excluded)
  if (usable.length > 0 || before.some((c) => !c.excluded)) return usable
  return completions.filter((c) => c.excluded === 'schema')
}

/** Says in words which members are missing because no fallback helped. People count layers and completions from 1. */
export function listMissing({ completions, failures }: LayerResult, layerIndex: number): string[] {
  const has = new Set(completions.map((c) => c.index))
  const missing = new Map(failures.filter((f) => !has.has(f.index)).map((f) => [f.index, f.error.kind]))
  return [...missing].map(
    ([index, kind]) => `layer ${layerIndex + 1}: completion ${index + 1} is missing (${kind})`,
  )
}

/** Says in words which engines of a layer replaced others. People count layers from 1. */
function listFallbacks({ completions }: LayerResult, layerIndex: number): string[] {
  const fallen = completions.flatMap(({ engine, fellBack }) =>
    fellBack ? [`fell back from ${fellBack.from} to ${engine} (${fellBack.because})`] : [],
  )
  const groups = Map.groupBy(fallen, (text) => text)
  return [...groups].map(([text, { length }]) => {
    return `layer ${layerIndex + 1}: ${length === 1 ? '1 completion' : `${length} completions`} ${text}`
  })
}

/**
 * Lists what can still be the answer if no proposal is usable: texts that repeat themselves, or the empty text of a plan
 * that asks for a single completion.
 * @throws EngineError with the reasons if there is neither
 */
export function listLeftovers(plan: Plan, { completions, failures }: LayerResult): Completion[] {
  const texts = completions.filter((c) => c.excluded !== 'empty')
  if (texts.length > 0) return texts
  if (completions.length > 0 && countCompletions(plan) === 1) return completions
  const messages = [...new Set(failures.map((f) => f.error.message))].slice(0, 3)
  messages.push(...describeEmpty(completions))
  const { engine, error } = failures[0] ?? { engine: completions[0]?.engine ?? 'none' }
  const kind = (error?.kind ?? 'missing') as EngineError['kind']
  const { status, param } = error ?? {}
  // A retry asks every engine again, so it must wait for the longest delay.
  const delays = failures.flatMap((f) => f.error.retryAfterMs ?? [])
  const retryAfterMs = delays.length > 0 ? Math.max(...delays) : undefined
  throw new EngineError(engine, kind, `no proposal is left: ${messages.join('; ')}`, {
    status,
    param,
    retryAfterMs,
  })
}

/** Makes the result of a prompt from its layers, the chosen completion and the reasons why it is degraded. */
export function summarize(
  layers: LayerResult[],
  { completion, layer, judgment }: Chosen,
  reasons: string[],
  { plan, template, agreed }: { plan: Plan; template: Template; agreed?: number },
): Result {
  const everything = [
    ...layers.flatMap((l) => [...l.completions, ...l.failures]),
    ...(judgment ? [judgment] : []),
  ]
  const reported = everything.flatMap((c) => ('warnings' in c && c.warnings) || [])
  const warnings = [...new Set([...reported, ...layers.flatMap(listFallbacks)])]
  const slowest = layers.map((l) => Math.max(0, ...l.completions.map((c) => c.ms)))
  return {
    answer: completion.text,
    finishReason: completion.finishReason,
    ...(completion.toolCalls && { toolCalls: completion.toolCalls }),
    ...(completion.logprobs && { logprobs: completion.logprobs }),
    from: { layer, index: completion.index },
    degraded: reasons.length > 0,
    ...(reasons.length > 0 && { degradedBecause: reasons }),
    ...(warnings.length > 0 && { warnings }),
    ...(agreed !== undefined && { agreed }),
    layers,
    ...(judgment && { judgment }),
    usage: { ...sumUsage(everything.flatMap((c) => c.usage ?? [])), ...cachedByRole(layers, judgment, plan) },
    ms: slowest.reduce((a, b) => a + b, 0) + (judgment?.ms ?? 0),
    plan,
    template: { id: template.id, sha256: hashTemplate(template) },
  }
}

/** The cached prompt tokens of each role that has some. */
function cachedByRole(layers: LayerResult[], judgment: Chosen['judgment'], plan: Plan): Partial<UsageTotal> {
  const cached: Partial<Record<UsageRole, number>> = {}
  const add = (role: UsageRole, made: (Completion | Failure)[]) => {
    const tokens = sumCached(made.flatMap(({ usage }) => usage ?? []))
    if (tokens > 0) cached[role] = (cached[role] ?? 0) + tokens
  }
  for (const [i, { completions, failures }] of layers.entries())
    add(plan.layers[i]?.see === 'nothing' ? 'proposer' : 'aggregator', [...completions, ...failures])
  if (judgment) add('judge', [judgment])
  return Object.keys(cached).length > 0 ? { cachedTokens: cached } : {}
}
