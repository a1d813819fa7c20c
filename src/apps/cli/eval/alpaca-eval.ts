/** `aft eval alpaca-eval`: lets a judge compare a system's outputs with a baseline's, and computes the win rate. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { Command } from 'commander'
import type { Usage } from '../../../core/provider/engine.ts'
import { UsageError } from '../../../core/provider/errors.ts'
import { BENCHMARK_BASELINE } from '../../../eval/annotations.ts'
import {
  boundTokens,
  type Judged,
  judgeOutputs,
  namesOf,
  toAnnotations,
} from '../../../eval/judge-outputs.ts'
import { type JudgeTemplate, ownJudgeTemplate, readJudgeTemplate } from '../../../eval/judge-template.ts'
import { type OutputPair, pairOutputs, readOutputs } from '../../../eval/outputs.ts'
import { writeWhole } from '../../../lib/write-whole.ts'
import { writeResult } from '../origin.ts'
import { showTime } from '../progress.ts'
import { addEvalFlags, type EvalFlags } from './flags.ts'
import { addOfficialFlag, findOfficial, type OfficialFlags } from './official.ts'
import { runEvaluation } from './run-evaluation.ts'
import { describeWinRate, scoreAnnotations, toResult } from './win-rate.ts'

interface AlpacaEvalFlags extends EvalFlags, OfficialFlags {
  progress: boolean
  outputs: string
  baseline?: string
  judge: string
  judgeTemplate?: string
  gamed?: string
  instructionDifficulty?: string
}

const help = `
The judge sees each pair once, in the order that the benchmark's seeded rule gives, and answers with one token: m for
the output shown first, M for the second. If it gives log probabilities, the two letters are weighed by them;
if not, the letter that it wrote counts, 1 or 2. The result says which.

--official downloads those of the benchmark's files that you do not name: the judge's wording (--judge-template), the baseline's
outputs (--baseline), and two files for the length-controlled rate (--gamed, --instruction-difficulty). They come once from
their owner (tatsu-lab/alpaca_eval) into the cache folder, checked by their SHA-256. All but the wording are CC BY-NC.

Without the benchmark's wording the judge gets this project's, "aft-judge-1", and the score is not comparable with
published ones. With another judge
than the benchmark's it is not comparable either.

Example:
  $ aft eval alpaca-eval --outputs outputs.json --baseline gpt4_1106_preview.json --judge openai:gpt-4.1 --dry-run`

/** Makes the command `aft eval alpaca-eval`. */
export function alpacaEvalCommand(): Command {
  const command = new Command('alpaca-eval')
    .requiredOption(
      '--outputs <file>',
      'JSON rows of the system with instruction, output and generator, as `aft run --output-format alpaca-eval` writes them',
    )
    .option(
      '--baseline <file>',
      `the same rows of the baseline (default: ${BENCHMARK_BASELINE}.json in the folder of the outputs)`,
    )
    .requiredOption('--judge <name>', 'engine that compares')
    .option(
      '-o, --output <place>',
      'folder for annotations.json and result.json, or .json file for the annotations alone (default: the name of the outputs, with .annotations.json)',
    )
    .option(
      '--judge-template <file>',
      "file with the judge's wording, with {instruction}, {output_1} and {output_2}",
    )
    .option('--gamed <file>', "the benchmark's df_gamed.csv, for the length-controlled rate")
    .option('--instruction-difficulty <file>', "the benchmark's instruction_difficulty.csv, for the same")
    .addHelpText('after', help)
  return addEvalFlags(addOfficialFlag(command)).action(alpacaEval)
}

async function alpacaEval(given: AlpacaEvalFlags): Promise<void> {
  const flags = await resolveFiles(given)
  const { pairs, generators, template } = await readInputs(flags)
  const folder = folderOf(flags)
  const beside = `${flags.outputs.replace(/\.jsonl?$/, '')}.annotations.json`
  const out = folder ? path.join(folder, 'annotations.json') : (flags.output ?? beside)
  await runEvaluation({
    flags,
    engines: [flags.judge],
    journal: `${out}.journal`,
    item: `${flags.outputs}: row`,
    progress: 'pairs judged',
    asked: pairs.length,
    preview: (prices) => preview(pairs, template, prices[flags.judge]),
    work: (engines, settings) =>
      judgeOutputs({
        ...settings,
        pairs,
        generators,
        engines,
        judge: flags.judge,
        template,
        seed: flags.seed,
      }),
    countFinished: ({ judgments }) => judgments.filter((judgment) => judgment !== undefined).length,
    async finish({ judgments }, seconds) {
      const annotator = `${flags.judge} (${template.id})`
      const rows = toAnnotations(pairs, judgments, { generators, annotator })
      writeWhole(out, `[\n${rows.map((row) => JSON.stringify(row)).join(',\n')}\n]\n`)
      warnOfSilence(flags.outputs, pairs, judgments)
      return score(flags, out, describeJudging(flags, template, judgments, seconds))
    },
  })
}

function folderOf({ output }: AlpacaEvalFlags): string | undefined {
  return output !== undefined && !/\.jsonl?$/.test(output) ? output : undefined
}

/** Finds all files, and fetches missing ones with `--official`, before the first paid call. */
async function resolveFiles(flags: AlpacaEvalFlags): Promise<AlpacaEvalFlags> {
  const { baseline, judgeTemplate, gamed, instructionDifficulty: difficulty } = flags
  const find = (given: string | undefined, what: Parameters<typeof findOfficial<'alpaca-eval'>>[2]) =>
    findOfficial(given, 'alpaca-eval', what, flags)
  return {
    ...flags,
    judgeTemplate: await find(judgeTemplate, 'judge-template'),
    baseline: await find(baseline, 'baseline'),
    gamed: await find(gamed, 'gamed'),
    instructionDifficulty: await find(difficulty, 'instruction-difficulty'),
  }
}

async function readInputs(flags: AlpacaEvalFlags) {
  const beside = path.join(path.dirname(flags.outputs), `${BENCHMARK_BASELINE}.json`)
  if (flags.baseline === undefined && !existsSync(beside)) {
    throw new UsageError(
      `expected --baseline FILE, a file ${beside}, or --official, which downloads AlpacaEval's baseline`,
    )
  }
  const outputs = await readOutputs(flags.outputs)
  const baseline = await readOutputs(flags.baseline ?? beside)
  const template = flags.judgeTemplate ? await readJudgeTemplate(flags.judgeTemplate) : ownJudgeTemplate
  const pairs = pairOutputs(outputs, baseline)
  if (pairs.length < baseline.rows.length) {
    console.error(`warning: ${flags.outputs}: ${pairs.length} rows, the baseline has ${baseline.rows.length}`)
  }
  return { pairs: pairs.slice(0, flags.limit), generators: namesOf(baseline, outputs), template }
}

function preview(
  pairs: OutputPair[],
  template: JudgeTemplate,
  price: { inputPerMTok: number; outputPerMTok: number } | undefined,
): string {
  const input = boundTokens({ pairs, template })
  const cost = price && (input * price.inputPerMTok + pairs.length * price.outputPerMTok) / 1e6
  return [
    `pairs       ${pairs.length.toLocaleString('en-US')}`,
    `calls       ${pairs.length.toLocaleString('en-US')}`,
    `tokens in   about ${input.toLocaleString('en-US')}`,
    `tokens out  ${pairs.length.toLocaleString('en-US')}`,
    `cost        ${cost === undefined ? 'unknown (aft.config.ts can give the price)' : `about $${cost.toFixed(2)}`}`,
    `template    ${template.id}, ${template.sha256.slice(0, 12)}`,
    '',
    'Assumed: a token is 4 bytes of text. What a journal already holds is not judged again.',
  ].join('\n')
}

function warnOfSilence(file: string, pairs: OutputPair[], judgments: Judged['judgments']): void {
  for (const [i, judgment] of judgments.entries()) {
    if (judgment?.by !== 'nothing') continue
    const said = JSON.stringify(judgment.text.slice(0, 40))
    console.error(`warning: ${file}: row ${pairs[i]?.row}: the judge answered neither m nor M: ${said}`)
  }
}

/** Describes the judge for a reader, and what judging took. */
function describeJudging(
  { judge: engine, seed }: AlpacaEvalFlags,
  template: JudgeTemplate,
  judgments: Judged['judgments'],
  seconds: number,
) {
  const made = judgments.filter((judgment) => judgment !== undefined)
  const count = (by: string) => made.filter((judgment) => judgment.by === by).length
  const sum = (of: (usage: Usage) => number) => made.reduce((total, { usage }) => total + of(usage), 0)
  return {
    engine,
    template: template.id,
    template_sha256: template.sha256,
    seed,
    date: new Date().toISOString().slice(0, 10),
    by_logprobs: count('logprobs'),
    by_token: count('token'),
    no_preference: count('nothing'),
    equal: count('equal'),
    failed: judgments.length - made.length,
    calls: sum((usage) => usage.calls),
    input_tokens: sum((usage) => usage.inputTokens),
    output_tokens: sum((usage) => usage.outputTokens),
    ...(made.some(({ usage }) => usage.cost !== undefined) && { cost: sum((usage) => usage.cost ?? 0) }),
    seconds,
  }
}

/** Computes the rates from the annotations that were just written. */
async function score(flags: AlpacaEvalFlags, out: string, judge: ReturnType<typeof describeJudging>) {
  if (judge.by_logprobs + judge.by_token === 0) process.exitCode = 1
  const rates = await scoreAnnotations(out, flags)
  for (const warning of rates.warnings) console.error(`warning: ${out}: ${warning}`)
  const folder = folderOf(flags)
  const { outputs, baseline, gamed, instructionDifficulty, limit, seed } = flags
  const settings = { outputs, baseline, gamed, instructionDifficulty, limit, seed }
  if (folder) writeResult(folder, toResult(rates, { settings, judge }))
  const how = `${judge.by_logprobs} by log probabilities, ${judge.by_token} by the letter alone`
  const line = `judged                      ${how}; ${showTime(judge.seconds * 1000)}. See ${out}`
  return { result: { ...rates, judge }, text: `${describeWinRate(rates)}\n${line}` }
}
