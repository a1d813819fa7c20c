/** `aft report`: shows folders of results on one page that opens offline. */
import { Command } from 'commander'
import { needPackages } from '../../files/optional-packages.ts'
import { type Results, readResults } from '../../files/result-file.ts'
import { checkReplaceable, writeWhole } from '../../lib/write-whole.ts'
import { toCsv } from '../../report/csv.ts'
import { renderReport } from '../../report/report.ts'

const help = `
It takes the results of gsm8k, ifeval, mt-bench, alpaca-eval, win-rate, scaling, perplexity and convergence. Perplexities of
the same examples share a table, and so do systems compared with one baseline. The same numbers go into a .json and a .csv
file with the name of the page.

Examples:
  $ aft eval gsm8k test.jsonl --model smollm2 -o results
  $ aft report results -o report.html`

/** Makes the command `aft report`. */
export function reportCommand(): Command {
  return new Command('report')
    .description('Write results as one HTML page, with charts and tables, that opens offline.')
    .argument('<folders...>', 'folders that `aft eval` and `aft analyze` wrote with -o')
    .requiredOption('-o, --output <file>', 'HTML file to write')
    .option('--title <text>', 'title of the page')
    .option('--about <text>', 'what was done, shown at the top; blank lines separate paragraphs')
    .addHelpText('after', help)
    .action(report)
}

interface ReportFlags {
  output: string
  title?: string
  about?: string
}

async function report(folders: string[], { output, title, about }: ReportFlags): Promise<void> {
  needPackages('drawing charts')
  checkReplaceable(output)
  const results: Results[] = []
  for (const folder of folders) results.push(await readResults(folder))
  const base = output.replace(/\.html?$/i, '')
  const all = results.map(({ result }) => result)
  writeWhole(`${base}.json`, `${JSON.stringify(all, null, 2)}\n`)
  writeWhole(`${base}.csv`, toCsv(results))
  writeWhole(output, await renderReport(results, { title, about }))
  console.log(`${output}, ${base}.json and ${base}.csv`)
}
