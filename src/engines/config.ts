/** `aft.config.ts`: names for engines, and the flags that a project always gives. */
import { access, readFile } from 'node:fs/promises'
import { basename, extname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Engine } from '../core/provider/engine.ts'
import { redact, UsageError } from '../core/provider/errors.ts'
import type { AiSdkModel } from './ai-sdk/ai-sdk.ts'
import type { Defaults, EngineConfig, PresetConfig } from './config-schema.ts'

export type { EngineConfig, PresetConfig } from './config-schema.ts'

/** What a name can stand for: parts, another name, an AI SDK model, or a function that makes an engine. */
export type EngineEntry = EngineConfig | string | AiSdkModel | (() => Engine | Promise<Engine>)

export interface Config {
  engines?: Record<string, EngineEntry>
  defaults?: Defaults
  /** Models that `aft serve` offers beside its own. */
  presets?: Record<string, PresetConfig>
}

/** Returns the config as it is, for its types. */
export function defineConfig(config: Config): Config {
  return config
}

/** The names a config file can have, the first that is there counts. */
export const CONFIG_FILES = ['ts', 'mts', 'js', 'mjs', 'json'].map((extension) => `aft.config.${extension}`)

/**
 * The config of a folder, or undefined where it has none. TypeScript is run by Node itself.
 * @throws UsageError that names file, path, what was expected and what came
 */
export async function loadConfig(folder: string): Promise<Config | undefined> {
  for (const name of CONFIG_FILES) {
    const file = join(folder, name)
    const isThere = await access(file).then(
      () => true,
      () => false,
    )
    if (isThere) return readConfig(file)
  }
  return undefined
}

/**
 * The config in a file: a module's default export, or JSON.
 * @throws UsageError that names file, path, what was expected and what came
 */
export async function readConfig(file: string): Promise<Config> {
  const value = await readValue(file).catch((error: unknown) => {
    throw new UsageError(`${file}: ${redact(error instanceof Error ? error.message : String(error))}`)
  })
  // Loaded here only: most programs have no config, and need none of what checks it.
  const { checkConfig } = await import('./config-schema.ts')
  return checkConfig(value, basename(file))
}

async function readValue(file: string): Promise<unknown> {
  if (extname(file) === '.json') return JSON.parse(await readFile(file, 'utf8'))
  const module: { default?: unknown } = await import(pathToFileURL(resolve(file)).href)
  if (module.default === undefined) throw new Error('expected `export default defineConfig({ … })`')
  return module.default
}

/** Whether a config's entry is an AI SDK model. */
export function isModel(entry: unknown): entry is AiSdkModel {
  return typeof entry === 'object' && entry !== null && 'doStream' in entry
}
