/** Flags that have another name now. A removed flag is an error that names the new one. */
import { type Command, Option } from 'commander'
import { UsageError } from '../../core/provider/errors.ts'

interface RemovedFlag {
  /** The command that had it, such as `data build`. `data` means its subcommands too; '' means all commands. */
  of: string
  flag: string
  /** What to do now; it follows "--flag: ". */
  now: string
}

/** The removed flags of all commands. */
export const removed: RemovedFlag[] = [
  { of: '', flag: '--retries', now: 'use --max-retries, which does not count the first attempt' },
  {
    of: '',
    flag: '--aggregator',
    now: 'use --aggregators; further names after a comma are asked if the first one fails',
  },
  {
    of: 'data build',
    flag: '--max-tokens',
    now: 'use --max-example-tokens; --max-tokens is always per completion',
  },
  { of: 'data build', flag: '--overflow', now: 'use --too-long' },
  { of: 'data build', flag: '--overwrite', now: 'use --restart' },
  { of: 'data build', flag: '--target-tokens', now: 'use --target-max-tokens' },
  { of: 'data build', flag: '--licence', now: 'use --license' },
  { of: 'data build', flag: '--rows', now: 'use --problems' },
  { of: 'data build', flag: '--threads', now: 'use --read-threads' },
  { of: 'analyze perplexity', flag: '--most-chars', now: 'use --max-chars' },
  { of: 'eval alpaca-eval', flag: '--template', now: 'use --judge-template' },
  { of: 'train', flag: '--resume', now: 'the same command resumes; --restart begins anew' },
  { of: 'serve', flag: '--api-key-file', now: "use --client-key-file for the clients' keys" },
  { of: 'serve', flag: '--usage-file', now: 'use --usage-store' },
  { of: 'run', flag: '--format', now: 'use --output-format; --format says how inputs are read' },
]

/** Adds the removed flags to a command and its subcommands. Help does not show them. */
export function addRemovedFlags(command: Command, path: string): void {
  const names = command.options.map((option) => option.long)
  for (const { of, flag, now } of removed) {
    if (!`${path} `.startsWith(of && `${of} `) || names.includes(flag)) continue
    const option = new Option(`${flag} [value]`).hideHelp()
    command.addOption(option).on(`option:${option.name()}`, () => {
      throw new UsageError(`${flag}: ${now}`)
    })
  }
  for (const nested of command.commands) addRemovedFlags(nested, `${path} ${nested.name()}`)
}
