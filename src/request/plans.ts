/** Presets, and the plan of a request: the operator's settings, then the preset's, then the request's own. */
import { randomInt } from 'node:crypto'
import { z } from 'zod'
import { countMembers, type Plan, type Voice } from '../core/plan.ts'
import type { Sampling } from '../core/provider/engine.ts'
import { UsageError } from '../core/provider/errors.ts'
import { makePlan, type PlanOptions, type StrategyName, strategies } from '../core/strategies.ts'

/** A model that clients can name. */
export type Preset = Partial<PlanOptions>

/** The most that a request may ask for. */
export interface Limits {
  /** Completions of a layer. */
  width: number
  /** Layers after the first. */
  depth: number
  /** Tokens of a completion. */
  maxTokens: number
}

export const DEFAULT_LIMITS: Limits = { width: 16, depth: 6, maxTokens: 32_768 }

/** What the operator has set up. */
export interface Offer {
  presets: Record<string, Preset>
  base: PlanOptions
  limits: Limits
  /** Names that a request may use for its roles. */
  engines: string[]
}

/** The presets that every server has, over the operator's own settings. */
export function defaultPresets({ proposers, aggregators = proposers }: PlanOptions): Record<string, Preset> {
  const bare = { strategy: 'single', proposers: aggregators } as const
  return {
    aft: {},
    'aft-fast': { strategy: 'aft', width: 3, depth: 1 },
    moa: { strategy: 'moa', width: Math.max(3, proposers.length) },
    rsa: { strategy: 'rsa' },
    single: bare,
  }
}

const whole = (least: number) => z.int().min(least)

/** The field `aft` of a request. */
export const aftSchema = z.strictObject({
  enabled: z.boolean().optional(),
  strategy: z.enum(Object.keys(strategies) as [StrategyName]).optional(),
  width: whole(1).optional(),
  depth: whole(0).optional(),
  sample: whole(1).optional(),
  steps: whole(1).optional(),
  proposers: z.array(z.string()).min(1).optional(),
  aggregator: z.union([z.string(), z.array(z.string()).min(1)]).optional(),
  judge: z.string().optional(),
  order: z.enum(['as-sampled', 'shuffled']).optional(),
  overflow: z.enum(['trim', 'refuse']).optional(),
  stopAtAgreement: z.number().min(0).max(1).optional(),
  quorum: whole(1).optional(),
  graceMs: whole(0).optional(),
  capMs: whole(1).optional(),
  showProposals: z.boolean().optional(),
  tools: z.enum(['aggregator', 'bypass', 'first-call']).optional(),
})

export type AftOptions = z.infer<typeof aftSchema>

/** What the request says of sampling, in its own fields. */
export interface Asked {
  model: string
  aft: AftOptions
  n: number
  seed?: number
  sampling: Partial<Sampling>
  /** Where the request says how long an answer may be. */
  maxTokensParam: string
  isBare: boolean
}

/**
 * The plan of a request.
 * @throws UsageError with the field as `param`; its `code` is `model-not-found` for an unknown model
 */
export function planFor(asked: Asked, offer: Offer): Plan {
  const preset = presetOf(asked.model, offer)
  const { maxTokens, ...sampling } = asked.sampling
  checkLimits(asked, offer)
  const chosen: PlanOptions = {
    ...offer.base,
    ...preset,
    ...rolesOf(asked.aft, offer),
    ...given({ maxTokens, temperature: sampling.temperature }),
    seed: asked.seed === undefined ? randomInt(2 ** 31) : Math.abs(asked.seed),
  }
  const bare = { strategy: 'single', proposers: chosen.aggregators ?? chosen.proposers } as const
  const plan = make({ ...chosen, ...(asked.isBare && bare) })
  const most = Math.max(...plan.layers.map(countMembers))
  if (most > offer.limits.width) throw tooMuch('aft.width', most, offer.limits.width)
  if (plan.layers.length - 1 > offer.limits.depth) {
    throw tooMuch('aft.depth', plan.layers.length - 1, offer.limits.depth)
  }
  return withChoices(withSampling(plan, sampling), asked)
}

/** The preset of that name. @throws UsageError that lists the models there are */
export function presetOf(model: string, { presets }: Offer): Preset {
  const preset = Object.hasOwn(presets, model) ? presets[model] : undefined
  if (preset) return preset
  const names = Object.keys(presets).join(', ')
  throw new UsageError(`there is no model "${model.slice(0, 100)}"; there are: ${names}`, {
    param: 'model',
    code: 'model-not-found',
  })
}

/** Before the plan is made: a layer of 10^9 would be made first and refused then. */
function checkLimits({ aft, n, sampling, maxTokensParam }: Asked, { limits }: Offer): void {
  const bounds: [string, number | undefined, number][] = [
    ['aft.width', aft.width, limits.width],
    ['aft.depth', aft.depth, limits.depth],
    ['aft.steps', aft.steps, limits.depth + 1],
    ['n', n, limits.width],
    [maxTokensParam, sampling.maxTokens, limits.maxTokens],
  ]
  for (const [param, value, most] of bounds) {
    if (value !== undefined && value > most) throw tooMuch(param, value, most)
  }
}

function tooMuch(param: string, value: number, most: number): UsageError {
  return new UsageError(`${param}: this server allows at most ${most}, got ${value}`, {
    param,
    code: 'above-limit',
  })
}

function rolesOf(aft: AftOptions, { engines }: Offer): Partial<PlanOptions> {
  const { enabled, showProposals, tools, quorum, graceMs, capMs, aggregator, ...rest } = aft
  const aggregators = aggregator === undefined ? undefined : [aggregator].flat()
  const names = { proposers: rest.proposers, aggregator: aggregators, judge: rest.judge && [rest.judge] }
  for (const [role, chosen] of Object.entries(names)) {
    for (const name of chosen || []) if (!engines.includes(name)) throw unknownEngine(role, name, engines)
  }
  const hasQuorum = quorum !== undefined || capMs !== undefined
  const count = quorum ?? Number.MAX_SAFE_INTEGER
  return {
    ...given(rest),
    ...given({ aggregators }),
    ...(hasQuorum && { quorum: { count, graceMs: graceMs ?? 5_000, capMs } }),
  }
}

function unknownEngine(role: string, name: string, engines: string[]): UsageError {
  const message = `aft.${role}: there is no engine "${name.slice(0, 100)}" here; there are: ${engines.join(', ')}`
  return new UsageError(message, { param: `aft.${role}`, code: 'unknown-engine' })
}

function given<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, v]) => v !== undefined)) as Partial<T>
}

/** The core names the wrong option in its message. */
function make(options: PlanOptions): Plan {
  try {
    return makePlan(options)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    const name = /`(\w+)`/.exec(error.message)?.[1]
    throw new UsageError(error.message, { param: name ? `aft.${name}` : 'aft', code: 'invalid-value' })
  }
}

/** What the caller says of sampling holds in every layer. */
function withSampling(plan: Plan, sampling: Partial<Sampling>): Plan {
  const voiced = (voice: Voice): Voice => ({ ...voice, sampling: { ...voice.sampling, ...given(sampling) } })
  return { ...plan, layers: plan.layers.map((l) => ({ ...l, voices: l.voices.map(voiced) })) }
}

/** `n` answers are `n` completions of the last layer: what comes before is shared. */
function withChoices(plan: Plan, { n }: Asked): Plan {
  if (n === 1) return plan
  const last = plan.layers.at(-1)
  const [voice] = last?.voices ?? []
  if (plan.choose !== 'last' || !last || !voice) {
    throw new UsageError(`n: the strategy ${plan.strategy} picks one answer, so n must be 1`, {
      param: 'n',
      code: 'unsupported-value',
    })
  }
  return { ...plan, layers: [...plan.layers.slice(0, -1), { ...last, voices: [{ ...voice, n }] }] }
}
