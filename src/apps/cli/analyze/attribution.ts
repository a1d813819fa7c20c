/** `aft analyze attribution`: what answers took from which proposals. */
import { Command } from 'commander'
import { attributeJournal } from '../../../analyze/journal-attribution.ts'
import { readRunJournal } from '../../../files/run-journal.ts'
import { stringifySafely } from '../render/sanitize.ts'

const help = `
Prints two things. First, the share of the answers' words that are copied: a proposal has the same run of words. Second, how
often each place among the proposals is the nearest to a sentence of the answers. If the first place is far ahead of the
others, the model has position bias.

Example:
  $ aft run prompts.jsonl -o answers.jsonl --width 4 && aft analyze attribution answers.jsonl.journal`

/** Makes the command `aft analyze attribution`. */
export function attributionCommand(): Command {
  return new Command('attribution')
    .argument('<journals...>', 'journals that `aft run` left, such as answers.jsonl.journal')
    .option('--json', 'print one JSON object per journal, with a row per prompt')
    .addHelpText('after', help)
    .action(attribution)
}

const percent = (share: number) => (100 * share).toFixed(1)

async function attribution(files: string[], { json }: { json?: boolean }): Promise<void> {
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
