/** `aft report`: shows folders of results on one page that opens offline. */
import { Command } from 'commander'
import { needPackages } from '../../files/optional-packages.ts'
import { type ManyResults, readManyResults } from '../../files/result-file.ts'
import { checkReplaceable, writeWhole } from '../../lib/write-whole.ts'
import { toCsv } from '../../report/csv.ts'
import { writeFigures } from '../../report/figures.ts'
import { makeReport, renderTables } from '../../report/report.ts'

const help = `
It takes the results of gsm8k, ifeval, mt-bench, alpaca-eval, win-rate, scaling, perplexity and convergence. Perplexities of
the same examples share a table, and so do systems compared with one baseline. The same numbers go into a .json and a .csv
file with the name of the page, and the tables as LaTeX into a .tex file.

Examples:
  $ aft eval gsm8k test.jsonl --model smollm2 -o results
  $ aft report results -o report.html --figures figures`

/** Makes the command `aft report`. */
export function reportCommand(): Command {
  return new Command('report')
    .description('Write results as one HTML page, with charts and tables, that opens offline.')
    .argument(
      '<results...>',
      'folders that `aft eval` and `aft analyze` wrote with -o, their result files, or a folder of such files',
    )
    .requiredOption('-o, --output <file>', 'HTML file to write')
    .option('--figures <folder>', 'write each chart as SVG and PDF, too')
    .option('--title <text>', 'title of the page')
    .option('--about <text>', 'what was done, shown at the top; blank lines separate paragraphs')
    .addHelpText('after', help)
    .action(report)
}

interface ReportFlags {
  output: string
  figures?: string
  title?: string
  about?: string
}

async function report(folders: string[], { output, figures, title, about }: ReportFlags): Promise<void> {
  needPackages('drawing charts')
  if (figures !== undefined) needPackages('writing figures as PDF')
  checkReplaceable(output)
  const read: ManyResults[] = []
  for (const folder of folders) read.push(await readManyResults(folder))
  const results = read.flatMap((one) => one.results)
  const skipped = read.flatMap((one) => one.skipped)
  if (skipped.length > 0)
    console.error(`left out, because they are no results of a task: ${skipped.join(', ')}`)
  const base = output.replace(/\.html?$/i, '')
  const all = results.map(({ result }) => result)
  writeWhole(`${base}.json`, `${JSON.stringify(all, null, 2)}\n`)
  writeWhole(`${base}.csv`, toCsv(results))
  writeWhole(`${base}.tex`, await renderTables(results))
  const { html, figures: charts } = await makeReport(results, { title, about })
  writeWhole(output, html)
  console.log(`${output}, ${base}.json, ${base}.csv and ${base}.tex`)
  if (figures === undefined) return
  await writeFigures(figures, charts)
  console.log(`${figures}: ${charts.length} figures, each as SVG and PDF`)
}
