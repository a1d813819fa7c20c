/** Settings for which a specification has no option of its own, as the options of the providers that are known. */
import type { ReasoningEffort } from '../../core/provider/engine.ts'

/** Options of providers, by the provider's key. */
export type ProviderOptions = Record<string, Record<string, unknown>>

/** A model as far as it says who serves it. */
export interface Served {
  provider: string
  modelId: string
}

/** Who serves a model. `provider` is such as `openai.responses` or `google.vertex.chat`; a gateway has it in the model's id. */
function familyOf({ provider, modelId }: Served): string {
  const name = /^gateway/.test(provider) ? modelId : `${provider}`
  const found = FAMILIES.find(([pattern]) => pattern.test(name))
  return found?.[1] ?? (name.split(/[./]/)[0] as string)
}

/** The first that fits. Claude at Vertex takes the options of Anthropic. */
const FAMILIES: [RegExp, string][] = [
  [/anthropic(?!.*bedrock)/i, 'anthropic'],
  [/bedrock/i, 'bedrock'],
  [/^(openai|azure)/i, 'openai'],
  [/^(google|vertex)/i, 'google'],
]

/** How much a model may think, for versions 2 and 3 of the specification: version 4 has an option of its own. */
export function effortOptions(model: Served, effort: ReasoningEffort): ProviderOptions {
  const family = familyOf(model)
  if (family === 'anthropic') return { anthropic: anthropicThinking(model.modelId, effort) }
  if (family === 'bedrock') return { bedrock: { reasoningConfig: budgetOf(effort) } }
  if (family === 'google') return { google: { thinkingConfig: googleThinking(model.modelId, effort) } }
  if (family === 'mistral') return { mistral: { reasoningEffort: effort === 'none' ? 'none' : 'high' } }
  // All others, OpenAI-compatible ones included, have the words of OpenAI.
  return { [family]: { reasoningEffort: effort } }
}

/** Tokens of thinking, for models that know no words for it. Shares of 16,000, as the AI SDK has them. */
const BUDGETS: Record<ReasoningEffort, number> = {
  none: 0,
  minimal: 1_024,
  low: 1_600,
  medium: 4_800,
  high: 9_600,
  xhigh: 14_400,
  max: 15_200,
}

function budgetOf(effort: ReasoningEffort) {
  return effort === 'none' ? { type: 'disabled' } : { type: 'enabled', budgetTokens: BUDGETS[effort] }
}

/** Claude up to 4.5 takes a budget, later ones an effort. */
function anthropicThinking(modelId: string, effort: ReasoningEffort) {
  const hasBudget = /claude-(2|3|instant)|-4(-[0-5])?(-\d{8})?(@|:|$|-v\d)/.test(modelId)
  if (hasBudget || effort === 'none') return { thinking: budgetOf(effort) }
  return { thinking: { type: 'adaptive' }, effort: effort === 'minimal' ? 'low' : effort }
}

/** Gemini up to 2.5 takes a budget, later ones a level. */
function googleThinking(modelId: string, effort: ReasoningEffort) {
  if (/gemini-(1|2)/.test(modelId))
    return { thinkingBudget: BUDGETS[effort], includeThoughts: effort !== 'none' }
  const level = effort === 'none' ? 'minimal' : ['xhigh', 'max'].includes(effort) ? 'high' : effort
  return { thinkingLevel: level, includeThoughts: true }
}

/** Whether a completion may call several tools; undefined if the provider has no option for it. */
export function parallelOptions(model: Served, isParallel: boolean): ProviderOptions | undefined {
  const family = familyOf(model)
  if (family === 'anthropic') return { anthropic: { disableParallelToolUse: !isParallel } }
  if (['openai', 'mistral', 'groq'].includes(family)) return { [family]: { parallelToolCalls: isParallel } }
  return undefined
}

/** Fields of the wire that OpenAI's provider takes by other names. */
const OPENAI_FIELDS: Record<string, string> = {
  user: 'user',
  prompt_cache_key: 'promptCacheKey',
  prompt_cache_retention: 'promptCacheRetention',
  safety_identifier: 'safetyIdentifier',
  service_tier: 'serviceTier',
  verbosity: 'textVerbosity',
}

/** Other fields of the wire as options; those for which there is none are `left`. */
export function passedOptions(
  model: Served,
  passed: Record<string, unknown> = {},
): { options?: ProviderOptions; left: string[] } {
  const names = familyOf(model) === 'openai' ? OPENAI_FIELDS : {}
  const isTaken = (field: string) => Object.hasOwn(names, field)
  const taken = Object.entries(passed).filter(([field]) => isTaken(field))
  const left = Object.keys(passed).filter((field) => !isTaken(field))
  if (taken.length === 0) return { left }
  return {
    options: { openai: Object.fromEntries(taken.map(([field, value]) => [names[field], value])) },
    left,
  }
}

/** Options of several sources; the later ones win. */
export function joinOptions(...all: (ProviderOptions | undefined)[]): ProviderOptions | undefined {
  const joined: ProviderOptions = {}
  for (const options of all) {
    for (const [key, fields] of Object.entries(options ?? {})) joined[key] = { ...joined[key], ...fields }
  }
  return Object.keys(joined).length > 0 ? joined : undefined
}
