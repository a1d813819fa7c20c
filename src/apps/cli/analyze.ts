/** `aft analyze`: why aggregation did what it did, and what it takes. */
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Command } from 'commander'
import { drawCurves, readCurves, summariseCurve } from '../../analysis/convergence.ts'
import { attributeJournal } from '../../analysis/journal-attribution.ts'
import { readJournal } from '../../analysis/journal-prompts.ts'
import { compareOverhead } from '../../analysis/overhead.ts'
import { type RowScore, readScoredRows, scoreRow, sumPerplexity } from '../../analysis/perplexity.ts'
import type { Engine } from '../../core/engine.ts'
import { toCallersError } from '../../inference/file-errors.ts'
import { renderReportPage } from '../../lib/report-page.ts'
import { scalingCommand } from './analyze-scaling.ts'
import { readEngineFlags, whole, withEngine } from './eval-flags.ts'
import { createEvalReporter } from './eval-progress.ts'
import { drawTable } from './eval-results.ts'
import { watchInterrupts } from './interrupt.ts'
import { sanitise } from './sanitise.ts'

const examples = `
Examples:
  $ aft analyze attribution answers.jsonl.journal
  $ aft analyze overhead answers.jsonl.journal
  $ aft analyze perplexity data/validation.jsonl --model smollm2
  $ aft analyze convergence runs/aggregation runs/plain -o curves.html
  $ aft analyze scaling test.jsonl --model smollm2 --widths 2,4 --depths 0,1,2 -o grid`

/** The subcommand with its own. */
export function analyzeCommand(): Command {
  const command = new Command('analyze')
    .description('Explain answers, costs and training.')
    .addHelpText('after', examples)
  const sub = (name: string, about: string) => command.command(name).description(about)
  sub('attribution', 'What answers took from which proposals.')
    .argument('<journals...>', 'journals of `aft run`')
    .option('--json', 'print JSON, each prompt too')
    .action((files: string[], { json }: { json?: boolean }) => guard(() => attribution(files, json)))
  sub('overhead', 'Calls, tokens and time: measured in journals, predicted by formula, and beside best of n.')
    .argument('<journals...>', 'journals of `aft run`')
    .option('--json', 'print JSON')
    .action((files: string[], { json }: { json?: boolean }) => guard(() => overhead(files, json)))
  sub('perplexity', 'How expected targets are, with proposals before them and without.')
    .argument('<examples>', 'train.jsonl or validation.jsonl of `aft data build`')
    .requiredOption('-m, --model <name>', 'an engine that scores: an embedded one')
    .addOption(whole('--limit <n>', 'only the first rows', 1))
    .addOption(whole('--threads <n>', 'CPU threads of an embedded model', 1))
    .option('--lora <file>', 'GGUF adapter for it')
    .option('--raw', 'for base models without a chat template')
    .option('--json', 'print JSON, each row too')
    .action((file: string, flags: PerplexityFlags) => guard(() => perplexity(file, flags)))
  sub('convergence', 'Training curves side by side.')
    .argument('<runs...>', 'folders of `aft train`')
    .option('-o, --output <file>', 'a page with the curves')
    .option('--json', 'print JSON')
    .action((folders: string[], flags: { output?: string; json?: boolean }) =>
      guard(() => convergence(folders, flags)),
    )
  return command.addCommand(scalingCommand())
}

async function guard(act: () => Promise<void>): Promise<void> {
  try {
    await act()
  } catch (error) {
    throw toCallersError(error)
  }
}

const percent = (share: number) => (100 * share).toFixed(1)

async function attribution(files: string[], json?: boolean): Promise<void> {
  for (const file of files) {
    const summary = attributeJournal(await readJournal(file))
    if (json) console.log(JSON.stringify(summary))
    else {
      const places = summary.position.map((share, i) => `${i + 1}: ${percent(share)} %`).join('  ')
      console.log(`${file}: ${summary.n} aggregated answers`)
      console.log(`words that a proposal has in a run   ${percent(summary.copy_rate)} %`)
      console.log(
        `sentences by their nearest proposal  ${places || 'none'}  new: ${percent(summary.fresh)} %`,
      )
    }
  }
}

async function overhead(files: string[], json?: boolean): Promise<void> {
  const rows = await Promise.all(files.map(async (file) => compareOverhead(await readJournal(file))))
  if (json) return console.log(JSON.stringify(rows))
  const columns = [
    'calls',
    'completions',
    'prompt_tokens',
    'prefilled_tokens',
    'written_tokens',
    'critical_tokens',
  ] as const
  const lines = rows.flatMap(({ file, strategy, n, measured, predicted, best_of_n: best }) =>
    (
      [
        [`${path.basename(file)}: ${strategy}, ${n} prompts, measured`, measured],
        ['  predicted', predicted],
        ['  best of n, as many completions', best],
      ] as const
    ).map(([name, of]) => [
      name,
      ...columns.map((column) => of[column]?.toFixed(column === 'calls' ? 1 : 0) ?? '?'),
      'seconds' in of ? of.seconds.toFixed(1) : '',
    ]),
  )
  const head = [
    'means a prompt',
    'calls',
    'completions',
    'prompt',
    'prefilled',
    'written',
    'one after the other',
    's',
  ]
  console.log(sanitise(drawTable(head, lines)))
}

interface PerplexityFlags {
  model: string
  limit?: number
  threads?: number
  lora?: string
  raw?: boolean
  json?: boolean
}

async function perplexity(file: string, { model, limit, json, ...flags }: PerplexityFlags): Promise<void> {
  const rows = await readScoredRows(file, limit)
  const signal = watchInterrupts()
  const reporter = createEvalReporter(process.stderr, 'rows scored')
  const { engineFlags } = await readEngineFlags({ ...flags, seed: 0, concurrency: 8, progress: true })
  const scores: RowScore[] = []
  try {
    await withEngine(
      model,
      { ...engineFlags, ...flags, signal, onProgress: reporter.pull },
      async (engine: Engine) => {
        for (const [i, row] of rows.entries()) {
          signal.throwIfAborted()
          scores.push(await scoreRow(engine, row))
          reporter.update({ items: rows.length, done: i + 1, doneNow: i + 1, failed: 0 })
        }
      },
    )
  } finally {
    reporter.close()
  }
  const result = sumPerplexity(scores)
  if (json) return console.log(JSON.stringify({ model, file, ...result, rows: scores }))
  console.log(`${result.n} targets, ${result.tokens} tokens, ${model}`)
  if (result.with_proposals !== null)
    console.log(`perplexity after proposals  ${result.with_proposals.toFixed(2)}`)
  console.log(`perplexity alone            ${result.alone?.toFixed(2) ?? 'none'}`)
}

async function convergence(
  folders: string[],
  { output, json }: { output?: string; json?: boolean },
): Promise<void> {
  const curves = await readCurves(folders)
  const summaries = curves.map(summariseCurve)
  const head = ['run', 'steps', 'first loss', 'last loss', 'best held out', 'settled at', 'roughness']
  const rows = summaries.map((s) => [
    ...[s.run, String(s.steps), s.first_loss.toFixed(3), s.last_loss.toFixed(3)],
    ...[s.best_held_out?.toFixed(3) ?? 'none', String(s.settled_at), s.roughness.toFixed(4)],
  ])
  if (output) {
    mkdirSync(path.dirname(path.resolve(output)), { recursive: true })
    const text = 'Lines are training losses, points losses on rows that were held out.'
    const section = {
      title: 'Loss',
      text,
      isWide: true,
      chart: await drawCurves(curves),
      table: { head, rows },
    }
    writeFileSync(output, renderReportPage('Training curves', folders.join(', '), [section]))
  }
  console.log(json ? JSON.stringify(summaries) : sanitise(drawTable(head, rows)))
}
