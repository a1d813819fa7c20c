/** The flags that all evaluations with a model share. */
import type { Command } from 'commander'
import { type Config, loadConfig, readConfig } from '../../../engines/config.ts'
import type { OpenOptions } from '../../../engines/open.ts'
import { whole } from '../option-types.ts'
import { planFlag } from '../plan-flags.ts'
import { addSharedFlags, type SharedFlag } from '../shared-flags.ts'

/** The values of these flags. */
export interface EvalFlags {
  output?: string
  seed: number
  limit?: number
  concurrency: number
  maxRetries?: number
  threads?: number
  apiKeyEnv?: string
  config?: string
  restart?: boolean
  dryRun?: boolean
  json?: boolean
  progress: boolean
}

/** Adds these flags to a command. */
export function addEvalFlags(command: Command): Command {
  command
    .addOption(planFlag('seed', { help: 'seed of everything random', default: 0 }))
    .addOption(whole('--concurrency <n>', 'items at work at a time', 1).default(8))
  const shared: SharedFlag[] = ['limit', 'maxRetries', 'threads', 'apiKeyEnv', 'config']
  return addSharedFlags(command, [...shared, 'restart', 'dryRun', 'json', 'progress'])
}

/** Reads the config, and how to open engines. @throws UsageError for a wrong config */
export async function readEngineFlags(
  flags: EvalFlags,
): Promise<{ config: Config; engineFlags: OpenOptions }> {
  const { maxRetries, threads, apiKeyEnv, concurrency } = flags
  const config = flags.config ? await readConfig(flags.config) : ((await loadConfig(process.cwd())) ?? {})
  return { config, engineFlags: { maxRetries, threads, apiKeyEnv, concurrency, config } }
}
