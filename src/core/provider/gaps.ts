/** Says in words what a layer lacks, and which engines stood in for others. */
import type { ErrorRecord } from './errors.ts'

interface Layer {
  completions: { index: number; engine: string; fellBack?: { from: string; because: string } }[]
  failures: { index: number; error: ErrorRecord }[]
}

/** Says in words which members are missing because no fallback helped, a line per reason. People count layers and completions from 1. */
export function listMissing({ completions, failures }: Layer, layerIndex: number): string[] {
  const has = new Set(completions.map((c) => c.index))
  const missing = new Map(failures.filter((f) => !has.has(f.index)).map((f) => [f.index, f.error.kind]))
  return [...Map.groupBy(missing, ([, kind]) => kind)].map(([kind, members]) => {
    const numbers = listNumbers(members.map(([index]) => index))
    return `layer ${layerIndex + 1}: ${members.length === 1 ? `completion ${numbers} is` : `completions ${numbers} are`} missing (${kind})`
  })
}

/** Names members by their numbers, from 1: `3`, `1, 3` or `1 to 5`. */
export function listNumbers(indices: number[]): string {
  const numbers = indices.map((index) => index + 1).sort((a, b) => a - b)
  const [first = 0, last = 0] = [numbers[0], numbers.at(-1)]
  const isRange = numbers.length > 2 && last - first === numbers.length - 1
  return isRange ? `${first} to ${last}` : numbers.join(', ')
}

/** Says in words which engines of a layer replaced others. People count layers from 1. */
export function listFallbacks({ completions }: Layer, layerIndex: number): string[] {
  const fallen = completions.flatMap(({ engine, fellBack }) =>
    fellBack ? [`fell back from ${fellBack.from} to ${engine} (${fellBack.because})`] : [],
  )
  const groups = Map.groupBy(fallen, (text) => text)
  return [...groups].map(([text, { length }]) => {
    return `layer ${layerIndex + 1}: ${length === 1 ? '1 completion' : `${length} completions`} ${text}`
  })
}
