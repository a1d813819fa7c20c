/** `aft report`: folders of results as one page that opens offline. */
import { renameSync, writeFileSync } from 'node:fs'
import { Command } from 'commander'
import { renderReport } from '../../analysis/report.ts'
import { type MtBenchResult, type Result, type Results, readResults } from '../../analysis/result-file.ts'
import { toCallersError } from '../../inference/file-errors.ts'

const help = `
The same figures are written beside it as .json and .csv.

Example:
  $ aft eval gsm8k test.jsonl --model smollm2 -o results
  $ aft report results -o report.html`

/** The subcommand. */
export function reportCommand(): Command {
  return new Command('report')
    .description('Show results on one page, with charts and tables, that opens offline.')
    .argument('<folders...>', 'what `aft eval` left, one or several')
    .requiredOption('-o, --output <file>', 'the page')
    .addHelpText('after', help)
    .action(report)
}

async function report(folders: string[], { output }: { output: string }): Promise<void> {
  try {
    const results: Results[] = []
    for (const folder of folders) results.push(await readResults(folder))
    const base = output.replace(/\.html?$/i, '')
    writeWhole(
      `${base}.json`,
      `${JSON.stringify(
        results.map((r) => ('mtBench' in r ? r.mtBench : r.result)),
        null,
        2,
      )}\n`,
    )
    writeWhole(`${base}.csv`, toCsv(results))
    writeWhole(output, await renderReport(results))
    console.log(`${output}, ${base}.json and ${base}.csv`)
  } catch (error) {
    throw toCallersError(error)
  }
}

function writeWhole(file: string, text: string): void {
  writeFileSync(`${file}.tmp`, text)
  renameSync(`${file}.tmp`, file)
}

const COLUMNS = [
  ...[
    'task',
    'model',
    'row',
    'metric',
    'mean',
    'low',
    'high',
    'n',
    'calls',
    'prompt_tokens',
    'prefilled_tokens',
  ],
  ...['generated_tokens', 'seconds', 'cost', 'mean_length_chars'],
]

function toCsv(results: Results[]): string {
  const lines = results.flatMap((one) =>
    'mtBench' in one ? linesOfMtBench(one.mtBench) : linesOf(one.result),
  )
  return `${[COLUMNS, ...lines].map((line) => line.map(quote).join(',')).join('\n')}\n`
}

type Cell = string | number

function linesOf({ task, model, rows }: Result): Cell[][] {
  return rows.flatMap((row) =>
    Object.entries(row.scores).map(([metric, { mean, interval }]) => [
      ...[
        task,
        model,
        row.control,
        metric,
        mean,
        interval.low,
        interval.high,
        row.n,
        row.calls,
        row.prompt_tokens,
      ],
      ...[
        row.prefilled_tokens ?? '',
        row.generated_tokens,
        row.seconds,
        row.cost ?? '',
        row.mean_length_chars,
      ],
    ]),
  )
}

function linesOfMtBench({ task, model, categories, ...result }: MtBenchResult): Cell[][] {
  const all = (['turn_1', 'turn_2', 'both'] as const).flatMap((turn): Cell[][] => {
    const rating = result[turn]
    return rating
      ? [[task, model, 'all', turn, rating.mean, rating.interval.low, rating.interval.high, rating.n]]
      : []
  })
  const each = categories.flatMap((c) =>
    (['turn_1', 'turn_2', 'both'] as const).map((turn): Cell[] => [
      task,
      model,
      c.category,
      turn,
      c[turn] ?? '',
    ]),
  )
  return [...all, ...each].map((line) => [...line, ...new Array<Cell>(COLUMNS.length - line.length).fill('')])
}

function quote(value: string | number): string {
  const text = String(value)
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
