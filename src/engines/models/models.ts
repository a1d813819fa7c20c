/** Finds the file of a model by name, and downloads it if needed. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { EngineError, UsageError } from '../../core/provider/errors.ts'
import { needPackages } from '../../files/optional-packages.ts'
import { findCacheFolder } from '../../lib/cache-folder.ts'
import { IdleTimeout } from '../../lib/idle-timeout.ts'
import { isVerified } from '../../lib/verified-file.ts'
import { readGgufHeader } from './gguf.ts'
import type { PullOptions } from './model-cache.ts'
import { type CatalogModel, catalog, namesFor } from './model-catalog.ts'
import { pullModel } from './model-pull.ts'
import { listPackaged } from './packaged.ts'

export type { PullProgress } from '../../lib/verified-file.ts'
export { authorsCheckpoints, type CatalogModel, catalog } from './model-catalog.ts'

/** A model's file on this machine. `raw` is true for a base model without a chat template. */
export interface ResolvedModel {
  name: string
  /** The catalog's name, if `name` stands for one of two models. */
  model: string
  file: string
  bytes: number
  raw: boolean
  /** The model's own limit of a completion, if it has one. */
  maxTokens?: number
  /** The weights' format, if the catalog has it: `smollm2` is one of two. */
  format?: string
  license?: string
}

/** How a model's file is found. */
export interface ResolveOptions extends PullOptions {
  /** The folder of model files; default `models` in the user's cache folder. */
  cacheDir?: string
}

/**
 * The file of a model: `smollm2` (or another name of the catalog; downloaded if needed), `gguf:FILE`, or
 * `hf:USER/REPO:QUANT` (through node-llama-cpp).
 * @throws UsageError if the name is unknown or the file is missing, EngineError if it cannot be downloaded; both say what to do
 * @throws DataError if a GGUF file is broken
 */
export async function resolveModel(name: string, options: ResolveOptions = {}): Promise<ResolvedModel> {
  if (name.startsWith('gguf:')) return describeFile(name, name.slice('gguf:'.length))
  if (name.startsWith('hf:')) return describeFile(name, await resolveHubName(name, options))
  const folder = findModelFolder(options)
  const candidates = namesFor(name).map(findModel)
  for (const model of candidates) {
    try {
      await ensure(model, folder, options)
      return describeModel(name, model, folder)
    } catch (error) {
      // A full or read-only disk takes no second file: use the published one if it is there.
      const others = candidates.filter((other) => other !== model)
      if (!(error instanceof UsageError || error instanceof EngineError) || !(await hasAny(others, folder)))
        throw error
    }
  }
  throw new Error(`${name} stands for no model`)
}

/** A model of the catalog or of the package, and whether all that it needs is on this machine. */
export interface ListedModel extends Omit<CatalogModel, 'source' | 'file'> {
  path: string
  isCached: boolean
}

/**
 * The catalog and the models of the package, with what is on this machine. `smollm2` is listed with the file that it
 * stands for here.
 */
export async function listModels(options: ResolveOptions = {}): Promise<ListedModel[]> {
  const folder = findModelFolder(options)
  const own = await listCatalog(folder)
  const packaged = listPackaged().map(({ base, ...model }): ListedModel => {
    const isCached = own.some(({ name, isCached }) => name === base && isCached)
    return { ...model, format: 'LoRA', raw: false, isCached }
  })
  return [...own, ...packaged]
}

async function listCatalog(folder: string): Promise<ListedModel[]> {
  return Promise.all(
    catalog.map(async ({ name, about }) => {
      const models = namesFor(name).map(findModel)
      const cached = await Promise.all(models.map((model) => isVerified(join(folder, model.file), model)))
      const model = models[Math.max(0, cached.indexOf(true))] as CatalogModel
      return { ...model, name, about, path: join(folder, model.file), isCached: cached.includes(true) }
    }),
  )
}

/** The folder of model files. */
export function findModelFolder({ cacheDir, env }: ResolveOptions = {}): string {
  return cacheDir ?? join(findCacheFolder(env), 'models')
}

/** Downloads or makes a model's file if it is missing, after the file that it is made from. */
async function ensure(model: CatalogModel, folder: string, options: ResolveOptions): Promise<void> {
  if (await isVerified(join(folder, model.file), model)) return
  if ('madeFrom' in model.source) await ensure(findModel(model.source.madeFrom), folder, options)
  await pullModel(model, folder, options)
}

async function hasAny(models: CatalogModel[], folder: string): Promise<boolean> {
  const found = await Promise.all(models.map((model) => isVerified(join(folder, model.file), model)))
  return found.includes(true)
}

function findModel(name: string): CatalogModel {
  const model = catalog.find((candidate) => candidate.name === name)
  if (model) return model
  const names = catalog.map((candidate) => candidate.name).join(', ')
  throw new UsageError(`unknown model "${name}": expected ${names}, gguf:FILE or hf:USER/REPO:QUANT`)
}

function describeModel(name: string, model: CatalogModel, folder: string): ResolvedModel {
  const { bytes, raw, maxTokens, format, license } = model
  const file = join(folder, model.file)
  return { name, model: model.name, file, bytes, raw, maxTokens, format, license }
}

async function describeFile(name: string, file: string): Promise<ResolvedModel> {
  const found = await stat(file).catch(() => undefined)
  if (!found?.isFile()) throw new UsageError(`${name}: there is no file ${file}`)
  const { metadata } = await readGgufHeader(file)
  return { name, model: name, file, bytes: found.size, raw: !metadata.has('tokenizer.chat_template') }
}

const hubStallMs = 30_000

/** node-llama-cpp finds, downloads and resumes, but has no idle timeout. */
async function resolveHubName(name: string, options: ResolveOptions): Promise<string> {
  const { signal = new AbortController().signal, onProgress, stallMs = hubStallMs } = options
  if (!/^hf:[^/]+\/[^/]+/.test(name))
    throw new UsageError(`expected hf:USER/REPO:QUANT, such as hf:Qwen/Qwen3-0.6B-GGUF:Q8_0, got "${name}"`)
  needPackages('running a model in this process')
  const { resolveModelFile } = await import('node-llama-cpp')
  const idle = new IdleTimeout(stallMs, () => new Error(`no data for ${stallMs / 1000} s`), signal)
  const directory = join(findModelFolder(options), 'hf')
  const progress = ({ totalSize, downloadedSize }: { totalSize: number; downloadedSize: number }) => {
    idle.restart()
    onProgress?.({ receivedBytes: downloadedSize, totalBytes: totalSize, label: name })
  }
  try {
    return await idle.wait(
      resolveModelFile(name, { directory, cli: false, onProgress: progress, signal: idle.signal }),
    )
  } catch (cause) {
    signal.throwIfAborted()
    const reason = cause instanceof Error ? cause.message : String(cause)
    const hint = 'Check the name and the connection, or download the file yourself and use gguf:FILE.'
    throw new EngineError(name, 'unreachable', `cannot be downloaded: ${reason}. ${hint}`, { cause })
  } finally {
    idle.end()
  }
}
