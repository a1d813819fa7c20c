/** Says in words what a layer lacks, and which engines stood in for others. */
import type { ErrorRecord } from './errors.ts'

interface Layer {
  completions: { index: number; engine: string; fellBack?: { from: string; because: string } }[]
  failures: { index: number; error: ErrorRecord }[]
}

/** Says in words which members are missing because no fallback helped. People count layers and completions from 1. */
export function listMissing({ completions, failures }: Layer, layerIndex: number): string[] {
  const has = new Set(completions.map((c) => c.index))
  const missing = new Map(failures.filter((f) => !has.has(f.index)).map((f) => [f.index, f.error.kind]))
  return [...missing].map(
    ([index, kind]) => `layer ${layerIndex + 1}: completion ${index + 1} is missing (${kind})`,
  )
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
