/** `aft data build`: rows of a source into a folder of examples. */
import { statSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { Command, Option } from 'commander'
import { UsageError } from '../../../core/provider/errors.ts'
import { defaultTemplate } from '../../../core/templates.ts'
import { generateArithmetic } from '../../../data/arithmetic/source-arithmetic.ts'
import { fingerprintFolder } from '../../../data/benchmark-prompts.ts'
import { type BuildOptions, buildDataset } from '../../../data/build.ts'
import type { ChooseBy } from '../../../data/choose.ts'
import { hashFile, writeDataCard } from '../../../data/data-card.ts'
import { type FingerprintSet, readOwnFingerprints } from '../../../data/fingerprints.ts'
import { createLanguageCheck } from '../../../data/languages.ts'
import type { TokenBudget } from '../../../data/make-example.ts'
import { canShare, readInParallel } from '../../../data/parallel-rows.ts'
import { checkOut } from '../../../data/result-folder.ts'
import { findSource, sources } from '../../../data/sources/sources.ts'
import { createTokenBound } from '../../../data/token-bound.ts'
import type { BuildCounts } from '../../../files/build-counts.ts'
import { toCallersError } from '../../../files/file-errors.ts'
import { needPackages } from '../../../files/optional-packages.ts'
import { listFiles, readRecords } from '../../../files/rows/read-records.ts'
import { renderReport } from '../../../report/data.ts'
import { keepMemorySmall } from '../memory.ts'
import { share, whole } from '../option-types.ts'
import { findTarget, nameTarget } from './target.ts'

export interface BuildFlags {
  output: string
  format: string
  rows: number
  target: string
  targetTokens?: number
  targetSeed?: number
  proposals: number
  minProposals: number
  choose: ChooseBy
  onPolicy?: string
  seed: number
  maxTokens?: number
  tokenizer?: string
  overflow: TokenBudget['overflow']
  languages?: string
  maxPromptChars?: number
  minTargetChars?: number
  maxTargetChars?: number
  decontaminate: string
  benchmarks?: string
  nearDuplicates: boolean
  plain: number
  sftTwin?: boolean
  validation: number
  maxBad: number
  template?: string
  licence?: string
  overwrite?: boolean
  threads: number
}

/** The subcommand. */
export function buildCommand(): Command {
  const formats = [...Object.keys(sources), 'arithmetic']
  return new Command('build')
    .description('Make a folder of training examples.')
    .argument('[sources...]', 'files or folders (.jsonl, .json, .gz, .parquet), - for standard input')
    .requiredOption('-o, --output <folder>', 'where the examples go')
    .addOption(new Option('--format <format>', 'what a record is').choices(formats).default('responses'))
    .addOption(whole('--rows <n>', 'problems to make, for --format arithmetic', 1).default(1000))
    .option(
      '--target <from>',
      'gold (of the source), best (by score), a file of answers by prompt, or an engine that writes them',
      'gold',
    )
    .addOption(whole('--target-tokens <n>', 'most tokens that such an engine writes', 1))
    .addOption(whole('--target-seed <n>', 'of its samples; default: --seed', 0))
    .addOption(whole('--proposals <n>', 'most proposals an example', 1).default(5))
    .addOption(whole('--min-proposals <n>', 'rows with fewer are dropped', 1).default(2))
    .addOption(
      new Option('--choose <by>', 'which responses, where there are more')
        .choices(['random', 'models', 'quality', 'diversity'])
        .default('models'),
    )
    .option('--on-policy <model>', 'model whose responses are on-policy: the one to be tuned')
    .addOption(whole('--seed <n>', 'same seed, same bytes', 0).default(0))
    .addOption(whole('--max-tokens <n>', 'of prompt and completion together; needs --tokenizer', 1))
    .option('--tokenizer <model>', 'engine that counts tokens: the model to be tuned')
    .addOption(
      new Option('--overflow <what>', 'where tokens are too many').choices(['trim', 'drop']).default('trim'),
    )
    .option('--languages <codes>', 'drop rows whose prompt or target is in another: en,de')
    .addOption(whole('--max-prompt-chars <n>', 'drop rows with longer prompts', 1))
    .addOption(whole('--min-target-chars <n>', 'drop rows with shorter targets', 1))
    .addOption(whole('--max-target-chars <n>', 'drop rows with longer targets', 1))
    .option('--decontaminate <sets>', 'all, none, or alpaca-eval,mt-bench,gsm8k-test,ifeval', 'all')
    .option('--benchmarks <folder>', 'more benchmarks whose prompts must not be there')
    .option('--no-near-duplicates', 'keep prompts that are nearly an earlier one')
    .addOption(share('--plain <share>', 'rows that also give an example without proposals').default(0))
    .option('--sft-twin', 'also write sft/: the same rows, prompt to target')
    .addOption(share('--validation <share>', 'prompts that go to validation').default(0.05))
    .addOption(share('--max-bad <share>', 'records that may be broken').default(0.05))
    .option('--template <file>', 'wording of the roles, a JSON file')
    .option('--licence <text>', "the source's, for the data card")
    .option('--overwrite', 'replace the data set that is there')
    .addOption(
      whole('--threads <n>', 'for large files of JSON lines; any number gives the same bytes', 1).default(
        Math.min(4, availableParallelism()),
        'one a core, at most 4',
      ),
    )
    .action((paths: string[], flags: BuildFlags) => build(paths, flags))
}

async function build(paths: string[], flags: BuildFlags): Promise<void> {
  keepMemorySmall()
  needPackages('drawing charts')
  const files = listInputs(paths, flags)
  const template = flags.template
    ? await (await import('../../../files/template-file.ts')).readTemplate(flags.template)
    : defaultTemplate
  const tokens = await openTokenizer(flags)
  try {
    const inputs = hashInputs(files)
    const facts = {
      format: flags.format,
      template,
      settings: settingsOf(flags),
      licence: flags.licence,
      hasSftTwin: flags.sftTwin ?? false,
    }
    const readRows = () =>
      flags.format === 'arithmetic'
        ? generateArithmetic(flags.rows, flags.seed)
        : findSource(flags.format).read(readRecords(files, findSource(flags.format)))
    const options: Omit<BuildOptions, 'rows' | 'target'> = {
      ...optionsOf(flags),
      overlapShare: Math.min(1, MEASURED_BYTES / countBytes(files)),
      template,
      budget: tokens?.budget,
      benchmarks: await readBenchmarks(flags),
      findOtherLanguage: flags.languages
        ? await createLanguageCheck(flags.languages.split(',').map((code) => code.trim()))
        : undefined,
      async writeCard(counts, folder) {
        writeDataCard(folder, { ...facts, inputs: await inputs }, counts)
        await writeFile(path.join(folder, 'report.html'), await renderReport(flags.format, counts))
      },
    }
    checkOut(flags.output, flags.overwrite)
    const target = await findTarget(flags, { options, readRows, canReread: !files.includes('-') })
    if (!target) return
    const { budget, findOtherLanguage, ...others } = options
    const isShared =
      flags.threads > 1 &&
      !budget &&
      !findOtherLanguage &&
      !(target instanceof Map) &&
      canShare(flags.format, files)
    const rows = isShared
      ? readInParallel(files, { ...others, target, format: flags.format, workers: flags.threads })
      : readRows()
    const counts = await buildDataset({ ...options, rows, target })
    console.error(describeBuild(counts, flags.output))
  } catch (error) {
    throw toCallersError(error, 'Nothing of it is kept')
  } finally {
    await tokens?.close()
  }
}

/** Of large sources it is enough to see how proposals and targets overlap in some of the rows. */
const MEASURED_BYTES = 4e6

/** 0 where it is not known. */
function countBytes(files: string[]): number {
  return files.reduce((sum, file) => sum + (file === '-' ? 0 : statSync(file).size), 0)
}

/** Read while the rows are: an error is thrown to who waits for it. */
function hashInputs(files: string[]): Promise<{ file: string; sha256?: string }[]> {
  const hashed = Promise.all(
    files.map(async (file) => ({ file, ...(file !== '-' && { sha256: await hashFile(file) }) })),
  )
  hashed.catch(() => {})
  return hashed
}

function listInputs(paths: string[], { format }: BuildFlags): string[] {
  if (format === 'arithmetic') {
    if (paths.length > 0) throw new UsageError('--format arithmetic makes its rows; it takes no files')
    return []
  }
  if (paths.length === 0) throw new UsageError('expected a file, a folder or - to build from')
  return paths.flatMap(listFiles)
}

function optionsOf(flags: BuildFlags) {
  return {
    source: flags.format,
    out: flags.output,
    overwrite: flags.overwrite,
    seed: flags.seed,
    proposals: flags.proposals,
    minProposals: flags.minProposals,
    chooseBy: flags.choose,
    onPolicyModel: flags.onPolicy,
    // Problems of a kind are alike on purpose.
    dropsNearDuplicates: flags.nearDuplicates && flags.format !== 'arithmetic',
    maxPromptChars: flags.maxPromptChars,
    minTargetChars: flags.minTargetChars,
    maxTargetChars: flags.maxTargetChars,
    plainShare: flags.plain,
    hasSftTwin: flags.sftTwin ?? false,
    validationShare: flags.validation,
    maxBadShare: flags.maxBad,
  } satisfies Partial<BuildOptions>
}

/** What the data card shows: all flags but those that say where files lie. */
function settingsOf(flags: BuildFlags): Record<string, string | number | boolean> {
  const { output, overwrite, template, licence, benchmarks, target, rows, threads, ...shown } = flags
  const made = flags.format === 'arithmetic' ? { rows } : {}
  return { ...shown, target: nameTarget(target), ...made } as Record<string, string | number | boolean>
}

async function readBenchmarks({ decontaminate, benchmarks }: BuildFlags): Promise<FingerprintSet[]> {
  const own = decontaminate === 'none' ? [] : readOwnFingerprints()
  const wanted = decontaminate === 'all' || decontaminate === 'none' ? undefined : decontaminate.split(',')
  const unknown = wanted?.find((name) => !own.some((set) => set.name === name))
  if (unknown !== undefined) {
    throw new UsageError(
      `--decontaminate has no set "${unknown}"; there are: ${own.map((s) => s.name).join(', ')}`,
    )
  }
  const chosen = own.filter(({ name }) => wanted === undefined || wanted.includes(name))
  return benchmarks === undefined ? chosen : [...chosen, ...(await fingerprintFolder(benchmarks))]
}

async function openTokenizer({ maxTokens, tokenizer, overflow }: BuildFlags) {
  if (maxTokens === undefined) return undefined
  if (tokenizer === undefined) throw new UsageError('--max-tokens needs --tokenizer, the model to be tuned')
  const { openEngine } = await import('../../../engines/open.ts')
  const engine = await openEngine(tokenizer, { vocabularyOnly: true })
  const { countTokens } = engine
  if (!countTokens)
    throw new UsageError(`--tokenizer ${tokenizer} cannot count tokens; take an embedded model`)
  const count: TokenBudget['countTokens'] = (messages) => countTokens.call(engine, messages)
  const budget: TokenBudget = {
    maxTokens,
    overflow,
    countTokens: count,
    boundTokens: createTokenBound(count),
  }
  return { budget, close: async () => engine.close?.() }
}

function describeBuild(counts: BuildCounts, out: string): string {
  const { read, bad, train, validation, dropped } = counts
  const reasons = Object.entries(dropped).map(([reason, n]) => `${n} ${reason}`)
  if (bad > 0) reasons.push(`${bad} broken`)
  const lines = [
    `${read} rows read: ${train} examples to train on, ${validation} to validate${reasons.length > 0 ? `; dropped: ${reasons.join(', ')}` : ''}. See ${out}`,
  ]
  if (read === 0) lines.push('warning: the source holds no rows')
  else if (train === 0) lines.push('warning: train.jsonl is empty; dropped.jsonl says why')
  return lines.join('\n')
}
