/** `aft analyze perplexity`: measures how well a model expects targets, with and without proposals. */
import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import {
  type CaseScore,
  type ConditionSummary,
  type PartSummary,
  summarize,
} from '../../../analyze/perplexity.ts'
import { type Cases, gatherExamples, gatherResponses } from '../../../analyze/perplexity-cases.ts'
import { runPerplexity } from '../../../analyze/perplexity-run.ts'
import type { Engine } from '../../../core/provider/engine.ts'
import { UsageError } from '../../../core/provider/errors.ts'
import { hashTemplate } from '../../../core/provider/template.ts'
import { promptText } from '../../../data/build.ts'
import { findBest } from '../../../data/examine-row.ts'
import { fileFormats, findSource } from '../../../data/sources/sources.ts'
import { readTargets } from '../../../data/target.ts'
import { readExamples, type Split } from '../../../files/examples.ts'
import { listShards } from '../../../files/list-shards.ts'
import { listFiles, readRecords } from '../../../files/rows/read-records.ts'
import { builtInTemplates, paperTemplate } from '../../../plans/wordings.ts'
import { drawTable } from '../eval/results.ts'
import { runEvaluation } from '../eval/run-evaluation.ts'
import { whole } from '../option-types.ts'
import { describeOrigin, writeResult } from '../origin.ts'
import { addEngineFlags, addSharedFlags, type EngineFlags } from '../shared-flags.ts'

interface PerplexityFlags extends EngineFlags {
  each?: boolean
  format: string
  target?: 'gold' | 'best'
  targetFile?: string
  proposals: number
  /** Most characters of target and proposals together. */
  maxChars?: number
  output: string
  model: string
  limit?: number
  restart?: boolean
  json?: boolean
  progress: boolean
}

const help = `
In a folder of \`aft data build\` the validation examples are scored three times: without proposals, with their own, and with
those of another question. Without proposals the prompt is that of sft/, if there is one. Rows with responses (--format, as
in \`aft data build\`) are scored with --proposals proposals, with three, with one, with none, and with those of another
question.

Perplexity is over all tokens; differences are means over examples, in nats per token, paired, with bootstrap intervals of
95 %. -o is a folder: result.json, which \`aft report\` draws, and the journal. The same command resumes an interrupted run,
with another --limit too.

Examples:
  $ aft analyze perplexity data --model smollm2 -o perplexity
  $ aft analyze perplexity outputs --format alpaca-eval --target-file Together-MoA.json --max-chars 6000 -m smollm2 -o p`

/** Makes the command `aft analyze perplexity`. */
export function perplexityCommand(): Command {
  const command = new Command('perplexity')
    .argument(
      '<sources...>',
      'folder of `aft data build`, or one of its files; with --format, files or folders of rows',
    )
    .requiredOption('-o, --output <folder>', 'folder for the result and the journal')
    .requiredOption(
      '-m, --model <name>',
      'engine that scores: an embedded one, such as smollm2 or gguf:FILE, or vLLM by its address',
    )
    .addOption(
      new Option('--format <format>', 'what a record of the sources is')
        .choices(['examples', ...fileFormats])
        .default('examples'),
    )
    .addOption(
      new Option(
        '--target <which>',
        "gold is the source's own answer, best the response with the best score; with --format (default: gold)",
      ).argParser(readTarget),
    )
    .option('--target-file <file>', 'take the targets from this file, by prompt; with --format')
    .addOption(
      whole('--proposals <n>', 'proposals to show; rows with fewer are left out; with --format', 1).default(
        5,
      ),
    )
    .option('--each', 'show every number of proposals, and all in reverse order; with --format')
    .addOption(
      whole('--max-chars <n>', 'leave out rows whose target and proposals have more characters together', 1),
    )
    .addHelpText('after', help)
    .action(perplexity)
  addEngineFlags(command, { without: ['concurrency', 'noStream'] })
  return addSharedFlags(command, ['config', 'limit', 'restart', 'json', 'progress'])
}

function readTarget(text: string): 'gold' | 'best' {
  if (text === 'gold' || text === 'best') return text
  throw new InvalidArgumentError('expected gold or best (a file: --target-file)')
}

async function perplexity(paths: string[], flags: PerplexityFlags): Promise<void> {
  const { model, output } = flags
  const found = await readCases(paths, flags)
  const cases = found.cases.slice(0, flags.limit)
  await runEvaluation({
    flags: { ...flags, seed: 0, concurrency: 1 },
    engines: [model],
    journal: path.join(output, 'journal.jsonl'),
    item: 'example',
    progress: 'examples scored',
    asked: cases.length,
    work: (engines, settings) =>
      runPerplexity({ ...settings, engine: engines[model] as Engine, cases, made: describeCases(flags) }),
    countFinished: (run) => run.scored.length,
    async finish({ scored }, seconds) {
      const result = {
        ...toResult(paths, flags, found, scored),
        asked: cases.length,
        ...describeOrigin(),
        seconds,
      }
      writeResult(output, result)
      const head = `${model}: ${result.n} targets, ${result.tokens} tokens`
      return { result, text: `${head}\n${table(result.conditions, result.n)}` }
    },
  })
}

/** Returns the settings that the journal's scores depend on, in addition to the texts. */
function describeCases({ format, proposals, maxChars, raw = false, lora, each }: PerplexityFlags) {
  const shown = format === 'examples' ? {} : { proposals, ...(each && { each }) }
  return { format, ...shown, maxChars: maxChars ?? null, raw, lora: lora ?? null }
}

function toResult(paths: string[], flags: PerplexityFlags, found: Cases, scored: CaseScore[]) {
  const { model, lora, format, target = 'gold', targetFile, proposals, maxChars, limit } = flags
  const ofFormat = format !== 'examples' && { target: targetFile ?? target, proposals }
  const { templates, leftOut } = found
  const own = [paperTemplate, ...builtInTemplates].find(({ id }) => templates.every((name) => name === id))
  return {
    task: 'perplexity',
    model,
    ...(lora && { lora }),
    file: paths.join(', '),
    n: scored.length,
    left_out: leftOut,
    tokens: scored.reduce((sum, { scores }) => sum + (Object.values(scores)[0]?.tokens ?? 0), 0),
    conditions: summarize(scored),
    settings: { format, ...ofFormat, ...(maxChars && { maxChars }), ...(limit && { limit }), seed: 0 },
    template: own
      ? { id: own.id, sha256: hashTemplate(own) }
      : { id: templates.join(', '), sha256: 'see the data card' },
  }
}

/** Reads the cases to score. @throws UsageError if there are none, DataError for a broken record */
async function readCases(paths: string[], flags: PerplexityFlags): Promise<Cases> {
  const found = flags.format === 'examples' ? await readBuilt(paths, flags) : await readSource(paths, flags)
  if (found.cases.length > 0) return found
  const why = Object.entries(found.leftOut).map(([reason, n]) => `; ${n} left out: ${reason}`)
  const hint =
    '. Of a built folder only the validation examples are scored. Name its train.jsonl to score the others'
  const isEmpty = why.length === 0 && flags.format === 'examples'
  throw new UsageError(
    `${paths.join(', ')}: expected rows to score, got none${isEmpty ? hint : why.join('')}`,
  )
}

/** Reads examples with proposals, and their twins without proposals from `sft/` if it exists. */
async function readBuilt(paths: string[], { target, targetFile, maxChars }: PerplexityFlags): Promise<Cases> {
  const [place, more] = paths
  if (place === undefined || more !== undefined)
    throw new UsageError('expected one folder that `aft data build` made, or one file of it')
  const given = target !== undefined ? '--target' : targetFile !== undefined ? '--target-file' : undefined
  if (given) throw new UsageError(`${given} needs a --format with responses; built examples have a target`)
  const { folder, split } = locate(place)
  const twins = path.join(folder, 'sft')
  const hasTwins = listShards(twins, `${split}.jsonl`).length > 0
  return gatherExamples(
    readExamples(folder, split),
    hasTwins ? readExamples(twins, split) : undefined,
    maxChars,
  )
}

function locate(place: string): { folder: string; split: Split } {
  const found = statSync(place, { throwIfNoEntry: false })
  if (!found) throw new UsageError(`${place}: there is no such file or folder`)
  if (found.isDirectory()) return { folder: place, split: 'validation' }
  const name = path.basename(place)
  if (name !== 'train.jsonl' && name !== 'validation.jsonl') {
    throw new UsageError(
      `${place}: expected train.jsonl or validation.jsonl of a built folder; other rows need --format`,
    )
  }
  return { folder: path.dirname(place), split: name === 'train.jsonl' ? 'train' : 'validation' }
}

async function readSource(
  paths: string[],
  { format, target, targetFile, proposals, maxChars, each }: PerplexityFlags,
): Promise<Cases> {
  if (target && targetFile) throw new UsageError('expected --target or --target-file, got both')
  if (targetFile && !existsSync(targetFile))
    throw new UsageError(
      `--target-file ${targetFile} does not exist; a model writes targets in \`aft data label\` or \`aft data build\``,
    )
  const targets = targetFile ? await readTargets(targetFile) : undefined
  const files = paths
    .flatMap(listFiles)
    .filter((file) => !targetFile || path.resolve(file) !== path.resolve(targetFile))
  const source = findSource(format)
  return gatherResponses(source.read(readRecords(files, source)), {
    proposals,
    maxChars,
    each,
    targetOf(row) {
      if (targets) return { text: targets.get(promptText(row.prompt)) }
      const best = target === 'best' ? findBest(row) : undefined
      return best ? { text: best.text, isOwn: true } : { text: row.target }
    },
  })
}

function table(conditions: ConditionSummary[], targets: number): string {
  const head = ['shown', 'perplexity', 'nats per token', '95 %', 'lower on']
  const rows = conditions.map(({ condition, perplexity, difference, interval, lower }) => [
    condition,
    perplexity.toFixed(2),
    difference === null ? '' : difference.toFixed(3),
    interval === null ? '' : `${interval.low.toFixed(3)} to ${interval.high.toFixed(3)}`,
    lower === null ? '' : `${Math.round(100 * lower)} %`,
  ])
  return [drawTable(head, rows), ...describeParts(conditions, targets)].join('\n')
}

/** Says which part of the targets' tokens gains: those that stand in a draft, or the others. */
function describeParts(conditions: ConditionSummary[], targets: number): string[] {
  const [first] = conditions
  const { copied, fresh } = first ?? {}
  if (!copied || !fresh) return []
  const of = (part: PartSummary | null, all: number) => [
    part ? `${Math.round((100 * part.tokens) / all)} %` : '',
    part ? part.nats.toFixed(3) : '',
    part?.difference == null ? '' : part.difference.toFixed(3),
    part?.interval ? `${part.interval.low.toFixed(3)} to ${part.interval.high.toFixed(3)}` : '',
  ]
  const all = copied.tokens + fresh.tokens
  const rows = conditions.flatMap((one) => [
    [one.condition, 'copied', ...of(one.copied, all)],
    ['', 'new', ...of(one.fresh, all)],
  ])
  const head = ['shown', 'tokens', 'share', 'nats per token', 'difference', '95 %']
  const { cases } = copied
  const some =
    cases < targets ? `, of ${cases} targets; the tokens of the others do not make up their text` : ''
  return ['', `copied: in a run of four words that a draft has too${some}`, drawTable(head, rows)]
}
