/** Each named strategy as a plan. A strategy decides the layers and how the answer is taken; nothing else. */

import { countMembers, type Layer, type Plan, type Quorum, type Voice } from './plan.ts'
import type { Sampling } from './provider/engine.ts'
import { UsageError } from './provider/errors.ts'
import { defaultTemplate } from './templates.ts'

/** What a caller may set; everything has a default but the engines. */
export interface PlanOptions {
  strategy?: StrategyName
  /** Engines that propose; the width is spread over them in turn. */
  proposers: string[]
  /** The engine that aggregates, then those that take over when it fails. Default: the first proposer. */
  aggregators?: string[]
  /** The engine that picks, for `best-of-n`. Default: the aggregator. */
  judge?: string
  /** Most tokens of its judgment; its first number counts. Default 512, which leaves room to reason. */
  judgeMaxTokens?: number
  /** Completions a layer, from 1. Default 5; for `moa` the number of proposers. */
  width?: number
  /** Aggregation layers, from 0. Default 2. */
  depth?: number
  /** For `rsa`: proposals that each member sees (default 3), and rounds, the first included (default 3). */
  sample?: number
  steps?: number
  temperature?: number
  /** Of every layer but the last, which has 1. Default 0.95. */
  topP?: number
  /** Most tokens of each completion. Default 1024. */
  maxTokens?: number
  seed?: number
  quorum?: Quorum
  order?: Plan['order']
  overflow?: Plan['overflow']
  stopAtAgreement?: number
  template?: string
}

export type StrategyName = keyof typeof strategies

type Shape = Pick<Plan, 'layers' | 'choose'>
type Settings = ReturnType<typeof readSettings>

export const strategies = {
  /** Propose-and-aggregate: width x depth + 1 completions. Source: arXiv 2501.11877. */
  aft: (s: Settings): Shape => stack(s, spread(s, s.width), [voice(s.aggregators, s.width, s.inner)]),
  /** Mixture of agents: several models propose, and aggregate in the middle layers. Source: arXiv 2406.04692. */
  moa: (s: Settings): Shape => {
    const agents = spread(s, s.isWidthGiven ? s.width : s.proposers.length)
    return stack(s, agents, agents)
  },
  /** Recursive self-aggregation: each member sees a sample of the population. Source: arXiv 2509.26626. */
  rsa: (s: Settings): Shape => {
    if (s.sample > s.width)
      throw new UsageError(`expected \`sample\` to be at most the width ${s.width}, got ${s.sample}`)
    const rounds = Array.from(
      { length: s.steps - 1 },
      (): Layer => ({ voices: spread(s, s.width), see: { sample: s.sample } }),
    )
    return { layers: [{ voices: spread(s, s.width), see: 'nothing' }, ...rounds], choose: 'random' }
  },
  /** The most frequent extracted answer. Source: arXiv 2203.11171. */
  'self-consistency': (s: Settings): Shape => ({
    layers: [{ voices: spread(s, s.width), see: 'nothing' }],
    choose: 'vote',
  }),
  /** A judge reads the candidates and picks one. */
  'best-of-n': (s: Settings): Shape => ({
    layers: [{ voices: spread(s, s.width), see: 'nothing' }],
    choose: { judge: s.judge, ...s.judgment },
  }),
  /** The bare engine. */
  single: (s: Settings): Shape => ({
    layers: [{ voices: [voice([s.proposers[0] as string], 1, s.final)], see: 'nothing' }],
    choose: 'last',
  }),
}

/**
 * A plan from options, every default filled in.
 * @throws UsageError that names the option, what was expected and what came
 */
export function makePlan(options: PlanOptions): Plan {
  const name = options.strategy ?? 'aft'
  if (!Object.hasOwn(strategies, name))
    throw new UsageError(`there is no strategy "${name}"; there are: ${Object.keys(strategies).join(', ')}`)
  const { layers, choose } = strategies[name](readSettings(options))
  const { quorum, stopAtAgreement } = options
  return {
    strategy: name,
    layers: quorum ? layers.map((layer) => withQuorum(layer, quorum)) : layers,
    template: options.template ?? defaultTemplate.id,
    seed: whole('seed', options.seed ?? 0, 0),
    order: oneOf('order', options.order ?? 'as-sampled', ['as-sampled', 'shuffled']),
    choose,
    overflow: oneOf('overflow', options.overflow ?? 'trim', ['trim', 'refuse']),
    ...(stopAtAgreement !== undefined && {
      stopAtAgreement: inRange('stopAtAgreement', stopAtAgreement, 0, 1),
    }),
  }
}

/** First layer proposes, depth - 1 layers of the members see all, one aggregator ends. Depth 0 is the bare engine. */
function stack(s: Settings, proposers: Voice[], members: Voice[]): Shape {
  if (s.depth === 0) return strategies.single(s)
  const middle = Array.from({ length: s.depth - 1 }, (): Layer => ({ voices: members, see: 'all' }))
  const last: Layer = { voices: [voice(s.aggregators, 1, s.final)], see: 'all' }
  return { layers: [{ voices: proposers, see: 'nothing' }, ...middle, last], choose: 'last' }
}

function voice([engine, ...fallbacks]: string[], n: number, sampling: Sampling): Voice {
  return { engine: engine as string, n, sampling, ...(fallbacks.length > 0 && { fallbacks }) }
}

/** `width` completions over the proposers as evenly as it goes; the first get what is left over. */
function spread(s: Settings, width: number): Voice[] {
  const count = s.proposers.length
  return s.proposers
    .map((engine, i) => voice([engine], Math.floor(width / count) + (i < width % count ? 1 : 0), s.inner))
    .filter((v) => v.n > 0)
}

/** A layer of one has no stragglers: its only completion is waited for. */
function withQuorum(layer: Layer, quorum: Quorum): Layer {
  const width = countMembers(layer)
  if (width === 1) return layer
  return { ...layer, quorum: { ...quorum, count: Math.min(quorum.count, width) } }
}

function readSettings(o: PlanOptions) {
  if (o.proposers.length === 0) throw new UsageError('expected at least one engine that proposes, got none')
  const aggregators = o.aggregators?.length ? o.aggregators : [o.proposers[0] as string]
  const maxTokens = whole('maxTokens', o.maxTokens ?? 1024, 1)
  const temperature = inRange('temperature', o.temperature ?? 0.7, 0, 5)
  const topP = inRange('topP', o.topP ?? 0.95, 0, 1)
  if (o.quorum) {
    whole('quorum', o.quorum.count, 1)
    inRange('graceMs', o.quorum.graceMs, 0, Number.MAX_SAFE_INTEGER)
    if (o.quorum.capMs !== undefined) inRange('capMs', o.quorum.capMs, 1, Number.MAX_SAFE_INTEGER)
  }
  return {
    proposers: o.proposers,
    aggregators,
    judge: o.judge ?? (aggregators[0] as string),
    judgment:
      o.judgeMaxTokens === undefined ? {} : { maxTokens: whole('judgeMaxTokens', o.judgeMaxTokens, 1) },
    isWidthGiven: o.width !== undefined,
    width: whole('width', o.width ?? 5, 1),
    depth: whole('depth', o.depth ?? 2, 0),
    sample: whole('sample', o.sample ?? Math.min(3, o.width ?? 5), 1),
    steps: whole('steps', o.steps ?? 3, 1),
    inner: { temperature, topP, maxTokens } satisfies Sampling,
    final: { temperature, topP: 1, maxTokens } satisfies Sampling,
  }
}

function whole(name: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new UsageError(
    `expected \`${name}\` to be a whole number from ${least}, got ${JSON.stringify(value)}`,
  )
}

function inRange(name: string, value: number, least: number, most: number): number {
  if (typeof value === 'number' && value >= least && value <= most) return value
  throw new UsageError(
    `expected \`${name}\` to be a number from ${least} to ${most}, got ${JSON.stringify(value)}`,
  )
}

function oneOf<T extends string>(name: string, value: T, allowed: T[]): T {
  if (allowed.includes(value)) return value
  throw new UsageError(
    `expected \`${name}\` to be one of ${allowed.join(', ')}, got ${JSON.stringify(value)}`,
  )
}
