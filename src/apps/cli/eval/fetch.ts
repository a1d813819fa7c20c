/** `aft eval fetch`: fetches a benchmark's files from their owner, for commands that take a path. */
import { Command } from 'commander'
import { UsageError } from '../../../core/provider/errors.ts'
import { type Benchmark, officialFiles } from '../../../eval/official-files.ts'
import { findOfficial } from './official.ts'

const list = Object.entries(officialFiles)
  .map(([benchmark, files]) => {
    const lines = Object.entries(files).map(
      ([what, { file, repo, license }]) => `  ${what.padEnd(23)} ${file.padEnd(27)} ${license}, ${repo}`,
    )
    return [benchmark, ...lines].join('\n')
  })
  .join('\n')

const help = `
Each file is downloaded once into the cache folder, at a pinned revision, and checked by its SHA-256. If the owners cannot be
reached, AFT_GITHUB_RAW and HF_ENDPOINT name mirrors. These are test sets: never release a
model that was trained on them.

${list}

Example:
  $ aft run "$(aft eval fetch alpaca-eval baseline)" --output-format alpaca-eval --model smollm2 -o outputs.json`

/** Makes the command `aft eval fetch`. */
export function fetchCommand(): Command {
  return new Command('fetch')
    .argument('<benchmark>', `one of ${Object.keys(officialFiles).join(', ')}`)
    .argument('[files...]', 'which of its files, by the names below (default: all)')
    .option('--no-progress', 'show no progress')
    .addHelpText('after', help)
    .action(fetchFiles)
}

async function fetchFiles(
  benchmark: string,
  files: string[],
  { progress }: { progress: boolean },
): Promise<void> {
  if (!Object.hasOwn(officialFiles, benchmark)) {
    const names = Object.keys(officialFiles).join(', ')
    throw new UsageError(`expected one of the benchmarks ${names}, got "${benchmark}"`)
  }
  const known = Object.keys(officialFiles[benchmark as Benchmark])
  const unknown = files.find((file) => !known.includes(file))
  if (unknown !== undefined) {
    throw new UsageError(`expected files of ${benchmark} (${known.join(', ')}), got "${unknown}"`)
  }
  for (const what of files.length > 0 ? files : known) {
    console.log(
      await findOfficial(undefined, benchmark as Benchmark, what as never, { official: true, progress }),
    )
  }
}
