/** `aft data build`: makes a folder of examples from the rows of a source. */
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Command } from 'commander'
import { UsageError } from '../../../core/provider/errors.ts'
import { chooseBenchmarks } from '../../../data/benchmark-prompts.ts'
import { type BuildOptions, buildDataset, type Target } from '../../../data/build.ts'
import { writeDataCard } from '../../../data/data-card.ts'
import { findOverlapShare, hashInputs } from '../../../data/inputs.ts'
import { createLanguageCheck } from '../../../data/languages.ts'
import type { TokenBudget } from '../../../data/make-example.ts'
import { canShare, readInParallel } from '../../../data/parallel-rows.ts'
import { checkOut } from '../../../data/result-folder.ts'
import { type OpenSource, openSource } from '../../../data/sources/sources.ts'
import { createTokenBound } from '../../../data/token-bound.ts'
import type { BuildCounts } from '../../../files/build-counts.ts'
import { toCallersError } from '../../../files/file-errors.ts'
import { needPackages } from '../../../files/optional-packages.ts'
import { renderReport } from '../../../report/data.ts'
import { keepMemorySmall } from '../memory.ts'
import { readTemplateFlag } from '../shared-flags.ts'
import { addBuildFlags, type BuildFlags, optionsOf, settingsOf } from './build-flags.ts'
import { findTarget } from './target.ts'

const examples = `
Examples:
  $ aft data build --format arithmetic --problems 2000 -o data
  $ aft data build labeled.jsonl -o data`

/** Makes the command `aft data build`. */
export function buildCommand(): Command {
  const command = new Command('build')
    .description('Make a folder of training examples.')
    .argument(
      '[sources...]',
      'files or folders (.jsonl, .json, .gz, .parquet); - is standard input; none for --format arithmetic or puzzles',
    )
  return addBuildFlags(command).addHelpText('after', examples).action(build)
}

async function build(paths: string[], flags: BuildFlags): Promise<void> {
  keepMemorySmall()
  needPackages('drawing charts')
  const { proposals, minProposals } = flags
  if (minProposals > proposals)
    throw new UsageError(
      `expected --min-proposals to be at most --proposals ${proposals}, got ${minProposals}`,
    )
  const source = openSource(flags.format, paths, flags)
  const tokens = await openTokenizer(flags)
  try {
    const options = await prepare(flags, source, tokens?.budget)
    checkOut(flags.output, flags.restart)
    const target = await findTarget(flags, options, source)
    if (!target) return
    const rows = readRows(flags, options, { source, target })
    const counts = await buildDataset({ ...options, rows, target })
    console.error(describeBuild(counts, flags.output))
  } catch (error) {
    throw toCallersError(error, 'Nothing of it is kept')
  } finally {
    await tokens?.close()
  }
}

type Prepared = Omit<BuildOptions, 'rows' | 'target'>

async function prepare(flags: BuildFlags, source: OpenSource, budget?: TokenBudget): Promise<Prepared> {
  const { format, license, languages, sftTwin: hasSftTwin = false } = flags
  const template = await readTemplateFlag(flags.template)
  const inputs = hashInputs(source.files)
  const settings = settingsOf(flags, source)
  return {
    ...optionsOf(flags, source),
    overlapShare: findOverlapShare(source.files),
    template,
    budget,
    benchmarks: await chooseBenchmarks(flags.decontaminate, flags.benchmarks),
    findOtherLanguage: languages
      ? await createLanguageCheck(languages.split(',').map((code) => code.trim()))
      : undefined,
    async writeCard(counts, folder) {
      const facts = { format, template, settings, license, hasSftTwin, inputs: await inputs }
      writeDataCard(folder, facts, counts)
      await writeFile(path.join(folder, 'report.html'), await renderReport(format, counts))
    },
  }
}

/** Reads the rows, with threads if the files are large and all options can be copied to a thread. */
function readRows(
  { format, readThreads }: BuildFlags,
  { budget, findOtherLanguage, ...options }: Prepared,
  { source, target }: { source: OpenSource; target: Target },
) {
  const isAlone = readThreads === 1 || budget || findOtherLanguage || target instanceof Map
  if (isAlone || !canShare(format, source.files)) return source.read()
  return readInParallel(source.files, { ...options, target, format, workers: readThreads })
}

async function openTokenizer({ maxExampleTokens: maxTokens, tokenizer, tooLong }: BuildFlags) {
  if (maxTokens === undefined) return undefined
  if (tokenizer === undefined)
    throw new UsageError('--max-example-tokens needs --tokenizer, the model to be tuned')
  const { openEngine } = await import('../../../engines/open.ts')
  const engine = await openEngine(tokenizer, { vocabularyOnly: true })
  const { countTokens } = engine
  if (!countTokens)
    throw new UsageError(`--tokenizer ${tokenizer} cannot count tokens; use an embedded model`)
  const count: TokenBudget['countTokens'] = (messages) => countTokens.call(engine, messages)
  const budget = { maxTokens, tooLong, countTokens: count, boundTokens: createTokenBound(count) }
  return { budget, close: async () => engine.close?.() }
}

function describeBuild(counts: BuildCounts, out: string): string {
  const { read, bad, train, validation, dropped } = counts
  const reasons = Object.entries(dropped).map(([reason, n]) => `${n} ${reason}`)
  if (bad > 0) reasons.push(`${bad} broken`)
  const lines = [
    `${read} rows read: ${train} examples to train on, ${validation} to validate${reasons.length > 0 ? `; dropped: ${reasons.join(', ')}` : ''}. See ${out}`,
  ]
  if (read === 0) lines.push('warning: the source has no rows')
  else if (train === 0) lines.push('warning: train.jsonl is empty; dropped.jsonl says why')
  return lines.join('\n')
}
