/** Flags that several commands share, with one name, one meaning and one help text each. */
import { type Command, Option } from 'commander'
import { whole } from './option-types.ts'

const flags = {
  config: () => new Option('--config <file>', 'names and defaults (default: aft.config.ts, if there is one)'),
  template: () => new Option('--template <file>', 'wording of the roles, a JSON file'),
  threads: () => whole('--threads <n>', 'CPU threads of an embedded model', 1),
  lora: () => new Option('--lora <file>', 'GGUF adapter for an embedded model'),
  raw: () => new Option('--raw', 'continue raw text: for base models without a chat template'),
  apiKeyEnv: () => new Option('--api-key-env <name>', "environment variable with the server's key"),
  maxRetries: () => whole('--max-retries <n>', 'times to repeat a failed completion (default: 9)', 0),
  concurrency: () => whole('--concurrency <n>', 'completions in flight per endpoint (default: 8)', 1),
  limit: () => whole('--limit <n>', 'use only the first rows', 1),
  restart: () => new Option('--restart', 'move the journal of an earlier run aside and begin anew'),
  dryRun: () => new Option('--dry-run', 'print what it would take at most, and do nothing'),
  json: () => new Option('--json', 'print one JSON object'),
  progress: () => new Option('--no-progress', 'show no progress'),
}

/** Name of a shared flag. */
export type SharedFlag = keyof typeof flags

/** Adds some of these flags to a command. */
export function addSharedFlags(command: Command, names: SharedFlag[]): Command {
  for (const name of names) command.addOption(flags[name]())
  return command
}
