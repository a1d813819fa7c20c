/** Flags that every evaluation with a model has. */
import type { Command } from 'commander'
import { type Config, loadConfig, readConfig } from '../../../engines/config.ts'
import type { OpenOptions } from '../../../engines/open.ts'
import { whole } from '../option-types.ts'

/** What they are set to. */
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

/** Adds them to a command. */
export function addEvalFlags(command: Command): Command {
  return command
    .addOption(whole('--seed <n>', 'seed of everything random', 0).default(0))
    .addOption(whole('--limit <n>', 'only the first rows', 1))
    .addOption(whole('--concurrency <n>', 'items at work at a time', 1).default(8))
    .addOption(whole('--max-retries <n>', 'times to repeat a failed completion (default: 9)', 0))
    .addOption(whole('--threads <n>', 'CPU threads of an embedded model', 1))
    .option('--api-key-env <name>', 'environment variable that holds the key')
    .option('--config <file>', 'file of names and defaults (default: aft.config.ts, if there is one)')
    .option('--restart', 'move the journal of an earlier run aside and begin anew')
    .option('--dry-run', 'print what it would take, and do nothing')
    .option('--json', 'print one JSON object')
    .option('--no-progress', 'show no progress')
}

/** The config, and how engines are opened. @throws UsageError for a wrong config */
export async function readEngineFlags(
  flags: EvalFlags,
): Promise<{ config: Config; engineFlags: OpenOptions }> {
  const { maxRetries, threads, apiKeyEnv, concurrency } = flags
  const config = flags.config ? await readConfig(flags.config) : ((await loadConfig(process.cwd())) ?? {})
  return { config, engineFlags: { maxRetries, threads, apiKeyEnv, concurrency, config } }
}
