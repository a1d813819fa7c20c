/** `aft.config.ts`: names for engines, and the flags that a project always gives. */
import { access, readFile } from 'node:fs/promises'
import { registerHooks } from 'node:module'
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

/** The names that a config file can have. The first that exists counts. */
export const CONFIG_FILES = ['ts', 'mts', 'js', 'mjs', 'json', 'yaml', 'yml'].map(
  (extension) => `aft.config.${extension}`,
)

/**
 * The config of a folder, or undefined if it has none. Node itself runs TypeScript.
 * @throws UsageError with file, path, what was expected and what came
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
 * The config in a file: a module's default export, JSON or YAML.
 * @throws UsageError with file, line or path, what was expected and what came
 */
export async function readConfig(file: string): Promise<Config> {
  const value = await readValue(file).catch((error: unknown) => {
    if (error instanceof UsageError) throw error
    throw new UsageError(`${file}: ${redact(error instanceof Error ? error.message : String(error))}`)
  })
  // Loaded only here: most programs have no config and need nothing that checks it.
  const { checkConfig } = await import('./config-schema.ts')
  return checkConfig(value, basename(file)) as Config
}

async function readValue(file: string): Promise<unknown> {
  if (extname(file) === '.json') return JSON.parse(await readFile(file, 'utf8'))
  if (/^\.ya?ml$/.test(extname(file))) return parseYaml(file, await readFile(file, 'utf8'))
  resolveToThisProgram()
  const module: { default?: unknown } = await import(pathToFileURL(resolve(file)).href)
  if (module.default === undefined) throw new Error('expected `export default defineConfig({ … })`')
  return module.default
}

async function parseYaml(file: string, text: string): Promise<unknown> {
  const { LineCounter, parseDocument } = await import('yaml')
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const [error] = document.errors
  if (!error) return document.toJS()
  throw new UsageError(`${file}:${lines.linePos(error.pos[0]).line}: ${redact(error.message)}`)
}

let isResolved = false

/**
 * `import { defineConfig } from 'aft'` in a config means the program that reads it. So a config works in a folder
 * where nothing is installed, and never loads a second copy of this package.
 */
function resolveToThisProgram(): void {
  if (isResolved) return
  isResolved = true
  registerHooks({
    resolve: (name, context, next) =>
      next(name, /^aft(\/|$)/.test(name) ? { ...context, parentURL: import.meta.url } : context),
  })
}
