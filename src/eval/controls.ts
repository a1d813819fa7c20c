/**
 * The controls that an aggregation is compared with. Each is a plan over the same proposals. Shared completions are
 * sampled once, but the cost of each control counts everything that it would take alone.
 */
import { answerPrompt } from '../core/aft.ts'
import type { Clock, Host } from '../core/host.ts'
import { countCompletions, type Plan, type Prompt, type Voice } from '../core/plan.ts'
import type { Engine } from '../core/provider/engine.ts'
import type { Completion } from '../core/provider/records.ts'
import type { Template } from '../core/provider/template.ts'
import type { UsageTotal } from '../core/provider/usage.ts'
import type { Result } from '../core/result.ts'
import { agreement } from '../lib/text.ts'
import { paperSettings } from '../plans/presets.ts'
import { makePlan, type PlanOptions } from '../plans/strategies.ts'
import { resumeFrom } from '../run/replay.ts'

/** Settings for the plans of the controls. */
export interface ControlOptions
  extends Pick<
    PlanOptions,
    'width' | 'depth' | 'maxTokens' | 'judgeMaxTokens' | 'temperature' | 'seed' | 'order'
  > {
  /** Temperature of aggregations and of answers that are no draft, 0 to 5; `temperature` without it. */
  answerTemperature?: number
  /** Names in `engines`. */
  proposer: string
  aggregators: string[]
  judge: string
  /** Engine of a trained aggregator, if there is one. */
  trained?: string
}

/** What a control needs to answer, in addition to its plan. */
export interface ControlHost {
  engines: Record<string, Engine>
  template: Template
  trainedTemplate: Template
  clock: Clock
}

/**
 * The controls in the order of tables. The oracles and the votes by part have no plan: the scorer picks their answers.
 * Those that end in `-same` have as many completions as the aggregation: its proposals and as many more as it takes.
 */
export const controlNames = [
  'single',
  'single-long',
  'oracle',
  'oracle-same',
  'judge',
  'judge-same',
  'majority',
  'majority-same',
  'majority-parts',
  'majority-parts-same',
  'aggregated',
  'trained',
] as const
/** A row of the table. */
export type ControlName = (typeof controlNames)[number]
/** A row that has a plan of its own. */
export type PlannedControl = Exclude<ControlName, keyof typeof pickedFrom>

/** Whose proposals the scorer picks an answer from. */
export const pickedFrom = {
  oracle: 'majority',
  'oracle-same': 'majority-same',
  'majority-parts': 'majority',
  'majority-parts-same': 'majority-same',
} as const

/** Titles of the rows, for a reader. */
export const controlTitles: Record<ControlName, string> = {
  single: 'one answer',
  'single-long': 'one answer, same tokens',
  oracle: 'best of n, by right answer',
  'oracle-same': 'best of n, same completions, by right answer',
  judge: 'best of n, by judge',
  'judge-same': 'best of n, same completions, by judge',
  majority: 'majority',
  'majority-same': 'majority, same completions',
  'majority-parts': 'majority by part',
  'majority-parts-same': 'majority by part, same completions',
  aggregated: 'prompted aggregator',
  trained: 'trained aggregator',
}

/** Makes the plan of each control of `only`, or of all. The aggregation comes first, because it samples the proposals. */
export function planControls(
  options: ControlOptions,
  only: readonly ControlName[] = controlNames,
): Map<PlannedControl, Plan> {
  const { proposer, aggregators, judge, judgeMaxTokens, trained, answerTemperature, ...rest } = options
  const { maxTokens = 1024, ...shared } = rest
  const base = { ...paperSettings, ...shared, maxTokens, proposers: [proposer] }
  const { depth, ...flat } = base
  const aggregated = makePlan({ ...base, strategy: 'aft', aggregators })
  const plans = new Map<PlannedControl, Plan>([
    ['aggregated', aggregated],
    ['single', makePlan({ ...flat, strategy: 'single' })],
    ['judge', makePlan({ ...flat, strategy: 'best-of-n', aggregators, judge, judgeMaxTokens })],
    ['majority', makePlan({ ...flat, strategy: 'self-consistency' })],
  ])
  const whole = maxTokens * countCompletions(aggregated)
  plans.set('single-long', makePlan({ ...flat, strategy: 'single', maxTokens: whole }))
  const same = { ...flat, width: countCompletions(aggregated) }
  plans.set('majority-same', makePlan({ ...same, strategy: 'self-consistency' }))
  plans.set('judge-same', makePlan({ ...same, strategy: 'best-of-n', aggregators, judge, judgeMaxTokens }))
  if (trained) plans.set('trained', makePlan({ ...base, strategy: 'aft', aggregators: [trained] }))
  const needed = new Set<string>(only.flatMap(neededFor))
  const answers = new Set<string>(['aggregated', 'trained', 'single', 'single-long'])
  const asked = [...plans].filter(([name]) => needed.has(name))
  return new Map(
    asked.map(([name, plan]) => [name, answers.has(name) ? answerAt(plan, answerTemperature) : plan]),
  )
}

/** The plan with another temperature in its last layer. */
export function answerAt(plan: Plan, temperature: number | undefined): Plan {
  if (temperature === undefined) return plan
  const heat = (voice: Voice): Voice => ({ ...voice, sampling: { ...voice.sampling, temperature } })
  const layers = plan.layers.map((layer, i) =>
    i === plan.layers.length - 1 ? { ...layer, voices: layer.voices.map(heat) } : layer,
  )
  return { ...plan, layers }
}

/** The plans that a control needs: its own, and those that sample what it picks from. */
function neededFor(name: ControlName): PlannedControl[] {
  if (name === 'single' || name === 'single-long') return ['single', name]
  const own = name in pickedFrom ? pickedFrom[name as keyof typeof pickedFrom] : (name as PlannedControl)
  return name.endsWith('-same') ? ['majority', 'majority-same', own] : ['majority', own]
}

/** The plan whose first layer has the proposals of the others: the first of these that there is. */
export function samplerOf(plans: Map<PlannedControl, unknown>): PlannedControl {
  const samplers = ['aggregated', 'majority-same', 'majority'] as const
  return samplers.find((name) => plans.has(name)) ?? 'single'
}

/** A control's answer, and what it took. */
export interface ControlAnswer {
  text: string
  /** Completions that it asks for, judgments included. */
  completions: number
  usage: UsageTotal
  ms: number
  degradedBecause?: string[]
  /** For a judge: the place of its pick among the proposals, from 0. */
  picked?: number
}

/** The proposals of a question, as the journal keeps them. */
export interface Proposals {
  completions: Completion[]
  /** Mean similarity of their word pairs, 0 to 1. */
  agreement: number
}

/** The answer of a control that samples proposals for others, and these proposals. */
export interface Proposed {
  answer: ControlAnswer
  proposals: Proposals
}

/** Answers with the plan that samples the proposals. All controls share its first layer. @throws EngineError, or the signal's reason */
export async function aggregate(
  prompt: Prompt,
  plan: Plan,
  { engines, template, clock }: ControlHost,
  signal: AbortSignal,
): Promise<Proposed> {
  return toProposed(await answerPrompt(prompt, plan, { engines, template, clock, signal }))
}

/**
 * Answers with the majority of as many completions as the aggregation has: its proposals, and more from the same plan.
 * @throws EngineError, or the signal's reason
 */
export async function proposeMore(
  prompt: Prompt,
  { plan, proposals }: { plan: Plan; proposals: Completion[] },
  { engines, template, clock }: ControlHost,
  signal: AbortSignal,
): Promise<Proposed> {
  const host = resumeFrom({ engines, template, clock, signal }, [{ completions: proposals, failures: [] }])
  return toProposed(await answerPrompt(prompt, plan, host))
}

function toProposed(result: Result): Proposed {
  return { answer: toAnswer(result), proposals: takeProposals(result.layers[0]?.completions ?? []) }
}

/** The completions with an index below `count`. */
export function takeProposals(all: Completion[], count = Infinity): Proposals {
  const completions = all.filter(({ index }) => index < count)
  return { completions, agreement: agreement(completions.filter((c) => !c.excluded).map((c) => c.text)) }
}

/** Proposals that a control answers over. */
export interface Over {
  plan: Plan
  proposals: Completion[]
  /** The plan that sampled the proposals. */
  sampler: Plan
}

/** Answers with another control over existing proposals. @throws EngineError, or the signal's reason */
export async function answerControl(
  name: PlannedControl,
  prompt: Prompt,
  over: Over,
  host: ControlHost,
  signal: AbortSignal,
): Promise<ControlAnswer> {
  const template = name === 'trained' ? host.trainedTemplate : host.template
  const { engines, clock } = host
  const alone = { engines, template, clock, signal }
  const result = await answerPrompt(prompt, over.plan, share(name, alone, over))
  return toAnswer(result)
}

/**
 * Makes a host that has the proposals already. `single` uses the first one if it would be sampled at the same temperature; if it is
 * unusable, it samples again.
 */
function share(name: PlannedControl, host: Host, { plan, proposals, sampler }: Over): Host {
  if (name === 'single-long' || proposals.length === 0) return host
  const layer = { completions: proposals, failures: [] }
  if (name !== 'single') return { ...host, recorded: [layer] }
  const temperature = ({ layers }: Plan) => layers[0]?.voices[0]?.sampling.temperature
  return temperature(plan) === temperature(sampler) ? resumeFrom(host, [layer]) : host
}

/** Turns a result into the form that the journal keeps. */
export function toAnswer(result: Result): ControlAnswer {
  const { answer, usage, ms, degradedBecause, judgment, from } = result
  const made = result.layers.reduce((sum, layer) => sum + layer.completions.length, 0)
  return {
    text: answer,
    completions: made + (judgment ? 1 : 0),
    usage,
    ms,
    ...(degradedBecause && { degradedBecause }),
    ...(judgment && !degradedBecause && { picked: from.index }),
  }
}
