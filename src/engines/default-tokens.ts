/** How long a model's completions may be if nobody says it. */
import { isModel } from './ai-sdk/is-model.ts'
import type { Config } from './config.ts'
import { catalog } from './models/model-catalog.ts'

/** By name: the catalog's models that bring a limit of their own, and what a config calls them. */
export function readDefaultTokens(config: Config = {}): Record<string, number> {
  const names = [...catalog.map(({ name }) => name), ...Object.keys(config.engines ?? {})]
  return Object.fromEntries(
    names.map((name) => [name, findTokens(name, config)]).filter(([, tokens]) => tokens !== undefined),
  )
}

function findTokens(name: string, config: Config, seen: string[] = []): number | undefined {
  const model = catalog.find((known) => known.name === name)
  if (model) return model.maxTokens
  const entry = seen.includes(name) ? undefined : config.engines?.[name]
  if (typeof entry === 'string') return findTokens(entry, config, [...seen, name])
  if (typeof entry !== 'object' || isModel(entry) || entry.baseURL !== undefined) return undefined
  return findTokens(entry.model, config, [...seen, name])
}
