/** `aft eval mt-bench`: two-turn questions, aggregated answers, a judge's ratings. */
import path from 'node:path'
import { Command } from 'commander'
import { hashTemplate, type Template } from '../../../core/provider/template.ts'
import { boundMtBench, describeBound } from '../../../eval/bound.ts'
import { readMtBench, temperatureOf } from '../../../eval/mt-bench.ts'
import { listTurns, type MtBenchTable, runMtBench, tabulateMtBench } from '../../../eval/mt-bench-run.ts'
import { writeWhole } from '../../../lib/write-whole.ts'
import { paperSettings } from '../../../plans/presets.ts'
import { makePlan } from '../../../plans/strategies.ts'
import { systemClock } from '../../../run/clock.ts'
import { whole } from '../option-types.ts'
import { describeOrigin, writeResult } from '../origin.ts'
import { planFlag } from '../plan-flags.ts'
import { addSharedFlags } from '../shared-flags.ts'
import { chooseTemplate } from '../trained-model.ts'
import { addEvalFlags, type EvalFlags } from './flags.ts'
import { addOfficialFlag, findOfficialFolder, type OfficialFlags } from './official.ts'
import { runEvaluation } from './run-evaluation.ts'

interface MtBenchFlags extends EvalFlags, OfficialFlags {
  progress: boolean
  output: string
  model: string
  aggregators?: string[]
  judge: string
  template?: string
  width: number
  depth: number
  maxTokens: number
  judgeMaxTokens: number
  askAgain?: boolean
}

const help = `
The folder holds the benchmark's question.jsonl, reference-gpt-4.jsonl and judge_prompts.jsonl. --official downloads them
once from their owner (lm-sys/FastChat) and checks their SHA-256. Answers are sampled at each category's temperature; the
second turn sees the aggregated answer of the first. The judge grades at temperature 0; a grade without a rating is left
out and counted. --depth 0 is the bare model.

Example:
  $ aft eval mt-bench --official --model http://127.0.0.1:8000/v1#llama --judge openai:gpt-4.1 -o results`

/** Makes the command `aft eval mt-bench`. */
export function mtBenchCommand(): Command {
  const command = new Command('mt-bench')
    .argument('[folder]', "folder with the benchmark's three files; or give --official")
    .requiredOption('-o, --output <folder>', 'folder for the results')
    .requiredOption('-m, --model <name>', 'engine that proposes: any name that `aft run --model` takes')
    .addOption(planFlag('aggregators', { defaultText: 'the model' }))
    .requiredOption('--judge <name>', 'engine that grades')
    .addOption(whole('--limit <n>', 'use only this many questions, as many of each category', 1))
    .addOption(planFlag('width', { default: 5 }))
    .addOption(planFlag('depth', { default: 2 }))
    .addOption(planFlag('maxTokens', { default: 1024 }))
    .addOption(planFlag('judgeMaxTokens', { help: 'most tokens of a grade', default: 2048 }))
    .option('--ask-again', 'if a grade has no rating, ask again for the rating alone; the benchmark does not')
  return addSharedFlags(addEvalFlags(addOfficialFlag(command), ['limit']), ['template'])
    .addHelpText('after', help)
    .action(mtBench)
}

async function mtBench(folder: string | undefined, flags: MtBenchFlags): Promise<void> {
  const { model, aggregators = [model], judge, judgeMaxTokens, askAgain, seed } = flags
  const bench = await readMtBench(await findOfficialFolder(folder, 'mt-bench', flags))
  const questions = flags.limit ? spread(bench.questions, flags.limit) : bench.questions
  const planOf = planByCategory(flags)
  const template = await chooseTemplate(flags.template, aggregators[0] as string, flags.config)
  await runEvaluation({
    flags,
    engines: [model, ...aggregators, judge],
    journal: path.join(flags.output, 'journal.jsonl'),
    item: 'question',
    progress: 'questions graded',
    asked: questions.length,
    preview(prices) {
      const grader = { engine: judge, maxTokens: judgeMaxTokens, askAgain }
      const bound = boundMtBench(bench, questions, { planOf, judge: grader, template, prices })
      return describeBound([['questions', `${questions.length} of two turns`]], bound)
    },
    work: (engines, settings) =>
      runMtBench({
        ...settings,
        bench,
        questions,
        planOf,
        engines,
        judge,
        judgeMaxTokens,
        askAgain,
        template,
        clock: systemClock,
        seed,
      }),
    countFinished: (run) => run.graded.length,
    async finish({ graded }) {
      const table = tabulateMtBench(graded, seed)
      for (const { id, turn } of table.unreadable)
        console.error(`warning: question ${id}, turn ${turn}: no rating`)
      const result = toResult(flags, { n: graded.length, asked: questions.length, template, table })
      writeResult(flags.output, result)
      const lines = listTurns(graded).map((turn) => `${JSON.stringify(turn)}\n`)
      writeWhole(path.join(flags.output, 'questions.jsonl'), lines.join(''))
      return { result, text: describe(table, judge) }
    },
  })
}

/** Makes the plan of each category. Categories differ in temperature. */
function planByCategory({ model, aggregators = [model], width, depth, maxTokens, seed }: MtBenchFlags) {
  const shared = { proposers: [model], aggregators, width, depth, maxTokens, seed }
  return (category: string) => makePlan({ ...paperSettings, ...shared, temperature: temperatureOf(category) })
}

function toResult(
  flags: MtBenchFlags,
  { n, asked, template, table }: { n: number; asked: number; template: Template; table: MtBenchTable },
) {
  const {
    model,
    aggregators = [model],
    judge,
    width,
    depth,
    maxTokens,
    judgeMaxTokens,
    askAgain,
    seed,
  } = flags
  return {
    task: 'mt-bench',
    n,
    asked,
    model,
    aggregator: aggregators.join(','),
    judge,
    settings: { width, depth, maxTokens, judgeMaxTokens, ...(askAgain && { askAgain }), seed },
    template: { id: template.id, sha256: hashTemplate(template) },
    ...describeOrigin(),
    ...table,
  }
}

/** Takes `count` questions, spread evenly over the file and so over its categories. */
function spread<T>(questions: T[], count: number): T[] {
  if (count >= questions.length) return questions
  return Array.from({ length: count }, (_, i) => questions[Math.floor((i * questions.length) / count)] as T)
}

function describe(table: MtBenchTable, judge: string): string {
  const { turn_1, turn_2, both, categories, unreadable, asked_again: again } = table
  const number = (value: number | null) => (value === null ? '   -' : value.toFixed(2).padStart(5))
  const score = (name: string, rating: MtBenchTable['both']) =>
    rating
      ? `${name.padEnd(12)}${number(rating.mean)}  [${rating.interval.low.toFixed(2)}, ${rating.interval.high.toFixed(2)}], ${rating.n} ratings`
      : `${name.padEnd(12)}   -  no ratings`
  return [
    score('turn 1', turn_1),
    score('turn 2', turn_2),
    score('both', both),
    ...categories.map(
      (c) => `${c.category.padEnd(12)}${number(c.turn_1)} ${number(c.turn_2)} ${number(c.both)}`,
    ),
    `judge: ${judge}; without a rating: ${unreadable.length}${again > 0 ? `; only when asked again: ${again}` : ''}`,
  ].join('\n')
}
