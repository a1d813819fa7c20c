/** Finds a benchmark's files. With `--official` it fetches missing ones from their owner. */
import type { Command } from 'commander'
import { UsageError } from '../../../core/provider/errors.ts'
import {
  type Benchmark,
  fetchOfficial,
  fetchOfficialFolder,
  type OfficialOptions,
  type officialFiles,
} from '../../../eval/official-files.ts'
import { watchInterrupts } from '../interrupt.ts'

/** The flags that decide where a benchmark's files come from. */
export interface OfficialFlags {
  official?: boolean
  progress?: boolean
}

/** Adds `--official`. */
export function addOfficialFlag(command: Command): Command {
  return command.option(
    '--official',
    "download those of the benchmark's files that you do not give; once, checked by SHA-256",
  )
}

/** Returns the given path, or with `--official` the path of the owner's file. @throws UsageError if it cannot be fetched */
export async function findOfficial<B extends Benchmark>(
  given: string | undefined,
  benchmark: B,
  what: keyof (typeof officialFiles)[B] & string,
  flags: OfficialFlags,
): Promise<string | undefined> {
  refuseMagicWord(given)
  if (given !== undefined || !flags.official) return given
  return withProgress(flags, (options) => fetchOfficial(benchmark, what, options))
}

/**
 * Finds the file of questions: the given one or the owner's.
 * @returns its path, and the name to show in results
 * @throws UsageError for both or neither
 */
export async function findQuestions(
  given: string | undefined,
  benchmark: 'gsm8k' | 'ifeval',
  flags: OfficialFlags,
): Promise<{ path: string; name: string }> {
  requireOne(given, 'a file of questions', flags)
  const path = (await findOfficial(given, benchmark, 'questions', flags)) as string
  return { path, name: given ?? 'official' }
}

/** Finds the folder with all files of a benchmark: the given one or the owner's. @throws UsageError for both or neither */
export async function findOfficialFolder(
  given: string | undefined,
  benchmark: Benchmark,
  flags: OfficialFlags,
): Promise<string> {
  requireOne(given, "a folder with the benchmark's files", flags)
  return given ?? withProgress(flags, (options) => fetchOfficialFolder(benchmark, options))
}

function requireOne(given: string | undefined, what: string, { official }: OfficialFlags): void {
  refuseMagicWord(given)
  if (given === undefined && !official)
    throw new UsageError(`expected ${what}, or --official, which downloads the owner's own`)
  if (given !== undefined && official) throw new UsageError(`expected ${what} or --official, got both`)
}

/** Rejects the word `official` in place of a path, which earlier versions accepted. */
function refuseMagicWord(given: string | undefined): void {
  if (given !== 'official') return
  throw new UsageError('"official" in place of a file: use --official, which downloads what is not given')
}

async function withProgress<T>(
  { progress = true }: OfficialFlags,
  work: (options: OfficialOptions) => Promise<T>,
): Promise<T> {
  const { createPullProgress } = await import('../progress.ts')
  const bar = progress ? createPullProgress(process.stderr) : undefined
  try {
    return await work({ signal: watchInterrupts(), onProgress: bar?.update })
  } finally {
    bar?.close()
  }
}
