/** `aft analyze`: explains what aggregation did, and what it takes. */
import path from 'node:path'
import { Command } from 'commander'
import { attributeJournal } from '../../../analyze/journal-attribution.ts'
import { compareOverhead } from '../../../analyze/overhead.ts'
import { readRunJournal } from '../../../files/run-journal.ts'
import { drawTable } from '../eval/results.ts'
import { sanitize, stringifySafely } from '../render/sanitize.ts'
import { convergenceCommand } from './convergence.ts'
import { influenceCommand } from './influence.ts'
import { perplexityCommand } from './perplexity.ts'
import { scalingCommand } from './scaling.ts'

const examples = `
Examples:
  $ aft analyze attribution answers.jsonl.journal
  $ aft analyze overhead answers.jsonl.journal
  $ aft analyze influence answers.jsonl.journal --model smollm2 -o influence
  $ aft analyze perplexity data --model smollm2 -o perplexity
  $ aft analyze convergence --group aft=runs/aft-1,runs/aft-2 --group sft=runs/sft-1,runs/sft-2 -o curves
  $ aft analyze scaling test.jsonl --model smollm2 --widths 2,4 --depths 0,1,2 -o grid`

const attributionHelp = `
Prints two things. First, the share of the answers' words that are copied: a proposal has the same run of words. Second, how
often each place among the proposals is the nearest to a sentence of the answers. If the first place is far ahead of the
others, the model has position bias.

Example:
  $ aft run prompts.jsonl -o answers.jsonl --width 4 && aft analyze attribution answers.jsonl.journal`

const overheadHelp = `
Prints means per prompt: calls, completions, tokens and seconds. "Predicted" is the formula, and "best of n" is what as many
independent samples would take.

Example:
  $ aft run prompts.jsonl -o answers.jsonl --width 4 && aft analyze overhead answers.jsonl.journal`

/** Makes the command with its subcommands. */
export function analyzeCommand(): Command {
  const command = new Command('analyze')
    .description('Explain answers, costs and training curves.')
    .addHelpText('after', examples)
  const sub = (name: string, about: string) => command.command(name).description(about)
  sub('attribution', 'Show what answers took from which proposals.')
    .argument('<journals...>', 'journals that `aft run` left, such as answers.jsonl.journal')
    .option('--json', 'print one JSON object per journal, with a row per prompt')
    .addHelpText('after', attributionHelp)
    .action((files: string[], { json }: { json?: boolean }) => attribution(files, json))
  sub(
    'overhead',
    'Count calls, tokens and time: measured in journals, predicted, and compared with best of n.',
  )
    .argument('<journals...>', 'journals that `aft run` left, such as answers.jsonl.journal')
    .option('--json', 'print one JSON array')
    .addHelpText('after', overheadHelp)
    .action((files: string[], { json }: { json?: boolean }) => overhead(files, json))
  const others = [influenceCommand(), perplexityCommand(), convergenceCommand(), scalingCommand()]
  for (const other of others) command.addCommand(other)
  return command
}

const percent = (share: number) => (100 * share).toFixed(1)

async function attribution(files: string[], json?: boolean): Promise<void> {
  for (const file of files) {
    const summary = attributeJournal(await readRunJournal(file))
    if (json) console.log(stringifySafely(summary))
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
  if (json) return console.log(stringifySafely(rows))
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
