/** Flags that several commands share, with one name, one meaning and one help text each. */
import { type Command, Option } from 'commander'
import type { Template } from '../../core/provider/template.ts'
import {
  type EngineOptionName,
  type EngineSettings,
  engineFlagNames,
  engineOptions,
} from '../../engines/engine-options.ts'
import { surviveCuts } from '../../lib/durable.ts'
import { paperTemplate } from '../../plans/wordings.ts'
import { whole } from './option-types.ts'
import { optionFlags } from './plan-flags.ts'

const flags = {
  config: () =>
    new Option('--config <file>', 'names of engines, and defaults of options').default(
      undefined,
      'aft.config.ts, .json or .yaml in this folder, if there is one',
    ),
  template: () =>
    new Option(
      '--template <name>',
      'wording of the prompts for proposing and aggregating: aft-2, aft-1 (as in the paper), a JSON file, or the folder of a trained model',
    ).default(undefined, 'that of the trained model; else aft-2, for data and eval aft-1'),
  limit: () => whole('--limit <n>', 'use only this many rows, the first ones', 1),
  restart: () => new Option('--restart', 'begin anew; the old journal is kept, with .old after its name'),
  fsync: () =>
    new Option('--fsync', 'wait until the disk has each line, so that a power cut loses nothing; slower'),
  dryRun: () =>
    new Option('--dry-run', 'print how many calls, tokens and dollars it takes at most, and ask no model'),
  json: () => new Option('--json', 'print one JSON object'),
  progress: () => new Option('--no-progress', 'show no progress'),
  queue: () =>
    new Option(
      '--queue <address>',
      'address of the Redis or Valkey through which any number of `aft work` share the work, such as redis://HOST:6379/0',
    ),
  run: () => new Option('--run <name>', 'name of a run in the queue'),
}

/** Name of a shared flag. */
export type SharedFlag = keyof typeof flags

/** Makes one of these flags. */
export function sharedFlag(name: SharedFlag): Option {
  return flags[name]()
}

/** Adds some of these flags to a command. What keeps a journal to resume from can keep it through a power cut too. */
export function addSharedFlags(command: Command, names: SharedFlag[]): Command {
  const all = names.includes('restart') ? [...names, 'fsync' as const] : names
  for (const name of all) command.addOption(sharedFlag(name))
  if (all.includes('fsync')) command.hook('preAction', () => surviveCuts(command.opts().fsync === true))
  return command
}

/** Reads the template of `--template`; without one, data are made with that of the paper. @throws DataError for a wrong file */
export async function readTemplateFlag(file: string | undefined): Promise<Template> {
  return file ? (await import('../../files/template-file.ts')).readTemplate(file) : paperTemplate
}

/** The flags of engines, and the file with their names. */
export interface EngineFlags extends EngineSettings {
  config?: string
}

/** Adds the flags of engines to a command, `without` those that it words itself or cannot use. */
export function addEngineFlags(
  command: Command,
  { without = [] }: { without?: EngineOptionName[] } = {},
): Command {
  const names = engineFlagNames.filter((name) => !without.includes(name))
  const rows = Object.entries(engineOptions).filter(([name]) => names.includes(name as EngineOptionName))
  for (const option of optionFlags(Object.fromEntries(rows))) command.addOption(option)
  return command
}
