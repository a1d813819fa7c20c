/** The flags that all evaluations with a model share. */
import type { Command, Option } from 'commander'
import { type Config, loadConfig, readConfig } from '../../../engines/config.ts'
import { pickSettings } from '../../../engines/engine-options.ts'
import type { OpenOptions } from '../../../engines/open.ts'
import { whole, within } from '../option-types.ts'
import { planFlag } from '../plan-flags.ts'
import { addEngineFlags, addSharedFlags, type EngineFlags, type SharedFlag } from '../shared-flags.ts'

/** The values of these flags. */
export interface EvalFlags extends EngineFlags {
  output?: string
  seed: number
  limit?: number
  concurrency?: number
  queue?: string
  run?: string
  restart?: boolean
  dryRun?: boolean
  json?: boolean
  progress: boolean
}

/** Questions or rows at a time, and completions at a time per server, if --concurrency does not say. */
export const EVAL_CONCURRENCY = 8

/** Adds these flags to a command, `without` those that it words itself. */
export function addEvalFlags(command: Command, without: SharedFlag[] = []): Command {
  command
    .addOption(planFlag('seed', { help: 'seed of the samples and of all random choices', default: 0 }))
    .addOption(
      whole(
        '--concurrency <n>',
        'most questions or rows at a time, and most completions at a time per server',
        1,
      ).default(undefined, String(EVAL_CONCURRENCY)),
    )
  const all: SharedFlag[] = ['limit', 'config', 'queue', 'run', 'restart', 'dryRun', 'json', 'progress']
  return addSharedFlags(
    addEngineFlags(command, { without: ['concurrency'] }),
    all.filter((name) => !without.includes(name)),
  )
}

/** The temperature of what is no draft. */
export function answerTemperatureFlag(): Option {
  return within('--answer-temperature <n>', 'the same for aggregations and answers that are no draft', 0, 5)
}

/** Reads the config, and how to open engines. @throws UsageError for a wrong config */
export async function readEngineFlags(
  flags: EvalFlags,
): Promise<{ config: Config; engineFlags: OpenOptions }> {
  const config = flags.config ? await readConfig(flags.config) : ((await loadConfig(process.cwd())) ?? {})
  return { config, engineFlags: { ...pickSettings(flags), config } }
}
