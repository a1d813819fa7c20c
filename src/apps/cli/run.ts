/** `aft run`: answers a file of prompts. */
import { Command, Option } from 'commander'
import { enginesOf } from '../../core/plan.ts'
import { isModel } from '../../engines/ai-sdk/is-model.ts'
import { readPrompts } from '../../files/prompts.ts'
import { foldNotes } from '../../plans/notes.ts'
import { withOwnSettings } from '../../plans/own-settings.ts'
import type { AnswerFormat } from '../../run/answers.ts'
import { addSpending, boundSpending, nothingSpent, type Price, unpricedEngines } from '../../run/budget.ts'
import { checkOut, runPrompts } from '../../run/run.ts'
import { type AnswerFlags, type AnswerSetup, addAnswerFlags, readAnswerFlags } from './flags.ts'
import { watchInterrupts } from './interrupt.ts'
import { keepMemorySmall } from './memory.ts'
import { openPlan } from './open-plan.ts'
import { amount } from './option-types.ts'
import { pricesOf } from './prices.ts'
import { createProgress } from './progress.ts'
import { describeBound, describeEnd, viewRun } from './render/run-report.ts'
import { sanitize } from './render/sanitize.ts'
import { addSharedFlags } from './shared-flags.ts'

interface RunFlags extends AnswerFlags {
  output: string
  outputFormat: AnswerFormat
  generator?: string
  restart?: boolean
  dryRun?: boolean
  maxCost?: number
  maxTokensTotal?: number
  progress: boolean
}

const help = `
A row is {"prompt": "…"}, {"instruction": "…"} or {"messages": […]}, with or without "id", "system", "history" and sampling
of its own, or a line of an OpenAI batch file: docs/cli.md. After an interrupt, a crash or
the end of its budget, the same command resumes from answers.jsonl.journal.

Examples:
  $ aft run prompts.jsonl -o answers.jsonl
  $ aft run prompts.jsonl -o answers.jsonl --model http://127.0.0.1:8000/v1#llama --concurrency 64
  $ aft run prompts.jsonl -o answers.jsonl --model openai:gpt-4.1-mini --dry-run`

/** Makes the command `aft run`. */
export function runCommand(): Command {
  const command = new Command('run')
    .description('Answer a file of prompts, one JSON object per line.')
    .argument('<prompts>', 'file of JSON lines, or of one JSON array')
    .requiredOption('-o, --output <file>', 'file for the answers, one line per prompt')
    .addOption(
      new Option(
        '--output-format <format>',
        'format of the answers; alpaca-eval is one JSON array for that benchmark',
      )
        .choices(['jsonl', 'alpaca-eval'])
        .default('jsonl'),
    )
    .option('--generator <name>', 'name of the system in the rows of --output-format alpaca-eval')
    .addOption(
      amount(
        '--max-cost <dollars>',
        'US dollars to spend at most, earlier runs with this journal included; needs the prices of models in the config',
      ),
    )
    .addOption(
      amount(
        '--max-tokens-total <n>',
        'tokens to spend at most, read and written, earlier runs with this journal included',
      ),
    )
    .addHelpText('after', help)
  addSharedFlags(command, ['restart', 'dryRun', 'progress'])
  return addAnswerFlags(command, ['panel']).action(run)
}

async function run(file: string, flags: RunFlags): Promise<void> {
  keepMemorySmall()
  checkOut({ prompts: file, out: flags.output })
  const setup = await readAnswerFlags(flags)
  const prices = pricesOf(enginesOf(setup.plan), setup.config)
  const bound = await boundAll(file, flags, setup, prices)
  if (flags.dryRun) {
    console.log(describeBound(bound.prompts, bound.spending, unpricedEngines(setup.plan, prices)))
    return
  }
  const signal = watchInterrupts()
  const reporter = flags.progress ? createProgress(process.stderr, viewRun) : undefined
  const { plan, given: template, responseFormat, engineFlags } = setup
  const {
    output: out,
    outputFormat: format,
    generator,
    restart,
    system,
    maxCost,
    maxTokensTotal: maxTokens,
  } = flags
  const startMs = performance.now()
  const { engines, close } = await openPlan(plan, { ...engineFlags, signal, onProgress: reporter?.pull })
  try {
    const summary = await runPrompts({
      prompts: file,
      out,
      plan,
      engines,
      template,
      system,
      responseFormat,
      format,
      generator,
      restart,
      prices,
      signal,
      budget: maxCost === undefined && maxTokens === undefined ? undefined : { maxCost, maxTokens },
      active: countActive(setup),
      onProgress: reporter?.update,
      onEvent: reporter && foldNotes((note) => reporter.writeAbove(sanitize(note))),
    })
    reporter?.close()
    console.error(describeEnd(summary, { out, elapsedMs: performance.now() - startMs }))
    if (summary.outcome === 'interrupted') throw signal.reason
    if (summary.outcome !== 'done' || summary.failures.length > 0) process.exitCode = 1
  } finally {
    reporter?.close()
    await close()
  }
}

/** Reads all prompts, to find a wrong row before a model is loaded, and adds up the most that they can take. */
async function boundAll(
  file: string,
  { system }: RunFlags,
  setup: AnswerSetup,
  prices: Record<string, Price | undefined>,
) {
  let [prompts, spending] = [0, nothingSpent]
  for await (const prompt of readPrompts(file, system, setup.responseFormat)) {
    prompts++
    spending = addSpending(
      spending,
      boundSpending(prompt, { ...setup, plan: withOwnSettings(setup.plan, prompt.own), prices }),
    )
  }
  return { prompts, spending }
}

/** Completions that the embedded engine takes at a time. For a server, --concurrency decides. */
const EMBEDDED_PLACES = 24

/** Returns how many prompts are active at a time: twice as many as places (see `RunOptions`). */
function countActive(setup: AnswerSetup): number {
  const names = enginesOf(setup.plan)
  const { engines: entries = {} } = setup.config
  const places = names.map((name) => {
    const entry = entries[name]
    return (typeof entry === 'object' && !isModel(entry) && entry.concurrency) || 0
  })
  return 2 * names.length * Math.max(EMBEDDED_PLACES, setup.engineFlags.concurrency ?? 0, ...places)
}
