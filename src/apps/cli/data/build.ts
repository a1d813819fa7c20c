/** `aft data build`: makes a folder of examples from the rows of a source. */
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Command } from 'commander'
import { UsageError } from '../../../core/provider/errors.ts'
import { hashTemplate } from '../../../core/provider/template.ts'
import { chooseBenchmarks } from '../../../data/benchmark-prompts.ts'
import { type BuildOptions, buildDataset, skipRows, type Target } from '../../../data/build.ts'
import type { BuildIdentity } from '../../../data/build-checkpoint.ts'
import { type CardFacts, writeDataCard } from '../../../data/data-card.ts'
import { canReadAgain, findOverlapShare, hashInputs } from '../../../data/inputs.ts'
import { createLanguageCheck } from '../../../data/languages.ts'
import type { TokenBudget } from '../../../data/make-example.ts'
import { canCount, canShare, countPlainRows, readInParallel } from '../../../data/parallel-rows.ts'
import { writePartFacts } from '../../../data/parts.ts'
import { checkOut, STATE, unfinishedPath } from '../../../data/result-folder.ts'
import { type OpenSource, openSource } from '../../../data/sources/sources.ts'
import { createTokenBound } from '../../../data/token-bound.ts'
import type { BuildCounts } from '../../../files/build-counts.ts'
import { toCallersError } from '../../../files/file-errors.ts'
import { needPackages } from '../../../files/optional-packages.ts'
import { describeHeldOut } from '../../../files/rows/read-records.ts'
import type { Example } from '../../../files/rows/row.ts'
import { readVersion } from '../../../lib/version.ts'
import { renderReport } from '../../../report/data.ts'
import { keepMemorySmall } from '../memory.ts'
import { rangeOf } from '../option-types.ts'
import { readTemplateFlag } from '../shared-flags.ts'
import { addBuildFlags, type BuildFlags, optionsOf, settingsOf, toMade } from './build-flags.ts'
import { findTarget, targetsOf } from './target.ts'

const examples = `
Examples:
  $ aft data build --format arithmetic --problems 2000 -o data
  $ aft data build labeled.jsonl -o data`

/** Makes the command `aft data build`. */
export function buildCommand(): Command {
  const command = new Command('build').argument(
    '[sources...]',
    'files or folders (.jsonl, .json, .csv, .gz, .parquet); - is standard input; none for --format arithmetic or puzzles',
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
  if (flags.shard && flags.targetModel !== undefined)
    throw new UsageError('--shard takes no --target-model: let `aft data label --shard` write the targets')
  const source = openSource(flags.format, paths, flags)
  if (source.heldOut.length > 0) console.error(describeHeldOut(source.heldOut))
  const tokens = await openTokenizer(flags)
  try {
    const options = await prepare(flags, source, tokens?.budget)
    checkOut(flags.output, flags.restart)
    const target = await findTarget(flags, options, source)
    if (!target) return
    const range = flags.shard && rangeOf(await countRows(flags, source), flags.shard)
    const rows = (skip: number) => readRange(flags, options, { source, target, skip, range })
    const identity = await identify(flags, options, source)
    const counts = await buildDataset({ ...options, rows, target, identity, onResume })
    console.error(describeBuild(counts, flags))
  } catch (error) {
    const isKept = existsSync(path.join(unfinishedPath(flags.output), STATE))
    throw toCallersError(error, isKept ? undefined : 'Nothing of it is kept')
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
    async writeCard(counts, folder, namesOf) {
      const { heldOut } = source
      const facts = { format, template, settings, license, hasSftTwin, inputs: await inputs, heldOut }
      if (flags.shard) writePartFacts(folder, { ...flags.shard, made: toMade(flags, source, facts) })
      await writeResult(folder, { ...facts, part: flags.shard }, counts, namesOf)
    },
  }
}

/** Writes the data card and the report into the unfinished folder. */
export async function writeResult(
  folder: string,
  facts: CardFacts,
  counts: BuildCounts,
  namesOf: (file: string) => string[],
): Promise<void> {
  writeDataCard(folder, facts, counts, namesOf)
  await writeFile(
    path.join(folder, 'report.html'),
    await renderReport(facts.format, counts, firstExamples(folder)),
  )
}

const SHOWN = 3
const MAX_BYTES = 1 << 20

/** The first examples of an unfinished folder, for its report. Lines that are longer than a megabyte are left out. */
function firstExamples(folder: string): Example[] {
  const buffer = Buffer.alloc(MAX_BYTES)
  const fd = openSync(path.join(folder, 'train.jsonl'), 'r')
  try {
    const lines = buffer.subarray(0, readSync(fd, buffer)).toString().split('\n').slice(0, -1)
    return lines.slice(0, SHOWN).map((line) => JSON.parse(line))
  } finally {
    closeSync(fd)
  }
}

async function countRows({ format }: BuildFlags, source: OpenSource): Promise<number> {
  if (!source.files.every(canReadAgain))
    throw new UsageError('--shard reads the rows twice: give them as a file, not as standard input or a pipe')
  if (!source.isMade && canCount(format, source.files)) return countPlainRows(source.files)
  let count = 0
  for await (const _ of source.read()) count++
  return count
}

/** Reads the rows of a part, or all. */
async function* readRange(
  flags: BuildFlags,
  options: Prepared,
  { range: [from, to] = [0, Infinity], skip, ...more }: Reading & { range?: [number, number] },
) {
  let at = from + skip
  if (at >= to) return
  for await (const row of readRows(flags, options, { ...more, skip: at })) {
    yield row
    if (++at >= to) return
  }
}

interface Reading {
  source: OpenSource
  target: Target
  /** Rows to skip. */
  skip: number
}

/** Reads the rows, with threads if the files are large and all options can be copied to a thread. */
function readRows(
  { format, readThreads }: BuildFlags,
  { budget, findOtherLanguage, ...options }: Prepared,
  { source, target, skip }: Reading,
) {
  const isAlone = readThreads === 1 || budget || findOtherLanguage || target instanceof Map
  if (isAlone || !canShare(format, source.files)) return skipRows(source.read(), skip)
  return readInParallel(source.files, { ...options, target, format, workers: readThreads, skip })
}

/** Says that a build goes on. */
export const onResume = (rows: number) => console.error(`resumes after ${rows} rows; --restart begins anew`)

/** What a build depends on, so that only the same build is resumed; undefined for what cannot be read again. */
async function identify(
  flags: BuildFlags,
  { template, benchmarks }: Prepared,
  source: OpenSource,
): Promise<BuildIdentity | undefined> {
  if (!source.files.every(canReadAgain)) return undefined
  const stateOf = (file: string) => {
    const { size, mtimeMs } = statSync(file)
    return [path.basename(file), size, mtimeMs]
  }
  const targets = flags.targetModel === undefined ? flags.targetFile : targetsOf(flags.output)
  return {
    ...settingsOf(flags, source),
    license: flags.license,
    shard: flags.shard,
    'shard size': flags.shardSize,
    template: hashTemplate(template),
    benchmarks: benchmarks.map(({ name, prompts }) => [name, prompts]),
    'target file': targets !== undefined && existsSync(targets) ? stateOf(targets) : undefined,
    'list of sources': source.files.map(stateOf),
    version: readVersion(),
  }
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

/** Says what a build made. */
export function describeBuild(counts: BuildCounts, flags: BuildFlags): string {
  const { read, bad, train, validation, dropped } = counts
  const reasons = Object.entries(dropped).map(([reason, n]) => `${n} ${reason}`)
  if (bad > 0) reasons.push(`${bad} broken`)
  const lines = [
    `${read} rows read: ${train} examples to train on, ${validation} to validate${reasons.length > 0 ? `; dropped: ${reasons.join(', ')}` : ''}. See ${flags.output}`,
  ]
  if (read === 0) lines.push('warning: the source has no rows')
  else if (train === 0) lines.push('warning: train.jsonl is empty; dropped.jsonl says why')
  if (dropped['no target'] && dropped['no target'] === read - bad) lines.push(explainTargets(flags))
  return lines.join('\n')
}

function explainTargets({ targetFile, target = 'gold' }: BuildFlags): string {
  if (targetFile !== undefined)
    return `no row asks what a row of ${targetFile} asks: their prompts must be equal`
  if (target === 'best') return 'no row has a response with a score'
  return 'no row has a target: --target best takes the best response, --target-file a file, --target-model a model'
}
