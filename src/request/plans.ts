/** The plan of a request: the operator's settings, then the preset's, then the request's own. */
import { randomInt } from 'node:crypto'
import { z } from 'zod'
import { countMembers, type Plan } from '../core/plan.ts'
import type { Sampling } from '../core/provider/engine.ts'
import { UsageError } from '../core/provider/errors.ts'
import { optionFields } from '../files/option-fields.ts'
import type { Panel } from '../plans/option-kinds.ts'
import { type OptionTable, type OptionValues, planOptions } from '../plans/options.ts'
import { mapSampling } from '../plans/own-settings.ts'
import type { Preset } from '../plans/presets.ts'
import { joinLevels, joinRoles, namesIn, toRole } from '../plans/roles.ts'
import { makePlan, type PlanOptions } from '../plans/strategies.ts'

/** The most that one request may use. */
export interface Limits {
  /** Completions per layer. */
  width: number
  /** Layers after the first. */
  depth: number
  /** Tokens per completion. */
  maxTokens: number
}

/** What a server allows if its operator sets no limits. */
export const DEFAULT_LIMITS: Limits = { width: 16, depth: 6, maxTokens: 32_768 }

/** What the operator offers. */
export interface Offer {
  presets: Record<string, Preset>
  base: PlanOptions
  limits: Limits
  /** Names that a request may use for its roles. */
  engines: string[]
}

/** The field `aft` of a request: every option of a plan, and how the answer is given. */
export interface AftOptions extends Omit<OptionValues, 'schema'> {
  enabled?: boolean
  showProposals?: boolean
  tools?: 'aggregator' | 'bypass' | 'first-call'
}

/** Makes the schema of the field `aft`. */
export function makeAftSchema(table: OptionTable = planOptions): z.ZodType<AftOptions> {
  return z.strictObject({
    ...optionFields(table),
    schema: z.never("send the schema in the API's own field, such as response_format").optional(),
    enabled: z.boolean().optional(),
    showProposals: z.boolean().optional(),
    tools: z.enum(['aggregator', 'bypass', 'first-call']).optional(),
  })
}

/** The field `aft` with the options of this version. */
export const aftSchema = makeAftSchema()

/** What a request says about its plan, in the same fields for every wire. */
export interface PlanRequest {
  model: string
  aft: AftOptions
  n: number
  seed?: number
  sampling: Partial<Sampling>
  /** Whether the bare engine answers, without proposals. */
  isBare: boolean
}

/**
 * Makes the plan of a request.
 * @throws UsageError with the field as `param`; its `code` is `model-not-found` for an unknown model
 */
export function planFor(request: PlanRequest, offer: Offer): Plan {
  const preset = presetOf(request.model, offer)
  const { maxTokens, temperature, reasoning, ...sampling } = request.sampling
  checkLimits(request, offer)
  const { enabled, showProposals, tools, ...options } = request.aft
  checkEngines(options, offer)
  const seed = request.seed === undefined ? (options.seed ?? randomInt(2 ** 31)) : Math.abs(request.seed)
  const own = { ...options, ...definedOnly({ temperature, reasoning }), seed }
  const chosen = joinLevels<PlanOptions>(offer.base, preset as PlanOptions, own as PlanOptions)
  if (maxTokens !== undefined) chosen.maxTokens = maxTokens
  const { aggregators = chosen.proposers.slice(0, 1) } = chosen
  const bare = { strategy: 'single' as const, proposers: [joinRoles(aggregators)] }
  const plan = withLimit(makeNamed({ ...chosen, ...(request.isBare && bare) }), maxTokens)
  const most = Math.max(...plan.layers.map(countMembers))
  if (most > offer.limits.width) throw tooMuch('aft.width', most, offer.limits.width)
  if (plan.layers.length - 1 > offer.limits.depth) {
    throw tooMuch('aft.depth', plan.layers.length - 1, offer.limits.depth)
  }
  return withChoices(withSampling(plan, sampling), request)
}

/** When the panel runs in a loop of tool calls. */
export function panelFor(model: string, { panel }: AftOptions, offer: Offer): Panel {
  return panel ?? presetOf(model, offer).panel ?? offer.base.panel ?? planOptions.panel.default
}

/** The preset of a name. @throws UsageError that lists the presets there are */
export function presetOf(model: string, { presets }: Offer): Preset {
  const preset = Object.hasOwn(presets, model) ? presets[model] : undefined
  if (preset) return preset
  const names = Object.keys(presets).join(', ')
  throw new UsageError(`there is no model "${model.slice(0, 100)}"; there are: ${names}`, {
    param: 'model',
    code: 'model-not-found',
  })
}

/** Runs before the plan is made, because a layer of 10^9 completions would exhaust the memory. */
function checkLimits({ aft, n }: PlanRequest, { limits }: Offer): void {
  const bounds: [string, number | undefined, number][] = [['n', n, limits.width]]
  for (const [name, { limit }] of Object.entries(planOptions as OptionTable)) {
    // Steps count the first layer too, which depth does not.
    const most = limit && limits[limit] + (name === 'steps' ? 1 : 0)
    if (most !== undefined) bounds.push([`aft.${name}`, aft[name as 'width'], most])
  }
  for (const name of ['proposers', 'aggregators', 'judge'] as const) {
    for (const role of [aft[name] ?? []].flat().map(toRole)) {
      const all = [role, ...(role.fallbacks ?? []).map(toRole)]
      for (const { maxTokens } of all) bounds.push([`aft.${name}`, maxTokens, limits.maxTokens])
      bounds.push([`aft.${name}`, role.n, limits.width])
    }
  }
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

/** A request may name the engines of the operator, and no others. */
function checkEngines(options: OptionValues, { engines }: Offer): void {
  for (const [name, { kind }] of Object.entries(planOptions as OptionTable)) {
    if (kind.type !== 'engine' && kind.type !== 'engines') continue
    for (const engine of namesIn([options[name as 'proposers'] ?? []].flat())) {
      if (!engines.includes(engine)) throw unknownEngine(name, engine, engines)
    }
  }
}

function unknownEngine(role: string, name: string, engines: string[]): UsageError {
  const message = `aft.${role}: there is no engine "${name.slice(0, 100)}" here; there are: ${engines.join(', ')}`
  return new UsageError(message, { param: `aft.${role}`, code: 'unknown-engine' })
}

function definedOnly<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, v]) => v !== undefined)) as Partial<T>
}

/** Makes a plan; its errors name the field of the request (`aft.width`). */
function makeNamed(options: PlanOptions): Plan {
  try {
    return makePlan(options)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    const param = error.param === undefined ? 'aft' : `aft.${error.param}`
    throw new UsageError(error.message, { param, code: 'invalid-value' })
  }
}

/** Sets the request's sampling in every layer. */
function withSampling(plan: Plan, sampling: Partial<Sampling>): Plan {
  const set = definedOnly(sampling)
  return mapSampling(plan, (before) => ({ ...before, ...set }))
}

/** The request's limit holds for roles that have a higher one of their own. */
function withLimit(plan: Plan, most: number | undefined): Plan {
  if (most === undefined) return plan
  return mapSampling(plan, (before) => ({ ...before, maxTokens: Math.min(most, before.maxTokens ?? most) }))
}

/** `n` answers are `n` completions of the last layer; the layers before it are shared. */
function withChoices(plan: Plan, { n }: PlanRequest): Plan {
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
