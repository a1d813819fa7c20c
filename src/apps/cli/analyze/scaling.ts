/** `aft analyze scaling`: measures quality, tokens and time over a grid of widths and depths. */
import path from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { UsageError } from '../../../core/provider/errors.ts'
import { hashTemplate, type Template } from '../../../core/provider/template.ts'
import { boundGrid, describeBound } from '../../../eval/bound.ts'
import type { ControlRow } from '../../../eval/control-table.ts'
import { runGrid, tabulateGrid } from '../../../eval/grid-run.ts'
import { gsm8k } from '../../../eval/gsm8k.ts'
import { ifeval } from '../../../eval/ifeval.ts'
import { puzzles } from '../../../eval/puzzles.ts'
import type { Task } from '../../../eval/task.ts'
import { paperSettings } from '../../../plans/presets.ts'
import { makePlan, type PlanOptions } from '../../../plans/strategies.ts'
import { systemClock } from '../../../run/clock.ts'
import { addEvalFlags, answerTemperatureFlag, EVAL_CONCURRENCY, type EvalFlags } from '../eval/flags.ts'
import { addOfficialFlag, findQuestions, type OfficialFlags } from '../eval/official.ts'
import { type ControlResult, describeControls, writeControls } from '../eval/results.ts'
import { runEvaluation } from '../eval/run-evaluation.ts'
import { describeOrigin } from '../origin.ts'
import { planFlag } from '../plan-flags.ts'
import { addSharedFlags } from '../shared-flags.ts'
import { chooseTemplate } from '../trained-model.ts'

interface ScalingFlags extends EvalFlags, OfficialFlags {
  progress: boolean
  output: string
  model: string
  aggregators?: string[]
  task: keyof typeof tasks
  template?: string
  widths: number[]
  depths: number[]
  maxTokens: number
  temperature: number
  answerTemperature?: number
  order?: PlanOptions['order']
}

const tasks = { gsm8k, ifeval: ifeval((line) => console.error(line)), puzzles }

const help = `
Prints one row per point: the score with its 95 % interval, tokens and seconds. A point is on the frontier if no
other point scores better with as few tokens.

Example:
  $ aft analyze scaling test.jsonl --model smollm2 --widths 2,4 --depths 0,1,2 --limit 40 -o grid`

/** Makes the command `aft analyze scaling`. */
export function scalingCommand(): Command {
  const command = new Command('scaling')
    .argument(
      '[questions]',
      "file of JSON lines or a JSON array, in the benchmark's own form; or give --official",
    )
    .requiredOption('-o, --output <folder>', 'folder for the results, which `aft report` shows')
    .requiredOption('-m, --model <name>', 'engine that proposes: any name that `aft run --model` takes')
    .addOption(planFlag('aggregators', { defaultText: 'the model' }))
    .addOption(
      new Option('--task <name>', 'benchmark of the questions, which says how answers are scored')
        .choices(Object.keys(tasks))
        .default('gsm8k'),
    )
    .option('--widths <list>', 'widths to measure, from 1, separated by commas', readList(1), [2, 4])
    .option(
      '--depths <list>',
      'depths to measure, from 0, separated by commas; 0 is one answer',
      readList(0),
      [0, 1, 2],
    )
    .addOption(planFlag('maxTokens', { default: 512 }))
    .addOption(planFlag('temperature', { default: 0.7 }))
    .addOption(answerTemperatureFlag())
    .addOption(planFlag('order'))
  return addSharedFlags(addEvalFlags(addOfficialFlag(command)), ['template'])
    .addHelpText('after', help)
    .action(scaling)
}

function readList(least: number) {
  return (text: string): number[] => {
    const values = text.split(',').map((part) => (/^\d+$/.test(part.trim()) ? Number(part) : Number.NaN))
    if (values.every((value) => value >= least)) return [...new Set(values)]
    throw new InvalidArgumentError(`expected whole numbers from ${least}, separated by commas`)
  }
}

/** Puzzles are nobody's own: they are a file. */
async function findFile(file: string | undefined, flags: ScalingFlags) {
  if (flags.task !== 'puzzles') return findQuestions(file, flags.task, flags)
  if (file === undefined || flags.official)
    throw new UsageError('--task puzzles: expected a file of questions, without --official')
  return { path: file, name: file }
}

async function scaling(file: string | undefined, flags: ScalingFlags): Promise<void> {
  const { model, aggregators = [model], widths, depths, maxTokens, temperature, seed, order } = flags
  const task = tasks[flags.task]
  const source = await findFile(file, flags)
  const { questions: all, leftOut } = await task.read(source.path)
  const questions = all.slice(0, flags.limit)
  const base = {
    proposers: [model],
    ...(flags.aggregators && { aggregators }),
    maxTokens,
    temperature,
    seed,
    ...(order && { order }),
  }
  const { answerTemperature } = flags
  const grid = { ...base, ...(answerTemperature !== undefined && { answerTemperature }) }
  const template = await chooseTemplate(flags.template, aggregators[0] as string, flags.config)
  await runEvaluation({
    flags,
    engines: [model, ...aggregators],
    journal: path.join(flags.output, 'journal.jsonl'),
    item: 'question',
    progress: 'questions answered',
    asked: questions.length,
    preview(prices) {
      const planOf = (width: number, depth: number) =>
        makePlan({ ...paperSettings, ...base, strategy: depth === 0 ? 'single' : 'aft', width, depth })
      const head: [string, string][] = [
        ['questions', String(questions.length)],
        ['points', `widths ${widths.join(', ')}; depths ${depths.join(', ')}`],
      ]
      const grid = { widths, depths, planOf, template, prices }
      return describeBound(head, boundGrid(questions, grid))
    },
    work(engines, settings) {
      const host = { engines, template, clock: systemClock }
      return runGrid({ ...settings, task, questions, widths, depths, base: grid, host })
    },
    countFinished: (run) => run.answered.length,
    async finish(run, seconds) {
      const rows = await tabulateGrid(task, run.answered, seed)
      const made = { asked: questions.length, file: source.name, leftOut, template, seconds, rows }
      const result = toResult(task, flags, run, made)
      writeControls(flags.output, result)
      return { result, text: describeControls(result) }
    },
  })
}

interface Made {
  asked: number
  file: string
  leftOut: Record<string, number>
  template: Template
  seconds: number
  rows: ControlRow[]
}

/** What a result says of them. */
const SETTINGS = [
  'widths',
  'depths',
  'maxTokens',
  'temperature',
  'answerTemperature',
  'seed',
  'order',
] as const

/** Makes a result in the form of the controls' results. Parts that a grid does not have are empty. */
function toResult(
  task: Task,
  flags: ScalingFlags,
  { answered, failures }: Awaited<ReturnType<typeof runGrid>>,
  { asked, file, leftOut, template, seconds, rows }: Made,
): ControlResult {
  const { model, aggregators = [model], concurrency = EVAL_CONCURRENCY } = flags
  return {
    task: `scaling ${task.name}`,
    metrics: task.metrics,
    file,
    asked,
    left_out: leftOut,
    n: answered.length,
    failed: failures.length,
    model,
    aggregator: aggregators.join(','),
    judge: '',
    settings: { ...Object.fromEntries(SETTINGS.map((name) => [name, flags[name]])), active: concurrency },
    template: { id: template.id, sha256: hashTemplate(template) },
    ...describeOrigin(),
    seconds,
    rows,
    changes: [],
    agreement: 0,
    judge_position: null,
    questions: [],
  }
}
