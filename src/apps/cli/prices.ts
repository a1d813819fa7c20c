/** Finds the prices of engines in the config. */
import { isModel } from '../../engines/ai-sdk/is-model.ts'
import type { Config } from '../../engines/config.ts'
import type { Price } from '../../run/budget.ts'

const FREE: Price = { inputPerMTok: 0, outputPerMTok: 0 }

/** Returns prices by engine name. Models on this machine cost nothing; undefined is an unknown price. */
export function pricesOf(
  names: string[],
  { engines: entries = {} }: Config,
): Record<string, Price | undefined> {
  const find = (name: string): Price | undefined => {
    const entry = entries[name]
    if (entry === undefined) return isLocal(name) ? FREE : undefined
    if (typeof entry === 'string') return entry === name ? undefined : find(entry)
    if (typeof entry === 'function' || isModel(entry)) return undefined
    return entry.price ?? ([entry.baseURL ?? entry.model].flat().every(isLocal) ? FREE : undefined)
  }
  return Object.fromEntries(names.map((name) => [name, find(name)]))
}

/** Says whether an engine runs on this machine. The name of a listed model has no colon. */
function isLocal(name: string): boolean {
  return !name.includes(':') || /^(gguf|hf|scripted):|^https?:\/\/(localhost|127\.|\[::1\])/.test(name)
}
