/** `aft analyze scaling`: a grid of width and depth, quality over tokens and latency. */
import path from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { makePlan } from '../../../core/strategies.ts'
import { defaultTemplate, hashTemplate } from '../../../core/templates.ts'
import { boundGrid, describeBound } from '../../../eval/bound.ts'
import { runGrid, tabulateGrid } from '../../../eval/grid-run.ts'
import { gsm8k } from '../../../eval/gsm8k.ts'
import { ifeval } from '../../../eval/ifeval.ts'
import { toCallersError } from '../../../files/file-errors.ts'
import { systemClock } from '../../../run/clock.ts'
import {
  addEvalFlags,
  type EvalFlags,
  readEngineFlags,
  readVersion,
  whole,
  withEngine,
} from '../eval/flags.ts'
import { resolveOfficial } from '../eval/official.ts'
import { createEvalReporter } from '../eval/progress.ts'
import { describeControls, writeControls } from '../eval/results.ts'
import { watchInterrupts } from '../interrupt.ts'
import { describeOrigin } from '../origin.ts'
import { pricesOf } from '../prices.ts'
import { sanitise } from '../render/sanitize.ts'

interface ScalingFlags extends EvalFlags {
  output: string
  model: string
  task: 'gsm8k' | 'ifeval'
  widths: number[]
  depths: number[]
  maxTokens: number
  temperature: number
}

const help = `
Prints a row a point: score with its 95 % interval, tokens, seconds; what nothing beats with as few is the frontier.

Example:
  $ aft analyze scaling test.jsonl --model smollm2 --widths 2,4 --depths 0,1,2 --limit 40 -o grid`

/** The subcommand. */
export function scalingCommand(): Command {
  const command = new Command('scaling')
    .description('A grid of width and depth; what points have in common is sampled once.')
    .argument('<questions>', 'in the form that the benchmark has, or "official"')
    .requiredOption('-o, --output <folder>', 'where the results go; `aft report` draws them')
    .requiredOption('-m, --model <name>', 'engine for every role')
    .addOption(
      new Option('--task <name>', 'how answers are scored').choices(['gsm8k', 'ifeval']).default('gsm8k'),
    )
    .option('--widths <list>', 'from 1, separated by commas', readList(1), [2, 4])
    .option('--depths <list>', 'from 0, separated by commas; 0 is one answer', readList(0), [0, 1, 2])
    .addOption(whole('--max-tokens <n>', 'most tokens of each completion', 1).default(512))
    .option('--temperature <t>', '0 to 5', Number, 0.7)
  return addEvalFlags(command).addHelpText('after', help).action(scaling)
}

function readList(least: number) {
  return (text: string): number[] => {
    const values = text.split(',').map((part) => (/^\d+$/.test(part.trim()) ? Number(part) : Number.NaN))
    if (values.every((value) => value >= least)) return [...new Set(values)]
    throw new InvalidArgumentError(`Expected whole numbers from ${least}, separated by commas.`)
  }
}

async function scaling(file: string, flags: ScalingFlags): Promise<void> {
  const { model, widths, depths, maxTokens, temperature, seed } = flags
  const task = flags.task === 'gsm8k' ? gsm8k : ifeval((line) => console.error(line))
  const questionsFile = await resolveOfficial(file, flags.task, 'questions', flags)
  const { questions: all, leftOut } = await task.read(questionsFile).catch((error) => {
    throw toCallersError(error)
  })
  const questions = flags.limit ? all.slice(0, flags.limit) : all
  const { engineFlags, config } = await readEngineFlags(flags)
  const base = { proposers: [model], maxTokens, temperature, seed }
  if (flags.dryRun) {
    const planOf = (width: number, depth: number) =>
      makePlan({ ...base, strategy: depth === 0 ? 'single' : 'aft', width, depth })
    const over = { template: defaultTemplate, prices: pricesOf([model], config) }
    const head: [string, string][] = [
      ['questions', String(questions.length)],
      ['points', `widths ${widths.join(', ')}; depths ${depths.join(', ')}`],
    ]
    console.log(describeBound(head, boundGrid(questions, { widths, depths, planOf, ...over })))
    return
  }
  const signal = watchInterrupts()
  const reporter = flags.progress ? createEvalReporter(process.stderr, 'questions answered') : undefined
  const startMs = performance.now()
  try {
    const run = await withEngine(model, { ...engineFlags, signal, onProgress: reporter?.pull }, (engine) =>
      runGrid({
        task,
        questions,
        widths,
        depths,
        active: flags.concurrency,
        version: readVersion(),
        signal,
        base,
        host: { engines: { [model]: engine }, template: defaultTemplate, clock: systemClock },
        journal: path.join(flags.output, 'journal.jsonl'),
        restart: flags.restart,
        onProgress: reporter?.update,
      }),
    )
    reporter?.close()
    for (const { id, error } of run.failures)
      console.error(`failed: question ${id}: ${sanitise(error.message)}`)
    if (run.outcome === 'interrupted') throw signal.reason
    if (run.answered.length < questions.length) process.exitCode = 1
    if (run.answered.length === 0) return
    const result = {
      task: `scaling ${task.name}`,
      metrics: task.metrics,
      file,
      asked: questions.length,
      left_out: leftOut,
      n: run.answered.length,
      failed: run.failures.length,
      model,
      aggregator: model,
      judge: '',
      settings: { widths, depths, maxTokens, temperature, seed, active: flags.concurrency },
      template: { id: defaultTemplate.id, sha256: hashTemplate(defaultTemplate) },
      ...describeOrigin(),
      seconds: (performance.now() - startMs) / 1000,
      rows: await tabulateGrid(task, run.answered, seed),
      changes: [],
      agreement: 0,
      judge_position: null,
      questions: [],
    }
    writeControls(flags.output, result)
    console.log(flags.json ? JSON.stringify(result) : sanitise(describeControls(result)))
  } catch (error) {
    throw toCallersError(error)
  } finally {
    reporter?.close()
  }
}
