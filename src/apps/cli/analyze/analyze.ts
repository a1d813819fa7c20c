/** `aft analyze`: explains what aggregation did, and what it takes. */
import path from 'node:path'
import { Command } from 'commander'
import { attributeJournal } from '../../../analyze/journal-attribution.ts'
import { compareOverhead } from '../../../analyze/overhead.ts'
import { readRunJournal } from '../../../files/run-journal.ts'
import { drawTable } from '../eval/results.ts'
import { sanitize } from '../render/sanitize.ts'
import { convergenceCommand } from './convergence.ts'
import { perplexityCommand } from './perplexity.ts'
import { scalingCommand } from './scaling.ts'

const examples = `
Examples:
  $ aft analyze attribution answers.jsonl.journal
  $ aft analyze overhead answers.jsonl.journal
  $ aft analyze perplexity data --model smollm2 -o perplexity
  $ aft analyze convergence --group aft=runs/aft-1,runs/aft-2 --group sft=runs/sft-1,runs/sft-2 -o curves
  $ aft analyze scaling test.jsonl --model smollm2 --widths 2,4 --depths 0,1,2 -o grid`

const attributionHelp = `
Prints what share of the answers' words some proposal has in the same run of words, and of their sentences which
proposal, by its place, is nearest: a first place far ahead of the others is position bias.

Example:
  $ aft run prompts.jsonl -o answers.jsonl --width 4 && aft analyze attribution answers.jsonl.journal`

const overheadHelp = `
Example:
  $ aft run prompts.jsonl -o answers.jsonl --width 4 && aft analyze overhead answers.jsonl.journal`

/** Makes the command with its subcommands. */
export function analyzeCommand(): Command {
  const command = new Command('analyze')
    .description('Explain answers, costs and training.')
    .addHelpText('after', examples)
  const sub = (name: string, about: string) => command.command(name).description(about)
  sub('attribution', 'What answers took from which proposals.')
    .argument('<journals...>', 'journals of `aft run`')
    .option('--json', 'print JSON, each prompt too')
    .addHelpText('after', attributionHelp)
    .action((files: string[], { json }: { json?: boolean }) => attribution(files, json))
  sub('overhead', 'Calls, tokens and time: measured in journals, predicted by formula, and beside best of n.')
    .argument('<journals...>', 'journals of `aft run`')
    .option('--json', 'print JSON')
    .addHelpText('after', overheadHelp)
    .action((files: string[], { json }: { json?: boolean }) => overhead(files, json))
  for (const other of [perplexityCommand(), convergenceCommand(), scalingCommand()]) command.addCommand(other)
  return command
}

const percent = (share: number) => (100 * share).toFixed(1)

async function attribution(files: string[], json?: boolean): Promise<void> {
  for (const file of files) {
    const summary = attributeJournal(await readRunJournal(file))
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
  const rows = await Promise.all(files.map(async (file) => compareOverhead(await readRunJournal(file))))
  if (json) return console.log(JSON.stringify(rows))
  const columns = [
    'calls',
    'completions',
    'input_tokens',
    'prefilled_tokens',
    'output_tokens',
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
    'means per prompt',
    'calls',
    'completions',
    'input',
    'prefilled',
    'output',
    'one after the other',
    's',
  ]
  console.log(sanitize(drawTable(head, lines)))
}
