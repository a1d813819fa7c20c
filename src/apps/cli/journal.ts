/** `aft journal`: says what a journal holds, and makes a damaged one usable again. */
import { Command } from 'commander'
import { checkJournal, type JournalState, repairJournal } from '../../files/journal-check.ts'
import { sanitize, stringifySafely } from './render/sanitize.ts'
import { addSharedFlags } from './shared-flags.ts'

const example = `
If a crash cut the last line of a journal, the next run drops it. A run refuses other bad lines (a disk error, an edit by
hand): repair moves them into FILE.bad, and the next run asks again for what they held.

Examples:
  $ aft journal check answers.jsonl.journal
  $ aft journal repair answers.jsonl.journal`

const exampleOf = (name: string) => `
Example:
  $ aft journal ${name} answers.jsonl.journal`

/** Makes the command `aft journal`. */
export function journalCommand(): Command {
  const command = new Command('journal')
    .description('Check and repair journals of runs and evaluations.')
    .addHelpText('after', example)
  const check = command
    .command('check')
    .description('Say what a journal holds. Exit code 1 if it has bad lines.')
    .argument('<file>', 'a journal: that of `-o FILE` is FILE.journal')
    .addHelpText('after', exampleOf('check'))
  addSharedFlags(check, ['json']).action(async (file: string, { json }: { json?: boolean }) => {
    const state = await checkJournal(file)
    console.log(json ? stringifySafely(state) : sanitize(describe(file, state)))
    if (state.badCount > 0) process.exitCode = 1
  })
  command
    .command('repair')
    .description('Move the bad lines of a journal into FILE.bad.')
    .argument('<file>', 'a journal')
    .addHelpText('after', exampleOf('repair'))
    .action(async (file: string) => {
      const { aside, ...state } = await repairJournal(file)
      console.log(sanitize(describe(file, state)))
      console.log(
        aside === undefined
          ? 'nothing to repair'
          : sanitize(`repaired; ${aside} has the bad lines. Run the command that wrote the journal again`),
      )
    })
  return command
}

function describe(file: string, state: JournalState): string {
  const { kind, lines, items, done, failed, open, bad, badCount, isTorn } = state
  return [
    `${file}: ${kind}, ${lines} lines; ${items} items: ${done} done, ${failed} failed, ${open} open`,
    ...bad.map(({ line, problem }) => `${file}:${line}: ${problem}`),
    ...(badCount > bad.length ? [`… and ${badCount - bad.length} more bad lines`] : []),
    ...(isTorn ? ['the last line was cut; the next run drops it'] : []),
  ].join('\n')
}
