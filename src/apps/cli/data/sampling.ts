/** Shared by the commands that sample a model: their flags, and a run with its progress and its end. */
import type { Command } from 'commander'
import { enginesOf, type Plan } from '../../../core/plan.ts'
import type { Template } from '../../../core/provider/template.ts'
import { pickSettings } from '../../../engines/engine-options.ts'
import { checkReplaceable } from '../../../lib/write-whole.ts'
import { foldNotes } from '../../../plans/notes.ts'
import { labelRows, planLabels, type ReadLabelRows } from '../../../run/label.ts'
import type { RunOptions, RunSummary } from '../../../run/run.ts'
import { watchInterrupts } from '../interrupt.ts'
import { openForRun } from '../open-plan.ts'
import { planFlag } from '../plan-flags.ts'
import { createProgress } from '../progress.ts'
import { describeEnd, viewRun } from '../render/run-report.ts'
import { sanitize } from '../render/sanitize.ts'
import { addEngineFlags, addSharedFlags, type EngineFlags } from '../shared-flags.ts'

/** The flags of a sampled model. */
export interface SamplingFlags extends EngineFlags {
  output: string
  model: string
  maxTokens: number
  temperature: number
  seed: number
  restart?: boolean
  queue?: string
  run?: string
}

/** Adds the flags of a sampled model. */
export function addSamplingFlags(command: Command): Command {
  command
    .requiredOption('-o, --output <file>', 'file for the rows; what was sampled is in FILE.journal')
    .option('-m, --model <name>', 'engine that writes: any name that `aft run --model` takes', 'smollm2')
    .addOption(planFlag('maxTokens', { default: 1024 }))
    .addOption(planFlag('temperature', { default: 0.7 }))
    .addOption(planFlag('seed', { default: 0 }))
  return addEngineFlags(addSharedFlags(command, ['config', 'restart', 'queue', 'run']))
}

/** The options of a run that the command sets. */
type Host = Pick<
  RunOptions,
  'plan' | 'out' | 'journal' | 'engines' | 'queue' | 'restart' | 'signal' | 'onProgress' | 'onEvent'
>

/**
 * The file of answers from which a command makes its rows. It is not the output: if the rows cannot be written, no other
 * rows stand under their name.
 */
export function answersOf(output: string): string {
  return `${output}.answers.tmp`
}

/**
 * Opens the plan's engines and runs or resumes it. Resolves to true if every prompt was tried.
 * @param answers the file of answers; default the output itself
 */
export async function sample(
  flags: SamplingFlags,
  plan: Plan,
  run: (host: Host) => Promise<RunSummary>,
  answers = flags.output,
): Promise<boolean> {
  checkReplaceable(flags.output)
  const signal = watchInterrupts()
  const startMs = performance.now()
  const reporter = createProgress(process.stderr, viewRun)
  const { restart, config, output: out } = flags
  const onNote = (note: string) => reporter.writeAbove(sanitize(note))
  const settings = { ...pickSettings(flags), config, signal, onProgress: reporter.pull, onNote }
  const { engines, queue, close } = await openForRun(enginesOf(plan), flags, settings)
  try {
    const onEvent = foldNotes(onNote)
    const files = { out: answers, journal: `${out}.journal` }
    const summary = await run({
      plan,
      ...files,
      engines,
      queue,
      restart,
      signal,
      onProgress: reporter.update,
      onEvent,
    })
    reporter.close()
    console.error(describeEnd(summary, { out, elapsedMs: performance.now() - startMs }))
    if (summary.outcome === 'interrupted') throw signal.reason
    if (summary.outcome !== 'done' || summary.failures.length > 0) process.exitCode = 1
    return summary.outcome === 'done'
  } finally {
    reporter.close()
    await close()
  }
}

/** Labels rows with the flags' model and writes them to its output. Resolves to true if every row was tried. */
export async function sampleLabels(
  rows: ReadLabelRows,
  flags: SamplingFlags,
  template: Template,
  answers?: string,
): Promise<boolean> {
  const { model, maxTokens, temperature, seed } = flags
  const plan = await planLabels(rows, { model, maxTokens, temperature, seed, template: template.id })
  return sample(flags, plan, (host) => labelRows(rows, { ...host, template }), answers)
}
