/** Finds the config of a command. */
import { readdirSync } from 'node:fs'
import type { Config } from '../../engines/config.ts'

/** Reads the config. Its module is loaded only if there is a config, because most calls do not have one. */
export async function findConfig(file: string | undefined): Promise<Config> {
  if (file === undefined && !listFolder().some((name) => name.startsWith('aft.config.'))) return {}
  const { loadConfig, readConfig } = await import('../../engines/config.ts')
  return file === undefined ? ((await loadConfig(process.cwd())) ?? {}) : readConfig(file)
}

/** Lists the current folder. A folder that cannot be read has no config. */
function listFolder(): string[] {
  try {
    return readdirSync('.')
  } catch {
    return []
  }
}
