/** `aft run`: answers a file of prompts. */
import { Command, Option } from 'commander'
import { enginesOf } from '../../core/plan.ts'
import { countPlacesNow } from '../../engines/openai/endpoint.ts'
import { type PromptRow, readPrompts } from '../../files/prompts.ts'
import { foldNotes } from '../../plans/notes.ts'
import { withOwnSettings } from '../../plans/own-settings.ts'
import type { AnswerFormat } from '../../run/answers.ts'
import { addSpending, boundSpending, nothingSpent, type Price, unpricedEngines } from '../../run/budget.ts'
import { checkOut, runPrompts } from '../../run/run.ts'
import { type AnswerFlags, type AnswerSetup, addAnswerFlags, readAnswerFlags } from './flags.ts'
import { watchInterrupts } from './interrupt.ts'
import { keepMemorySmall } from './memory.ts'
import { countPlaces, openForRun } from './open-plan.ts'
import { amount, type Part, shardOption, takePart } from './option-types.ts'
import { pricesOf } from './prices.ts'
import { createProgress } from './progress.ts'
import { describeBound, describeEnd, viewRun } from './render/run-report.ts'
import { sanitize } from './render/sanitize.ts'
import { addSharedFlags } from './shared-flags.ts'

interface RunFlags extends AnswerFlags {
  output: string
  outputFormat: AnswerFormat
  generator?: string
  shard?: Part
  withPrompt?: boolean
  restart?: boolean
  dryRun?: boolean
  maxCost?: number
  maxTokensTotal?: number
  progress: boolean
  queue?: string
  run?: string
}

const help = `
A row is {"prompt": "…"}, {"instruction": "…"} or {"messages": […]}, with or without "id", "system", "history" and sampling
of its own, a line of an OpenAI batch file, or of another form that data sets have: docs/data.md. After an interrupt, a crash or
the end of its budget, the same command resumes from answers.jsonl.journal.

Examples:
  $ aft run prompts.jsonl -o answers.jsonl
  $ aft run prompts.jsonl -o answers.jsonl --model http://127.0.0.1:8000/v1#llama --concurrency 64
  $ aft run prompts.jsonl -o answers.jsonl --model openai:gpt-4.1-mini --dry-run`

/** Makes the command `aft run`. */
export function runCommand(): Command {
  const command = new Command('run')
    .description('Answer a file of prompts.')
    .argument('<prompts>', 'file of JSON lines, a JSON array, CSV or Parquet')
    .requiredOption('-o, --output <file>', 'file for the answers, one line per prompt')
    .addOption(
      new Option(
        '--output-format <format>',
        'format of the answers; alpaca-eval is one JSON array for that benchmark',
      )
        .choices(['jsonl', 'alpaca-eval'])
        .default('jsonl'),
    )
    .addOption(shardOption())
    .option('--generator <name>', 'name of the system in the rows of --output-format alpaca-eval')
    .option('--with-prompt', 'put each prompt into its line of answers; rows of alpaca-eval have it')
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
  addSharedFlags(command, ['restart', 'dryRun', 'progress', 'queue', 'run'])
  return addAnswerFlags(command, ['panel']).action(run)
}

async function run(file: string, flags: RunFlags): Promise<void> {
  keepMemorySmall()
  checkOut({ prompts: file, out: flags.output })
  const setup = await readAnswerFlags(flags)
  const prices = pricesOf(enginesOf(setup.plan), setup.config)
  const prompts = await openPrompts(file, flags, setup)
  const bound = await boundAll(prompts(), setup, prices)
  if (flags.dryRun) {
    console.log(describeBound(bound.prompts, bound.spending, unpricedEngines(setup.plan, prices)))
    return
  }
  const signal = watchInterrupts()
  const reporter = flags.progress ? createProgress(process.stderr, viewRun) : undefined
  const { plan, given: template, responseFormat, engineFlags } = setup
  const { output: out, outputFormat: format, generator, withPrompt, restart, system } = flags
  const startMs = performance.now()
  const writeNote = (note: string) => (reporter?.writeAbove ?? console.error)(sanitize(note))
  const { engines, queue, close } = await openForRun(enginesOf(plan), flags, {
    ...engineFlags,
    signal,
    onProgress: reporter?.pull,
    onNote: writeNote,
  })
  try {
    const summary = await runPrompts({
      prompts: flags.shard ? prompts : file,
      out,
      plan,
      engines,
      template,
      system,
      responseFormat,
      format,
      generator,
      withPrompt,
      restart,
      prices,
      signal,
      budget: budgetOf(flags),
      active: queue ? undefined : countActive(setup),
      queue,
      onProgress: reporter?.update,
      onEvent: reporter && foldNotes(writeNote),
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

function budgetOf({ maxCost, maxTokensTotal: maxTokens }: RunFlags) {
  return maxCost === undefined && maxTokens === undefined ? undefined : { maxCost, maxTokens }
}

/** The prompts of the file, or of a part of it. All parts together are the file, in its order. */
async function openPrompts(
  file: string,
  { system, shard }: RunFlags,
  { responseFormat }: AnswerSetup,
): Promise<() => AsyncGenerator<PromptRow>> {
  const read = () => readPrompts(file, system, responseFormat)
  if (!shard) return read
  return takePart(read, shard)
}

/** Reads all prompts, to find a wrong row before a model is loaded, and adds up the most that they can take. */
async function boundAll(
  rows: AsyncIterable<PromptRow>,
  setup: AnswerSetup,
  prices: Record<string, Price | undefined>,
) {
  let [prompts, spending] = [0, nothingSpent]
  for await (const prompt of rows) {
    prompts++
    spending = addSpending(
      spending,
      boundSpending(prompt, { ...setup, plan: withOwnSettings(setup.plan, prompt.own), prices }),
    )
  }
  return { prompts, spending }
}

/** How many prompts are active at a time: twice as many as places (see `RunOptions`), which servers may find out on the way. */
function countActive({ plan, engineFlags, config }: AnswerSetup): () => number {
  const places = countPlaces(enginesOf(plan), engineFlags, config)
  return () => 2 * Math.max(places, countPlacesNow())
}
