/**
 * A loop of tool calls: the panel of proposers runs once for each turn of the user, or as often as the request says. At the
 * steps between, the last layer alone answers, with the drafts that the panel wrote.
 */
import { createHash } from 'node:crypto'
import type { Plan, Prompt } from '../core/plan.ts'
import type { Completion, Failure } from '../core/provider/records.ts'
import { hashTemplate, type Template } from '../core/provider/template.ts'
import type { LayerResult, Result } from '../core/result.ts'
import type { Panel } from '../plans/option-kinds.ts'
import type { DraftKey, DraftStore } from './drafts.ts'
import { findTurn, type Turn } from './turn.ts'

/** What a request says that decides about its panel. */
export interface LoopRequest {
  /** Name of the preset. */
  model: string
  prompt: Omit<Prompt, 'id'>
  plan: Plan
  /** Default: once for each turn of the user. */
  panel?: Panel
  /** The request's own seed, if it has one. */
  seed?: number
}

/** What a trace says of the panel. */
export interface PanelNote {
  /** Steps of the turn before this one. */
  step: number
  /** `reused` if the panel did not run: the drafts are those of an earlier step. */
  drafts: 'new' | 'reused'
  /** The panel ran though it was not its turn: its drafts are not kept here. */
  isMissed?: true
}

/** A step of a loop. */
export interface Step {
  note: PanelNote
  /** The plan to answer with; its layers before the last are recorded if drafts are reused. */
  plan: Plan
  recorded?: LayerResult[]
  /** How many messages the reused drafts answer. */
  recordedFor?: number
  /** Keeps the drafts of an answer that calls tools. */
  keep(result: Result): void
}

/** A completion or failure of an earlier step: it costs nothing now. */
export type Reused<T extends Completion | Failure> = T & { reused: true }

/** Whether a completion or failure was made at an earlier step. */
export function isReused<T extends Completion | Failure>(made: T): made is Reused<T> {
  return 'reused' in made
}

/** Finds the step that a request is; undefined if its plan has no panel, or it calls no tools. */
export function openStep(
  request: LoopRequest,
  { store, client, template }: { store?: DraftStore; client: string; template: Template },
): Step | undefined {
  const { plan, prompt, panel = 'turn' } = request
  const turn = findTurn(prompt.messages)
  if (!turn || !hasPanel(plan) || (!prompt.tools?.length && turn.step === 0)) return undefined
  const every = panel === 'turn' ? Number.POSITIVE_INFINITY : panel === 'step' ? 1 : panel.every
  const key = toKey(request, turn, { client, template, panel: Math.floor(turn.step / every) })
  const isPanel = turn.step === 0 || turn.step % every === 0
  const found = isPanel ? undefined : store?.find(key)
  if (found) {
    const note = { step: turn.step, drafts: 'reused' as const }
    const recordedFor = Math.min(prompt.messages.length, turn.length + found.since)
    const { layers: recorded } = found
    return { note, plan: planStep(plan, recorded), recorded, recordedFor, keep: () => {} }
  }
  const missed = isPanel ? {} : { isMissed: true as const }
  return {
    note: { step: turn.step, drafts: 'new', ...missed },
    plan,
    keep: (result) => {
      const callIds = listCallIds(result)
      if (every > 1 && callIds.length > 0) {
        const since = prompt.messages.length - turn.length
        store?.keep({ ...key, callIds }, { layers: listDrafts(result), since })
      }
    },
  }
}

/** Votes and picks have no aggregator that could go alone: they run whole at every step. */
function hasPanel({ layers, choose }: Plan): boolean {
  return layers.length > 1 && (choose === 'last' || choose === 'random')
}

function toKey(
  { model, plan, seed }: LoopRequest,
  { hash, system, callIds }: Turn,
  { client, template, panel }: { client: string; template: Template; panel: number },
): DraftKey {
  const layers = plan.layers.map(({ voices, see }) => [
    see,
    voices.map(({ sampling, ...voice }) => [voice, { ...sampling, maxTokens: 0 }]),
  ])
  const parts = [client, model, plan.strategy, plan.order, layers, seed, hashTemplate(template), hash, panel]
  return { turn: createHash('sha256').update(JSON.stringify(parts)).digest('base64'), system, callIds }
}

/** The plan of a step that reuses drafts: one completion of the last layer for each answer. */
function planStep(plan: Plan, drafts: LayerResult[]): Plan {
  const { stopAtAgreement, ...rest } = plan
  const last = plan.layers.at(-1) as Plan['layers'][number]
  const [voice] = last.voices
  const layer = plan.choose === 'random' && voice ? { ...last, voices: [{ ...voice, n: 1 }] } : last
  const before = plan.layers.slice(0, drafts.length)
  return { ...rest, layers: [...before, before.length > 0 ? layer : { ...layer, see: 'nothing' }] }
}

/** The ids of the calls of all choices: the client goes on with one of them. */
function listCallIds({ layers }: Result): string[] {
  return layers
    .flatMap(({ completions }) => completions.flatMap((c) => c.toolCalls ?? []))
    .map(({ id }) => id)
}

/**
 * The layers before the answer, without what they cost. In the tool mode `first-call` one of them has the answer: a call is
 * no draft, and the proposers that it ended did not fail.
 */
function listDrafts({ layers, plan }: Result): LayerResult[] {
  const drafts = layers.slice(0, plan.layers.length - 1).map(({ completions, failures }) => ({
    completions: completions.filter((c) => !c.toolCalls?.length).map(toDraft),
    failures: failures.filter(({ error }) => error.kind !== 'aborted').map(toPast),
  }))
  return drafts[0]?.completions.some((c) => !c.excluded) ? drafts : []
}

function toDraft({ reasoning, logprobs, warnings, ...completion }: Completion): Reused<Completion> {
  const usage = { calls: 0, inputTokens: 0, prefilledTokens: 0, outputTokens: 0 }
  return { ...completion, usage, ms: 0, reused: true }
}

function toPast({ usage, ...failure }: Failure): Reused<Failure> {
  return { ...failure, ms: 0, reused: true }
}
