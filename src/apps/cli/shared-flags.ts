/** Flags that several commands share, with one name, one meaning and one help text each. */
import { type Command, Option } from 'commander'
import { whole } from './option-types.ts'

const flags = {
  config: () =>
    new Option('--config <file>', 'names of engines, and defaults of options').default(
      undefined,
      'aft.config.ts, .json or .yaml in this folder, if there is one',
    ),
  template: () =>
    new Option(
      '--template <file>',
      'JSON file with the wording of the prompts for proposing and aggregating',
    ),
  threads: () =>
    whole('--threads <n>', 'CPU threads of an embedded model', 1).default(undefined, 'one per core'),
  lora: () => new Option('--lora <file>', 'LoRA adapter for an embedded model, a GGUF file'),
  raw: () => new Option('--raw', 'continue raw text: for embedded base models, without a chat template'),
  apiKeyEnv: () => new Option('--api-key-env <name>', "environment variable that holds the server's key"),
  maxRetries: () =>
    whole('--max-retries <n>', 'times to repeat a failed completion', 0).default(undefined, '9'),
  concurrency: () =>
    whole('--concurrency <n>', 'most completions at a time, per server or embedded model', 1).default(
      undefined,
      '8',
    ),
  limit: () => whole('--limit <n>', 'use only this many rows, the first ones', 1),
  restart: () => new Option('--restart', 'move the journal of an earlier run aside and begin anew'),
  dryRun: () =>
    new Option('--dry-run', 'print the most calls, tokens and dollars that it can take, and do nothing'),
  json: () => new Option('--json', 'print one JSON object'),
  progress: () => new Option('--no-progress', 'show no progress'),
}

/** Name of a shared flag. */
export type SharedFlag = keyof typeof flags

/** Makes one of these flags. */
export function sharedFlag(name: SharedFlag): Option {
  return flags[name]()
}

/** Adds some of these flags to a command. */
export function addSharedFlags(command: Command, names: SharedFlag[]): Command {
  for (const name of names) command.addOption(sharedFlag(name))
  return command
}
