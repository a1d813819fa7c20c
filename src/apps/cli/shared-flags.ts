/** Flags that several commands share, with one name, one meaning and one help text each. */
import { type Command, Option } from 'commander'
import type { Template } from '../../core/provider/template.ts'
import {
  type EngineOptionName,
  type EngineSettings,
  embeddedNames,
  engineFlagNames,
  engineOptions,
} from '../../engines/engine-options.ts'
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
  dryRun: () =>
    new Option('--dry-run', 'print how many calls, tokens and dollars it takes at most, and ask no model'),
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

/** Reads the template of `--template`; without one, data are made with that of the paper. @throws DataError for a wrong file */
export async function readTemplateFlag(file: string | undefined): Promise<Template> {
  return file ? (await import('../../files/template-file.ts')).readTemplate(file) : paperTemplate
}

/** The flags of engines, and the file with their names. */
export interface EngineFlags extends EngineSettings {
  config?: string
}

/** Adds the flags of engines to a command, all or those of embedded engines only; `without` those that it words itself. */
export function addEngineFlags(
  command: Command,
  { isEmbedded = false, without = [] }: { isEmbedded?: boolean; without?: EngineOptionName[] } = {},
): Command {
  const names = (isEmbedded ? embeddedNames : engineFlagNames).filter((name) => !without.includes(name))
  const rows = Object.entries(engineOptions).filter(([name]) => names.includes(name as EngineOptionName))
  for (const option of optionFlags(Object.fromEntries(rows))) command.addOption(option)
  return command
}
