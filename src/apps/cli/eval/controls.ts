/** `aft eval gsm8k` and its like: a task's questions through every control, and one table. */
import path from 'node:path'
import { Command } from 'commander'
import { defaultTemplate, hashTemplate } from '../../../core/templates.ts'
import { boundControls, describeBound } from '../../../eval/bound.ts'
import { runControls } from '../../../eval/control-run.ts'
import { tabulate } from '../../../eval/control-table.ts'
import { planControls } from '../../../eval/controls.ts'
import type { Task } from '../../../eval/task.ts'
import { toCallersError } from '../../../files/file-errors.ts'
import { readTemplate } from '../../../files/template-file.ts'
import { systemClock } from '../../../run/clock.ts'
import { watchInterrupts } from '../interrupt.ts'
import { within } from '../option-types.ts'
import { describeOrigin } from '../origin.ts'
import { pricesOf } from '../prices.ts'
import { sanitise } from '../render/sanitize.ts'
import { addEvalFlags, type EvalFlags, readEngineFlags, readVersion, whole } from './flags.ts'
import { resolveOfficial } from './official.ts'
import { createEvalReporter } from './progress.ts'
import { type ControlResult, describeControls, writeControls } from './results.ts'

interface ControlFlags extends EvalFlags {
  output: string
  model: string
  aggregator?: string
  judge?: string
  trained?: string
  template?: string
  trainedTemplate?: string
  width: number
  depth: number
  maxTokens: number
  judgeMaxTokens: number
  temperature: number
}

const OWNERS = { gsm8k: 'openai/grade-school-math', ifeval: 'google-research/google-research' }
type TaskName = keyof typeof OWNERS

const help = (name: TaskName) => `
The controls: one answer; one answer that may take as many tokens as the whole ensemble; the best of the proposals,
picked by the right answer (what selection could reach at most) and by a judge; the majority of extracted answers; a
prompted aggregator; with --trained a trained one. The proposals are sampled once and shared; each control's cost is
what it would take alone. Intervals are bootstrap ones of 95 %, tests are paired by question.

The questions are a file, or "official": the owner's own (${OWNERS[name]}), fetched once and checked by its SHA-256.

-o is a folder: result.json, table.csv, questions.jsonl and the journal. Interrupted, the same command goes on.

Example:
  $ aft eval ${name} official --limit 100 --model smollm2 --width 5 --depth 1 -o results`

/** A subcommand for a task. */
export function controlsCommand(task: Task, about: string): Command {
  const command = new Command(task.name)
    .description(about)
    .argument('<questions>', 'JSON lines or a JSON array, in the form that the benchmark has; or official')
    .requiredOption('-o, --output <folder>', 'where the results go')
    .requiredOption('-m, --model <name>', 'engine that proposes')
    .option('--aggregator <name>', 'engine that aggregates (default: the model)')
    .option('--judge <name>', 'engine that picks (default: the aggregator)')
    .option('--trained <name>', 'a trained aggregator, for one more row')
    .option('--template <file>', 'wording of the roles, a JSON file')
    .option('--trained-template <file>', 'that which the trained aggregator was trained with')
    .addOption(whole('--width <n>', 'proposals a question', 2).default(5))
    .addOption(whole('--depth <n>', 'aggregation layers', 1).default(1))
    .addOption(whole('--max-tokens <n>', 'most tokens of each completion', 1).default(512))
    .addOption(
      whole('--judge-max-tokens <n>', 'most tokens of a judgment; its first number counts', 1).default(512),
    )
    .addOption(within('--temperature <t>', '0 to 5', 0, 5).default(0.7))
  return addEvalFlags(command)
    .addHelpText('after', help(task.name as TaskName))
    .action((file: string, flags: ControlFlags) => evaluate(task, file, flags))
}

async function evaluate(task: Task, file: string, flags: ControlFlags): Promise<void> {
  const { model: proposer, aggregator = proposer, judge = aggregator, trained } = flags
  const { width, depth, maxTokens, judgeMaxTokens, temperature, seed, limit } = flags
  const questionsFile = await resolveOfficial(file, task.name as TaskName, 'questions', flags)
  const { questions: all, leftOut } = await task.read(questionsFile).catch((error) => {
    throw toCallersError(error)
  })
  const questions = limit ? all.slice(0, limit) : all
  const plans = planControls({
    proposer,
    aggregator,
    judge,
    trained,
    width,
    depth,
    maxTokens,
    judgeMaxTokens,
    temperature,
    seed,
  })
  const template = flags.template ? await readTemplate(flags.template) : defaultTemplate
  const trainedTemplate = flags.trainedTemplate ? await readTemplate(flags.trainedTemplate) : template
  const { engineFlags, config } = await readEngineFlags(flags)
  const names = [proposer, aggregator, judge, ...(trained ? [trained] : [])]
  if (flags.dryRun) {
    const prices = pricesOf(names, config)
    const head: [string, string][] = [
      ['questions', questions.length.toLocaleString('en-US')],
      ['controls', String(plans.size)],
    ]
    console.log(describeBound(head, boundControls(questions, plans, { template, trainedTemplate, prices })))
    return
  }
  const signal = watchInterrupts()
  const reporter = flags.progress ? createEvalReporter(process.stderr, 'questions answered') : undefined
  const { openEngines } = await import('../../../engines/open.ts')
  const { engines, close } = await openEngines(names, { ...engineFlags, signal, onProgress: reporter?.pull })
  const startMs = performance.now()
  try {
    const run = await runControls({
      task: task.name,
      questions,
      plans,
      active: flags.concurrency,
      version: readVersion(),
      signal,
      journal: path.join(flags.output, 'journal.jsonl'),
      restart: flags.restart,
      host: { engines, template, trainedTemplate, clock: systemClock },
      onProgress: reporter?.update,
    })
    reporter?.close()
    if (run.outcome === 'interrupted') console.error('interrupted; run the same command to go on')
    for (const { id, error } of run.failures.slice(0, 10)) {
      console.error(`failed: question ${id}: ${error.kind}: ${sanitise(error.message)}`)
    }
    if (run.answered.length === 0) {
      if (run.outcome === 'interrupted') throw signal.reason
      process.exitCode = 1
      return
    }
    const table = await tabulate(task, run, seed)
    const result: ControlResult = {
      task: task.name,
      metrics: task.metrics,
      file,
      asked: questions.length,
      left_out: leftOut,
      n: run.answered.length,
      failed: run.failures.length,
      model: proposer,
      aggregator,
      judge,
      ...(trained && { trained }),
      settings: { width, depth, maxTokens, judgeMaxTokens, temperature, seed, active: flags.concurrency },
      template: { id: template.id, sha256: hashTemplate(template) },
      ...describeOrigin(),
      seconds: (performance.now() - startMs) / 1000,
      ...table,
    }
    writeControls(flags.output, result)
    console.log(
      flags.json ? JSON.stringify({ ...result, questions: undefined }) : sanitise(describeControls(result)),
    )
    if (run.outcome === 'interrupted') throw signal.reason
    if (run.answered.length < questions.length) process.exitCode = 1
  } catch (error) {
    throw toCallersError(error)
  } finally {
    reporter?.close()
    await close()
  }
}
