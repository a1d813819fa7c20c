/** The result of a prompt, and the events on the way. The same shapes are printed, streamed and written to journals. */
import { countCompletions, type Plan } from './plan.ts'
import { errorOfNone } from './provider/empty.ts'
import type { FinishReason, TokenScore, ToolCall, ToolCallDelta, Waiting } from './provider/engine.ts'
import { listFallbacks } from './provider/gaps.ts'
import type { Completion, Failure } from './provider/records.ts'
import { hashTemplate, type Template } from './provider/template.ts'
import { type Spent, sumByRole, type UsageTotal } from './provider/usage.ts'

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
  /** The usage of a completion that had ended on an estimate; `isNew` if its text or warnings have changed, too. */
  | { type: 'completion-usage'; layer: number; completion: Completion; isNew?: true }
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

/**
 * Lists what can still be the answer if no proposal is usable: texts that repeat themselves, or the empty text of a plan
 * that asks for a single completion.
 * @throws EngineError with the reasons if there is neither
 */
export function listLeftovers(plan: Plan, { completions, failures }: LayerResult): Completion[] {
  const texts = completions.filter((c) => c.excluded !== 'empty')
  if (texts.length > 0) return texts
  if (completions.length > 0 && countCompletions(plan) === 1) return completions
  throw errorOfNone(completions, failures)
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
  const spent = layers.map(({ completions, failures }, i): Spent => {
    return [plan.layers[i]?.see === 'nothing' ? 'proposer' : 'aggregator', [...completions, ...failures]]
  })
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
    usage: sumByRole([...spent, ['judge', judgment ? [judgment] : []]]),
    ms: slowest.reduce((a, b) => a + b, 0) + (judgment?.ms ?? 0),
    plan,
    template: { id: template.id, sha256: hashTemplate(template) },
  }
}
