/** Makes plans from strategies. A strategy decides the layers and how the answer is taken; nothing else. */
import {
  countMembers,
  type Judge,
  type Layer,
  type Plan,
  type Quorum,
  type Voice,
  writerOf,
} from '../core/plan.ts'
import type { Engine } from '../core/provider/engine.ts'
import { UsageError } from '../core/provider/errors.ts'
import type { Role, RoleSettings } from './option-kinds.ts'
import {
  checkOptions,
  type OptionName,
  type OptionTable,
  type OptionValues,
  planOptions,
  type StrategyName,
} from './options.ts'
import { hasCounts, joinRoles, toRole, toVoice } from './roles.ts'
import { defaultTemplate } from './wordings.ts'

/** What a caller may set: the options of the table, and the template's id. Only the engines have no default. */
export interface PlanOptions extends OptionValues {
  /** Engines that propose; the width is spread over them in turn. */
  proposers: (string | Role)[]
  /** Id of the template. Default: that of the engine of the last layer in `engineTemplates`, then `aft-2`. */
  template?: string
  /** Default of `maxTokens` by engine name, for engines that have their own (`defaultMaxTokens`). */
  engineMaxTokens?: Record<string, number>
  /** Ids of templates by engine name, for models that were trained with one. They win over `template`. */
  engineTemplates?: Record<string, string>
}

type Shape = Pick<Plan, 'layers' | 'choose'>
type Settings = ReturnType<typeof readSettings>

/** The strategies by name: each makes the layers of a plan and says how the answer is taken. */
export const strategies: Record<StrategyName, (settings: Settings) => Shape> = {
  /** Propose-and-aggregate: width x depth + 1 completions. Source: arXiv 2501.11877. */
  aft: (s) => stack(s, spread(s, s.width), [voice(s, joinRoles(s.aggregators), s.width)]),
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
    choose: judgeOf(s),
  }),
  /** The bare engine. */
  single: (s) => ({
    layers: [{ voices: [lastVoice(s, s.proposers[0] as Role)], see: 'nothing' }],
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
    template: options.engineTemplates?.[writerOf({ layers })] ?? options.template ?? defaultTemplate.id,
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
  const last: Layer = { voices: [lastVoice(s, joinRoles(s.aggregators))], see: 'all' }
  return { layers: [{ voices: proposers, see: 'nothing' }, ...middle, last], choose: 'last' }
}

/** A voice of `n` samples. @param topP of the layer, if its engine does not have its own */
function voice(s: Settings, role: string | Role, n: number, topP = s.topP): Voice {
  return toVoice(role, n, (engine, own) => {
    const { temperature, topK, minP, reasoning } = s
    const maxTokens = s.maxTokens ?? s.engineMaxTokens[engine]
    return defined({ temperature, topP, maxTokens, topK, minP, reasoning, ...defined(own) })
  })
}

function defined<Fields extends object>(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Fields
}

/** The voice of the last layer: one completion, with `topP` 1 if the other layers have a `topP`. */
function lastVoice(s: Settings, role: string | Role): Voice {
  return voice(s, role, 1, s.topP === undefined ? undefined : 1)
}

/** The judge has the effort of all, and its own sampling. */
function judgeOf(s: Settings): Judge {
  const own: RoleSettings = defined({ reasoning: s.reasoning, maxTokens: s.judgeMaxTokens })
  const { engine, sampling, fallbacks } = toVoice(s.judge, 1, (_, more) => ({ ...own, ...defined(more) }))
  const { maxTokens, ...rest } = sampling
  return {
    judge: engine,
    ...(maxTokens !== undefined && { maxTokens }),
    ...(Object.keys(rest).length > 0 && { sampling: rest }),
    ...(fallbacks && { fallbacks }),
  }
}

/** Spreads `width` completions over proposers without numbers as evenly as possible; the first ones get what is left over. */
function spread(s: Settings, width: number): Voice[] {
  const count = s.proposers.length
  return s.proposers
    .map((role, i) =>
      voice(s, role, s.counts?.[i] ?? Math.floor(width / count) + (i < width % count ? 1 : 0)),
    )
    .filter((v) => v.n > 0)
}

/** A layer of one completion gets no quorum: the plan always waits for it. */
function withQuorum(layer: Layer, quorum: Quorum): Layer {
  const width = countMembers(layer)
  if (width === 1) return layer
  return { ...layer, quorum: { ...quorum, count: Math.min(quorum.count, width) } }
}

/** Checks every option and fills in its default. */
function readSettings(options: PlanOptions) {
  const { template, engineTemplates, engineMaxTokens = {}, proposers = [], ...others } = options
  checkOptions({ proposers, ...others })
  const given: OptionValues = defined(others)
  const { aggregators = proposers.slice(0, 1), quorum, ...more } = given
  const counts = readCounts(proposers, given.width)
  const usual = given.strategy === 'moa' ? proposers.length : defaults.width
  const width = given.width ?? counts?.reduce((sum, n) => sum + n, 0) ?? usual
  return {
    ...defaults,
    sample: Math.min(defaults.sample, width),
    judge: aggregators[0] as string | Role,
    ...more,
    proposers,
    aggregators,
    width,
    counts,
    engineMaxTokens,
    quorum: readQuorum(given),
  }
}

/** The number of samples of each proposer, if one of them has a number. */
function readCounts(proposers: (string | Role)[], width: number | undefined): number[] | undefined {
  if (!hasCounts(proposers)) return undefined
  const counts = proposers.map(toRole).map(({ n = 1 }) => n)
  const sum = counts.reduce((a, b) => a + b, 0)
  if (width === undefined || width === sum) return counts
  const message = `\`width\` is ${width}, but the \`n\` of the proposers add up to ${sum}: leave one of them out`
  throw new UsageError(message, { param: 'width', code: 'invalid-value' })
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
