/** Where a flag or argument names a benchmark's file: `official` stands for the owner's own. */
import {
  type Benchmark,
  fetchOfficial,
  fetchOfficialFolder,
  type OfficialOptions,
  type officialFiles,
} from '../../../eval/official-files.ts'
import { watchInterrupts } from '../interrupt.ts'
import { createPullProgress } from '../progress.ts'

const OFFICIAL = 'official'

/** The path given, or that of the owner's file. @throws UsageError where it cannot be had */
export async function resolveOfficial<B extends Benchmark>(
  given: string,
  benchmark: B,
  what: keyof (typeof officialFiles)[B] & string,
  flags: { progress?: boolean },
): Promise<string> {
  if (given !== OFFICIAL) return given
  return withProgress(flags, (options) => fetchOfficial(benchmark, what, options))
}

/** The same for a folder of files. */
export async function resolveOfficialFolder(
  given: string,
  benchmark: Benchmark,
  flags: { progress?: boolean },
): Promise<string> {
  if (given !== OFFICIAL) return given
  return withProgress(flags, (options) => fetchOfficialFolder(benchmark, options))
}

async function withProgress<T>(
  { progress = true }: { progress?: boolean },
  work: (options: OfficialOptions) => Promise<T>,
): Promise<T> {
  const bar = progress ? createPullProgress(process.stderr) : undefined
  try {
    return await work({ signal: watchInterrupts(), onProgress: bar?.update })
  } finally {
    bar?.close()
  }
}
