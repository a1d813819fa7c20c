/** `aft analyze overhead`: what aggregation takes. */
import path from 'node:path'
import { Command } from 'commander'
import { compareOverhead } from '../../../analyze/overhead.ts'
import { readRunJournal } from '../../../files/run-journal.ts'
import { drawTable } from '../eval/results.ts'
import { sanitize, stringifySafely } from '../render/sanitize.ts'

const help = `
Prints means per prompt: calls, completions, tokens and seconds. "Predicted" is the formula, and "best of n" is what as many
independent samples would take.

Example:
  $ aft run prompts.jsonl -o answers.jsonl --width 4 && aft analyze overhead answers.jsonl.journal`

/** Makes the command `aft analyze overhead`. */
export function overheadCommand(): Command {
  return new Command('overhead')
    .argument('<journals...>', 'journals that `aft run` left, such as answers.jsonl.journal')
    .option('--json', 'print one JSON array')
    .addHelpText('after', help)
    .action(overhead)
}

async function overhead(files: string[], { json }: { json?: boolean }): Promise<void> {
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
