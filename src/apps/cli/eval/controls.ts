/** `aft eval gsm8k`, `ifeval` and `puzzles`: answers a task's questions with every control, and makes one table. */
import path from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { enginesOf } from '../../../core/plan.ts'
import { UsageError } from '../../../core/provider/errors.ts'
import { hashTemplate, type Template } from '../../../core/provider/template.ts'
import { readTrainedTemplate } from '../../../engines/trained-template.ts'
import { boundControls, describeBound } from '../../../eval/bound.ts'
import { type RunControls, runControls } from '../../../eval/control-run.ts'
import { type ControlTable, tabulate } from '../../../eval/control-table.ts'
import { type ControlName, controlNames, planControls } from '../../../eval/controls.ts'
import { repeatQuestions, type Task } from '../../../eval/task.ts'
import { readTemplate } from '../../../files/template-file.ts'
import type { PlanOptions } from '../../../plans/strategies.ts'
import { systemClock } from '../../../run/clock.ts'
import { findConfig } from '../find-config.ts'
import { readNames, whole } from '../option-types.ts'
import { describeOrigin } from '../origin.ts'
import { planFlag } from '../plan-flags.ts'
import { addSharedFlags } from '../shared-flags.ts'
import { chooseTemplate } from '../trained-model.ts'
import { addEvalFlags, answerTemperatureFlag, EVAL_CONCURRENCY, type EvalFlags } from './flags.ts'
import { addOfficialFlag, findQuestions, type OfficialFlags } from './official.ts'
import { type ControlResult, describeControls, writeControls } from './results.ts'
import { runEvaluation } from './run-evaluation.ts'

interface ControlFlags extends EvalFlags, OfficialFlags {
  progress: boolean
  output: string
  model: string
  aggregators?: string[]
  judge?: string
  trained?: string
  template?: string
  trainedTemplate?: string
  width: number
  depth: number
  maxTokens: number
  judgeMaxTokens: number
  temperature: number
  answerTemperature?: number
  seeds: number
  order?: PlanOptions['order']
  controls?: ControlName[]
}

const OWNERS = { gsm8k: 'openai/grade-school-math', ifeval: 'google-research/google-research' }
type Owned = keyof typeof OWNERS
const isOwned = (name: string): name is Owned => Object.hasOwn(OWNERS, name)

const describeSource = (name: string) =>
  isOwned(name)
    ? `The questions are a file, or with --official the owner's own (${OWNERS[name]}), downloaded once and checked by its SHA-256.`
    : 'The questions are a file. Each row has `messages` and `target`: the right answer, with a line "(1) …" per part.'

const help = (name: string) => `
The controls: one answer; one answer that may take as many tokens as all calls together; the best of the proposals,
picked by the right answer (what selection could reach at most) and by a judge; the majority of extracted answers; a
prompted aggregator; with --trained a trained one. The proposals are sampled once and shared; each control's cost is
what it would take alone. Intervals are bootstrap intervals of 95 %, with --seeds over questions and seeds. Tests are
paired by question.

${describeSource(name)}

-o is a folder: result.json, table.csv, questions.jsonl and the journal. The same command resumes an interrupted run.

Example:
  $ aft eval ${name} ${isOwned(name) ? '--official' : 'questions.jsonl'} --limit 100 --model smollm2 --width 5 --depth 1 -o results`

/** Makes the command of a task. */
export function controlsCommand(task: Task): Command {
  const command = new Command(task.name)
    .argument(
      isOwned(task.name) ? '[questions]' : '<questions>',
      `file of JSON lines or a JSON array, in the benchmark's own form${isOwned(task.name) ? '; or give --official' : ''}`,
    )
    .requiredOption('-o, --output <folder>', 'folder for the results')
    .requiredOption('-m, --model <name>', 'engine that proposes: any name that `aft run --model` takes')
    .addOption(planFlag('aggregators', { defaultText: 'the model' }))
    .addOption(planFlag('judge', { defaultText: 'the first aggregator' }))
    .option('--trained <name>', 'trained aggregator, a folder of `aft train`, for one more row of the table')
    .option(
      '--trained-template <file>',
      'template that the trained aggregator was trained with (default: that of its card, or --template)',
    )
    .option('--controls <names>', `only these rows: ${controlNames.join(', ')} (default: all)`, readControls)
    .addOption(planFlag('width', { kind: { type: 'whole', from: 2 }, default: 5 }))
    .addOption(
      planFlag('depth', {
        kind: { type: 'whole', from: 1 },
        help: 'layers that aggregate, the last included',
        default: 1,
      }),
    )
    .addOption(planFlag('maxTokens', { default: 512 }))
    .addOption(planFlag('judgeMaxTokens', { default: 512 }))
    .addOption(planFlag('temperature', { default: 0.7 }))
    .addOption(answerTemperatureFlag())
    .addOption(planFlag('order'))
    .addOption(
      whole('--seeds <n>', 'answer each question this many times, with --seed and those after it', 1).default(
        1,
      ),
    )
  if (isOwned(task.name)) addOfficialFlag(command)
  return addSharedFlags(addEvalFlags(command), ['template'])
    .addHelpText('after', help(task.name))
    .action((file: string | undefined, flags: ControlFlags) => evaluate(task, file, flags))
}

function readControls(text: string): ControlName[] {
  const given = new Set<string>(readNames(text))
  const known = controlNames.filter((name) => given.delete(name))
  if (given.size === 0) return known
  throw new InvalidArgumentError(`expected names of ${controlNames.join(', ')}, got ${[...given].join(', ')}`)
}

async function evaluate(task: Task, file: string | undefined, flags: ControlFlags): Promise<void> {
  const source = isOwned(task.name)
    ? await findQuestions(file, task.name, flags)
    : { path: file as string, name: file as string }
  const { questions: all, leftOut } = await task.read(source.path)
  const asked = all.slice(0, flags.limit)
  const questions = repeatQuestions(asked, flags.seeds)
  const roles = rolesOf(flags)
  const { controls } = flags
  if (controls?.includes('trained') && !flags.trained)
    throw new UsageError('--controls trained: expected a trained aggregator, --trained')
  const plans = planControls({ ...roles, ...settingsOf(flags) }, controls)
  const template = await chooseTemplate(flags.template, roles.aggregators[0] as string, flags.config)
  const trainedTemplate = await chooseTrained(flags, template)
  await runEvaluation({
    flags,
    engines: [...plans.values()].flatMap(enginesOf),
    journal: path.join(flags.output, 'journal.jsonl'),
    item: 'question',
    progress: 'questions answered',
    asked: questions.length,
    preview(prices) {
      const head: [string, string][] = [
        ['questions', asked.length.toLocaleString('en-US')],
        ...(flags.seeds > 1 ? [['seeds', String(flags.seeds)] as [string, string]] : []),
        ['controls', String(plans.size)],
      ]
      return describeBound(head, boundControls(questions, plans, { template, trainedTemplate, prices }))
    },
    work(engines, settings) {
      const host = { engines, template, trainedTemplate, clock: systemClock }
      return runControls({ ...settings, task: task.name, questions, plans, controls, host })
    },
    countFinished: (run) => run.answered.length,
    async finish(run, seconds) {
      const made = { asked: asked.length, file: source.name, leftOut, template, seconds }
      const result = toResult(task, flags, run, { ...made, table: await tabulate(task, run, flags.seed) })
      writeControls(flags.output, result)
      return { result: { ...result, questions: undefined }, text: describeControls(result) }
    },
  })
}

/** The template of the trained aggregator: the one that is given, that of its card, or the one of the others. */
async function chooseTrained({ trained, trainedTemplate, config }: ControlFlags, template: Template) {
  if (trainedTemplate !== undefined) return readTemplate(trainedTemplate)
  return (trained && (await readTrainedTemplate(trained, await findConfig(config)))) || template
}

/** Returns the engine of each role. */
function rolesOf({ model, aggregators = [model], judge = aggregators[0] as string, trained }: ControlFlags) {
  return { proposer: model, aggregators, judge, trained }
}

function settingsOf(flags: ControlFlags) {
  const { width, depth, maxTokens, judgeMaxTokens, temperature, answerTemperature, seed, order } = flags
  const given = { ...(answerTemperature !== undefined && { answerTemperature }), ...(order && { order }) }
  return { width, depth, maxTokens, judgeMaxTokens, temperature, seed, ...given }
}

interface Made {
  asked: number
  file: string
  leftOut: Record<string, number>
  template: Template
  seconds: number
  table: ControlTable
}

function toResult(
  task: Task,
  flags: ControlFlags,
  { answered, failures }: RunControls,
  { asked, file, leftOut, template, seconds, table }: Made,
): ControlResult {
  const { proposer, aggregators, judge, trained } = rolesOf(flags)
  return {
    task: task.name,
    metrics: task.metrics,
    file,
    asked,
    left_out: leftOut,
    n: table.rows[0]?.n ?? answered.length,
    failed: failures.length,
    model: proposer,
    aggregator: aggregators.join(','),
    judge,
    ...(trained && { trained }),
    settings: { ...settingsOf(flags), seeds: flags.seeds, active: flags.concurrency ?? EVAL_CONCURRENCY },
    template: { id: template.id, sha256: hashTemplate(template) },
    ...describeOrigin(),
    seconds,
    ...table,
  }
}
