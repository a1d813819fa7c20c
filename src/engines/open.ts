/** Opens engines by name. Heavy engines are imported only when one of them is opened. */
import { existsSync, statSync } from 'node:fs'
import type { Engine } from '../core/provider/engine.ts'
import { keepSecret, UsageError } from '../core/provider/errors.ts'
import { findCheckpoint } from '../files/find-checkpoint.ts'
import { findClosest } from '../lib/closest.ts'
import { refuseKey } from '../plans/option-kinds.ts'
import { checkOptions } from '../plans/options.ts'
import { isModel } from './ai-sdk/is-model.ts'
import { type Config, type EngineEntry, loadConfig, readConfig } from './config.ts'
import { embeddedNames, engineOptions } from './engine-options.ts'
import { fillHeaders } from './fill-headers.ts'
import { catalog } from './models/model-catalog.ts'
import { isNamed, isServer, openNamed } from './named/open-named.ts'
import { namedForms } from './named/table.ts'
import type { OpenOptions } from './open-options.ts'
import { splitAddresses } from './openai/endpoint.ts'
import { withPrice } from './price.ts'
import { folderOfConfig, readTrainedTemplate, withTemplate } from './trained-template.ts'

export type { OpenOptions } from './open-options.ts'

/** Engines that are closed together. */
export interface OpenedEngines {
  /** By the names asked for. */
  engines: Record<string, Engine>
  close(): Promise<void>
}

/**
 * Opens an engine by name: `smollm2` (or another of the catalog), `gguf:FILE`, `hf:USER/REPO:QUANT`,
 * `openai:MODEL`, `URL#MODEL`, `scripted:FILE`, `scripted:echo`, a name from the config,
 * or the folder of a model that `aft train` made.
 * @throws UsageError for an unknown name (listing the right ones), a wrong setting, a missing key or file
 * @example
 * const engine = await openEngine('http://127.0.0.1:8000/v1#llama', { concurrency: 16 })
 */
export async function openEngine(name: string, given: OpenOptions = {}): Promise<Engine> {
  const options = await checkSettings(given)
  const shared = new Shared()
  const engine = await openTrained(name, options, shared)
  shared.checkUse(options)
  return engine
}

/**
 * Opens several engines. Names that mean the same share one engine, so that a model's file is loaded once. If one
 * cannot be opened, the others are closed.
 * @throws UsageError as `openEngine` does
 * @example
 * const { engines, close } = await openEngines(['smollm2', 'openai:gpt-4.1-mini'])
 */
export async function openEngines(names: readonly string[], given: OpenOptions = {}): Promise<OpenedEngines> {
  const options = await checkSettings(given)
  const shared = new Shared()
  const close = async () => {
    const opened = await Promise.allSettled(shared.engines.values())
    await Promise.all(opened.map((result) => result.status === 'fulfilled' && result.value.close?.()))
  }
  try {
    const engines: Record<string, Engine> = {}
    for (const name of new Set(names)) engines[name] = await openTrained(name, options, shared)
    shared.checkUse(options)
    return { engines, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Checks the settings, and the config that is given by its file, even if no name needs it. */
async function checkSettings(options: OpenOptions): Promise<OpenOptions> {
  const { env, config, vocabularyOnly, cacheDir, signal, onProgress, ...settings } = options
  checkOptions(settings, engineOptions)
  return typeof config === 'string' ? { ...options, config: await readConfig(config) } : options
}

/** What one call opens: names that mean the same share an engine. */
class Shared {
  readonly engines = new Map<string, Promise<Engine>>()
  hasEmbedded = false
  hasServer = false

  /** Refuses options that no engine reads: they would be ignored silently. */
  checkUse(options: OpenOptions): void {
    if (this.hasEmbedded) return
    const given = embeddedNames.filter((name) => options[name] !== undefined)
    const names = given.map((name) => `\`${name}\``).join(', ')
    const embedded = 'only for embedded models (smollm2, gguf:FILE, hf:…)'
    if (given[0]) throw unused(given[0], `${names}: ${embedded}, but none is used here`)
    if (!options.raw || this.hasServer) return
    throw unused('raw', `\`raw\`: ${embedded} and servers with /v1/completions, but none is used here`)
  }
}

function unused(param: string, problem: string): UsageError {
  return new UsageError(problem, { param, code: 'unused-option' })
}

/** Opens an engine that knows the template of its model's card. */
async function openTrained(name: string, options: OpenOptions, shared: Shared): Promise<Engine> {
  const engine = await open(name, options, shared)
  const config = await readConfigOf(options)
  return withTemplate(engine, await readTrainedTemplate(name, config, folderOfConfig(options.config)))
}

/** How names with a scheme are opened, by the part before the colon. */
const openers: Record<string, (name: string, rest: string, options: OpenOptions) => Promise<Engine>> = {
  gguf: openModel,
  hf: openModel,
  openai: async (_, model, options) => openServer({ model }, options),
  http: openAddress,
  https: openAddress,
  scripted: async (_, script) => (await import('./scripted/script-file.ts')).openScript(script),
}

function openerOf(scheme: string) {
  if (Object.hasOwn(openers, scheme)) return openers[scheme]
  return isNamed(scheme) ? openNamed : undefined
}

async function open(
  name: string,
  options: OpenOptions,
  shared: Shared,
  seen: string[] = [],
): Promise<Engine> {
  refuseKey(name)
  keepSecret(...Object.values(options.headers ?? {}))
  const [scheme = '', rest = ''] = split(name)
  const isCataloged = rest === '' && catalog.some((model) => model.name === name)
  const opener = isCataloged ? openModel : openerOf(scheme)
  if (opener && (isCataloged || rest)) {
    shared.hasEmbedded ||= opener === openModel
    shared.hasServer ||= scheme === 'openai' || opener === openAddress || isServer(scheme)
    return share(shared, name, options, () => opener(name, rest, options))
  }
  const { engines = {} } = await readConfigOf(options)
  const entry = Object.hasOwn(engines, name) ? engines[name] : undefined
  if (entry === undefined) {
    const folder = findCheckpoint(name)
    if (folder === undefined) throw await unknownName(name, Object.keys(engines))
    shared.hasEmbedded = true
    return share(shared, name, options, () => openCheckpoint(name, folder, options))
  }
  if (seen.includes(name))
    throw new UsageError(`${[...seen, name].join(' -> ')}: these names point to each other in a circle`)
  return openEntry(name, entry, options, shared, [...seen, name])
}

/** Opens what a config's name stands for. The caller's settings override the config's, except the key. */
async function openEntry(
  name: string,
  entry: EngineEntry,
  options: OpenOptions,
  shared: Shared,
  seen: string[],
): Promise<Engine> {
  if (typeof entry === 'string') return open(entry, options, shared, seen)
  if (typeof entry === 'function') return share(shared, name, {}, async () => entry())
  if (isModel(entry)) {
    const { fromAiSdk } = await import('./ai-sdk/ai-sdk.ts')
    return share(shared, name, {}, async () => fromAiSdk(entry, options))
  }
  const { provider, model, baseURL, price, template, ...settings } = entry
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const merged: OpenOptions = { ...settings, ...given, apiKeyEnv: settings.apiKeyEnv ?? options.apiKeyEnv }
  if (settings.headers) merged.headers = fillHeaders(name, settings.headers, options.env)
  if (provider && Array.isArray(baseURL))
    throw new UsageError(`the config's engines.${name}.baseURL: a provider has one address, got several`)
  const target = provider
    ? `${provider}:${model}`
    : baseURL
      ? `${[baseURL].flat().join(',')}#${model.replace(/^openai:/, '')}`
      : model
  const engine = await open(target, provider ? { ...merged, baseURL } : merged, shared, seen)
  return price ? withPrice(engine, price) : engine
}

/** Opens an engine, or returns the one that was opened with the same settings. */
function share(
  shared: Shared,
  name: string,
  options: OpenOptions,
  make: () => Promise<Engine>,
): Promise<Engine> {
  const { env, config, signal, onProgress, ...settings } = options
  const key = `${name} ${JSON.stringify(Object.entries(settings).sort())}`
  const engine = shared.engines.get(key) ?? make()
  shared.engines.set(key, engine)
  return engine
}

async function openModel(name: string, _: string, options: OpenOptions): Promise<Engine> {
  const [{ resolveModel }, { openEmbedded }] = await Promise.all([
    import('./models/models.ts'),
    import('./embedded/embedded.ts'),
  ])
  if (options.lora !== undefined && !existsSync(options.lora))
    throw new UsageError(`\`lora\` ${options.lora}: there is no such file`, { param: 'lora' })
  const model = await resolveModel(name, options)
  const settings = await embeddedSettings(model.file, options)
  const lora = options.lora === undefined ? undefined : [{ file: options.lora }]
  const { raw, maxTokens } = model
  return openEmbedded({ id: name, raw, lora, defaultMaxTokens: maxTokens, ...settings })
}

/** Opens a folder made by `aft train`, or one of the package: its adapters on its base. */
async function openCheckpoint(name: string, folder: string, options: OpenOptions): Promise<Engine> {
  const [{ readCheckpoint }, { openEmbedded }] = await Promise.all([
    import('./models/checkpoint.ts'),
    import('./embedded/embedded.ts'),
  ])
  const { file, lora } = await readCheckpoint(folder, options)
  const adapters = [...lora, ...(options.lora === undefined ? [] : [options.lora])].map((adapter) => ({
    file: adapter,
  }))
  return openEmbedded({ id: name, lora: adapters, ...(await embeddedSettings(file, options)) })
}

/** What is given of the settings of an embedded model, and the way of attention that was measured if none is given. */
async function embeddedSettings(file: string, options: OpenOptions) {
  const { threads, contextLength, vocabularyOnly, raw, env } = options
  const { readAttention } = await import('./embedded/kept-attention.ts')
  const attention = options.attention ?? (vocabularyOnly ? undefined : readAttention(file, env))
  const given = { threads, contextLength, vocabularyOnly, raw, attention }
  return { file, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) }
}

async function openAddress(name: string, _: string, options: OpenOptions): Promise<Engine> {
  const at = name.lastIndexOf('#')
  const [addresses, model] = [splitAddresses(name.slice(0, at)), name.slice(at + 1)]
  if (at < 0 || !model || !addresses.every((address) => URL.canParse(address))) {
    throw new UsageError(
      `expected URL#MODEL, such as http://127.0.0.1:8000/v1#llama, or URL,URL#MODEL, got "${name}"`,
    )
  }
  return openServer({ baseURL: addresses, model }, options)
}

async function openServer(
  target: { baseURL?: string | string[]; model: string },
  options: OpenOptions,
): Promise<Engine> {
  const { openOpenAI } = await import('./openai/openai.ts')
  return openOpenAI({ ...options, ...target })
}

function split(name: string): [string, string] {
  const at = name.indexOf(':')
  return at < 0 ? [name, ''] : [name.slice(0, at), name.slice(at + 1)]
}

async function readConfigOf({ config }: OpenOptions): Promise<Config> {
  if (typeof config === 'object') return config
  return config === undefined ? ((await loadConfig(process.cwd())) ?? {}) : readConfig(config)
}

async function unknownName(name: string, configured: string[]): Promise<UsageError> {
  const { listPackaged } = await import('./models/packaged.ts')
  const cataloged = [...catalog, ...listPackaged()].map((model) => model.name)
  if (statSync(name, { throwIfNoEntry: false })?.isDirectory())
    return new UsageError(`${name} is a folder, but has no model that \`aft train\` trained to its end`)
  const forms = ['gguf:FILE', 'hf:USER/REPO:QUANT', ...namedForms()]
  const [form] = forms.filter((known) => name !== '' && name === `${split(known)[0]}:`)
  if (form) return new UsageError(`expected ${form}, got "${name}"`)
  const own = configured.length > 0 ? [`from the config: ${configured.join(', ')}`] : []
  const here = [...cataloged, ...forms.slice(0, 2), 'a folder of `aft train`']
  const known = [
    ...own,
    `in this process: ${here.join(', ')}`,
    `servers: URL#MODEL, ${forms.slice(2).join(', ')}`,
  ]
  const hint = suggest(name, [...cataloged, ...configured])
  return new UsageError(
    `unknown engine "${name}"${hint ? `; did you mean ${hint}?` : '.'} Names ${known.join('; ')}`,
  )
}

const schemes = [...Object.keys(openers), ...namedForms().map((form) => split(form)[0])]

function suggest(name: string, names: string[]): string | undefined {
  if (/\.gguf$/i.test(name)) return `gguf:${name}`
  if (name.includes('://') || /^[\w.-]+:\d+\//.test(name))
    return 'URL#MODEL, such as http://127.0.0.1:8000/v1#llama'
  const [scheme, rest] = split(name)
  const near = rest && findClosest(scheme, schemes)
  return near ? `${near}:${rest}` : findClosest(name, names)
}
