/** What engines cost, as far as the config says. */
import { isModel } from '../../engines/ai-sdk/is-model.ts'
import type { Config } from '../../engines/config.ts'
import type { Price } from '../../run/budget.ts'

const FREE: Price = { inputPerMTok: 0, outputPerMTok: 0 }

/** By the names given; models on this machine cost nothing, and undefined is a price that is not known. */
export function pricesOf(
  names: string[],
  { engines: entries = {} }: Config,
): Record<string, Price | undefined> {
  const find = (name: string): Price | undefined => {
    const entry = entries[name]
    if (entry === undefined) return isLocal(name) ? FREE : undefined
    if (typeof entry === 'string') return entry === name ? undefined : find(entry)
    if (typeof entry === 'function' || isModel(entry)) return undefined
    return entry.price ?? (isLocal(entry.baseURL ?? entry.model) ? FREE : undefined)
  }
  return Object.fromEntries(names.map((name) => [name, find(name)]))
}

/** A catalogued model has a name without a colon. */
function isLocal(name: string): boolean {
  return !name.includes(':') || /^(gguf|hf|scripted):|^https?:\/\/(localhost|127\.|\[::1\])/.test(name)
}
