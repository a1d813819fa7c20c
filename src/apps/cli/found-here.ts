/** What else this machine can ask, as `aft models` and `aft doctor` say it. */
import type { Found } from '../../engines/named/found.ts'

const MAX_NAMES = 5

/** What is there: `answers at ADDRESS with 2 models: a, b`, `ANTHROPIC_API_KEY is set`. Keys by their names only. */
export function describeFound({ about, address, models, keys = [] }: Found): string {
  if (address === undefined) return `${about}: ${keys.join(' and ')} ${keys.length > 1 ? 'are' : 'is'} set`
  const at = `${about} answers at ${address}`
  if (models === undefined) return `${at} and wants a key`
  const more = models.length > MAX_NAMES ? ', …' : ''
  const names = models.length > 0 ? `: ${models.slice(0, MAX_NAMES).join(', ')}${more}` : ''
  return `${at} with ${models.length} model${models.length === 1 ? '' : 's'}${names}`
}

/** The commands to use it. */
export function linesToUse({ model, install }: Found): string[] {
  return [...(install ? [install] : []), `aft ask "…" --model ${model}`]
}

/** A paragraph of all that was found. */
export function showFound(found: Found[]): string {
  if (found.length === 0)
    return 'No other server answers here and no key is set. Names of servers and providers: docs/models.md'
  const parts = found.map((one) => [describeFound(one), ...linesToUse(one).map((line) => `  $ ${line}`)])
  return ['Also found here:', '', ...parts.flat()].join('\n')
}
