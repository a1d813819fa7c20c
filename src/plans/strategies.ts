/** Makes plans from strategies. A strategy decides the layers and how the answer is taken; nothing else. */
import { countMembers, type Layer, type Plan, type Quorum, type Voice } from '../core/plan.ts'
import type { Engine, Sampling } from '../core/provider/engine.ts'
import { UsageError } from '../core/provider/errors.ts'
import { defaultTemplate } from '../core/templates.ts'
import {
  checkOptions,
  type OptionName,
  type OptionTable,
  type OptionValues,
  planOptions,
  type StrategyName,
} from './options.ts'

/** What a caller may set: the options of the table, and the template's id. Only the engines have no default. */
export interface PlanOptions extends OptionValues {
  /** Engines that propose; the width is spread over them in turn. */
  proposers: string[]
  template?: string
  /** Default of `maxTokens` by engine name, for engines that have their own (`defaultMaxTokens`). */
  engineMaxTokens?: Record<string, number>
}

type Shape = Pick<Plan, 'layers' | 'choose'>
type Settings = ReturnType<typeof readSettings>

/** The strategies by name: each makes the layers of a plan and says how the answer is taken. */
export const strategies: Record<StrategyName, (settings: Settings) => Shape> = {
  /** Propose-and-aggregate: width x depth + 1 completions. Source: arXiv 2501.11877. */
  aft: (s) => stack(s, spread(s, s.width), [voice(s, s.aggregators, s.width)]),
  /** Mixture of agents: several models propose, and aggregate in the middle layers. Source: arXiv 2406.04692. */
  moa: (s) => {
    const agents = spread(s, s.width)
    return stack(s, agents, agents)
  },
  /** Recursive self-aggregation: each member sees a sample of the population. Source: arXiv 2509.26626. */
  rsa: (s) => {
    if (s.sample > s.width) {
      const message = `expected \`sample\` to be at most the width ${s.width}, got ${s.sample}`
      throw new UsageError(message, { param: 'sample', code: 'invalid-value' })
    }
    const rounds = Array.from(
      { length: s.steps - 1 },
      (): Layer => ({ voices: spread(s, s.width), see: { sample: s.sample } }),
    )
    return { layers: [{ voices: spread(s, s.width), see: 'nothing' }, ...rounds], choose: 'random' }
  },
  /** The most frequent extracted answer. Source: arXiv 2203.11171. */
  'self-consistency': (s) => ({
    layers: [{ voices: spread(s, s.width), see: 'nothing' }],
    choose: 'vote',
  }),
  /** A judge reads the candidates and picks one. */
  'best-of-n': (s) => ({
    layers: [{ voices: spread(s, s.width), see: 'nothing' }],
    choose: { judge: s.judge, ...s.judgment },
  }),
  /** The bare engine. */
  single: (s) => ({
    layers: [{ voices: [lastVoice(s, [s.proposers[0] as string])], see: 'nothing' }],
    choose: 'last',
  }),
}

/**
 * Makes a plan from options and fills in every default. A sampling setting that no option has is absent.
 * @throws UsageError that says what was expected and what came; its `param` is the option's name
 * @example
 * makePlan({ proposers: ['small'], width: 3, depth: 1 }) // 3 proposals, then 1 answer: 2 requests
 */
export function makePlan(options: PlanOptions): Plan {
  const settings = readSettings(options)
  const { strategy, seed, order, overflow, stopAtAgreement, quorum, strict } = settings
  const { layers, choose } = strategies[strategy](settings)
  return {
    strategy,
    layers: quorum ? layers.map((layer) => withQuorum(layer, quorum)) : layers,
    template: options.template ?? defaultTemplate.id,
    seed,
    order,
    choose,
    overflow,
    ...(stopAtAgreement !== undefined && { stopAtAgreement }),
    ...(strict && { strict }),
  }
}

/** The default token limits of engines, by engine name, for `engineMaxTokens`. */
export function limitsOf(engines: Record<string, Engine>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(engines).flatMap(([name, { defaultMaxTokens: limit }]) =>
      limit === undefined ? [] : [[name, limit]],
    ),
  )
}

/**
 * The first layer proposes, then `depth - 1` layers of `members` and one aggregator see all of the layer before. Depth 0
 * is the bare engine.
 */
function stack(s: Settings, proposers: Voice[], members: Voice[]): Shape {
  if (s.depth === 0) return strategies.single(s)
  const middle = Array.from({ length: s.depth - 1 }, (): Layer => ({ voices: members, see: 'all' }))
  const last: Layer = { voices: [lastVoice(s, s.aggregators)], see: 'all' }
  return { layers: [{ voices: proposers, see: 'nothing' }, ...middle, last], choose: 'last' }
}

function voice(s: Settings, [engine = '', ...fallbacks]: string[], n: number): Voice {
  const { temperature, topP, topK, minP, reasoning } = s
  const all = { temperature, topP, maxTokens: s.maxTokensOf(engine), topK, minP, reasoning }
  const sampling: Sampling = Object.fromEntries(Object.entries(all).filter(([, v]) => v !== undefined))
  return { engine, n, sampling, ...(fallbacks.length > 0 && { fallbacks }) }
}

/** The voice of the last layer: one completion, with `topP` 1 if the other layers have a `topP`. */
function lastVoice(s: Settings, engines: string[]): Voice {
  return voice(s.topP === undefined ? s : { ...s, topP: 1 }, engines, 1)
}

/** Spreads `width` completions over the proposers as evenly as possible; the first ones get what is left over. */
function spread(s: Settings, width: number): Voice[] {
  const count = s.proposers.length
  return s.proposers
    .map((engine, i) => voice(s, [engine], Math.floor(width / count) + (i < width % count ? 1 : 0)))
    .filter((v) => v.n > 0)
}

/** A layer of one completion gets no quorum: the plan always waits for it. */
function withQuorum(layer: Layer, quorum: Quorum): Layer {
  const width = countMembers(layer)
  if (width === 1) return layer
  return { ...layer, quorum: { ...quorum, count: Math.min(quorum.count, width) } }
}

/** Checks every option and fills in its default. */
function readSettings({ template, engineMaxTokens = {}, proposers = [], ...others }: PlanOptions) {
  checkOptions({ proposers, ...others })
  const given: OptionValues = Object.fromEntries(Object.entries(others).filter(([, v]) => v !== undefined))
  const { aggregators = [proposers[0] as string], judgeMaxTokens, maxTokens, quorum, ...more } = given
  const width = given.width ?? (given.strategy === 'moa' ? proposers.length : defaults.width)
  return {
    ...defaults,
    sample: Math.min(defaults.sample, width),
    judge: aggregators[0] as string,
    ...more,
    proposers,
    aggregators,
    width,
    judgment: judgeMaxTokens === undefined ? {} : { maxTokens: judgeMaxTokens },
    maxTokensOf: (engine: string) => maxTokens ?? engineMaxTokens[engine],
    quorum: readQuorum(given),
  }
}

/** The table's defaults. */
const defaults = Object.fromEntries(
  Object.entries(planOptions as OptionTable).flatMap(([name, spec]) =>
    'default' in spec ? [[name, spec.default]] : [],
  ),
) as Required<Pick<OptionValues, Defaulted>>

type Defaulted = {
  [Name in OptionName]: (typeof planOptions)[Name] extends { default: unknown } ? Name : never
}[OptionName]

/** With a cap but no quorum, the layer waits for all completions until the cap. */
function readQuorum({ quorum, graceMs, capMs }: OptionValues): Quorum | undefined {
  if (graceMs !== undefined && quorum === undefined) {
    throw new UsageError('`graceMs` needs `quorum`', { param: 'graceMs', code: 'invalid-value' })
  }
  if (quorum === undefined && capMs === undefined) return undefined
  const count = quorum ?? Number.MAX_SAFE_INTEGER
  return { count, graceMs: graceMs ?? defaults.graceMs, ...(capMs !== undefined && { capMs }) }
}
