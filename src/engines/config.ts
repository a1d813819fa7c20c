/** `aft.config.ts`: names for engines, and the flags that a project always gives. */
import { existsSync } from 'node:fs'
import { access } from 'node:fs/promises'
import { registerHooks } from 'node:module'
import { basename, extname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Engine } from '../core/provider/engine.ts'
import { UsageError } from '../core/provider/errors.ts'
import { readText } from '../files/read-text.ts'
import { explainJson } from '../lib/explain-json.ts'
import { checkReadable, FileError } from '../lib/file-error.ts'
import type { AiSdkModel } from './ai-sdk/ai-sdk.ts'
import type { Defaults, EngineConfig, Place, PresetConfig } from './config-schema.ts'

export type { EngineConfig, PresetConfig } from './config-schema.ts'

/** What a name can stand for: parts, another name, an AI SDK model, or a function that makes an engine. */
export type EngineEntry = EngineConfig | string | AiSdkModel | (() => Engine | Promise<Engine>)

/** What a config file holds. */
export interface Config {
  /** Engines by the names that flags and other entries use. */
  engines?: Record<string, EngineEntry>
  /** Values of the flags that are not given. */
  defaults?: Defaults
  /** Models that `aft serve` offers in addition to its own. */
  presets?: Record<string, PresetConfig>
}

/**
 * Returns the config as it is. It is there for the types.
 * @example
 * export default defineConfig({ engines: { fast: 'smollm2' }, defaults: { model: 'fast', width: 5 } })
 */
export function defineConfig(config: Config): Config {
  return config
}

/** The names that a config file can have. The first one that exists is read. */
export const CONFIG_FILES = ['ts', 'mts', 'js', 'mjs', 'json', 'yaml', 'yml'].map(
  (extension) => `aft.config.${extension}`,
)

/**
 * Reads the config of a folder; undefined if it has none. Node itself runs TypeScript.
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
 * Reads the config in a file: a module's default export, JSON or YAML.
 * @throws UsageError with file, line or path, what was expected and what came
 */
export async function readConfig(file: string): Promise<Config> {
  if (!existsSync(file))
    throw new UsageError(`${file}: there is no such file; expected a config, such as aft.config.ts`)
  const { value, place = basename(file) } = await readValue(file).catch((error: unknown) => {
    if (error instanceof UsageError) throw error
    if (error instanceof FileError) throw new UsageError(error.message, { cause: error })
    throw new UsageError(explainModule(file, error))
  })
  // Loaded only here: most programs have no config and need nothing that checks it.
  const { checkConfig } = await import('./config-schema.ts')
  return checkConfig(value, place) as Config
}

/** What a file holds, and where its parts are if it is not a program. */
interface Read {
  value: unknown
  place?: Place
}

async function readValue(file: string): Promise<Read> {
  if (/^\.(json|ya?ml)$/.test(extname(file))) return parseText(file, readText(file))
  checkReadable(file)
  resolveToThisProgram()
  const module: { default?: unknown } = await import(pathToFileURL(resolve(file)).href)
  if (module.default === undefined)
    throw new UsageError(`${file}: expected \`export default defineConfig({ … })\`, got no default export`)
  return { value: module.default }
}

/** JSON is checked as JSON. YAML contains it, so one parser knows the lines of both. */
async function parseText(file: string, text: string): Promise<Read> {
  if (extname(file) === '.json') checkJson(file, text)
  const { LineCounter, parseDocument } = await import('yaml')
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const [error] = document.errors
  if (error)
    throw new UsageError(`${file}:${lines.linePos(error.pos[0]).line}: expected YAML: ${error.message}`)
  const place = (path: PropertyKey[]) => {
    const node = document.getIn(path, true) as { range?: [number, number, number] } | undefined
    const line = node?.range ? `:${lines.linePos(node.range[0]).line}` : ''
    return [`${basename(file)}${line}`, path.join('.')].filter(Boolean).join(': ')
  }
  return { value: document.toJS(), place }
}

function checkJson(file: string, text: string): void {
  try {
    JSON.parse(text)
  } catch (error) {
    const { line, problem } = explainJson(error, text)
    throw new UsageError(`${line === undefined ? file : `${file}:${line}`}: ${problem}`)
  }
}

/** Says why a module could not be run. Node gives no line for wrong syntax. */
function explainModule(file: string, error: unknown): string {
  if (!(error instanceof Error)) return `${file}: ${error}`
  const { name, message, stack = '' } = error
  const at = stack.split(`/${basename(file)}:`)[1]
  if (at !== undefined) return `${file}:${Number.parseInt(at, 10)}: ${message}`
  return `${file}: ${message}${name === 'SyntaxError' ? `. \`node ${file}\` shows the line` : ''}`
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
