/** Finds the base model to train, and prepares it in a form that transformers opens. */
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { UsageError } from '../core/provider/errors.ts'
import { readRecord } from '../files/checkpoint.ts'
import { checkpointFile } from '../files/find-checkpoint.ts'
import { findCacheFolder } from '../lib/cache-folder.ts'
import { makeFolder } from '../lib/make-folder.ts'
import { runLoud, trainerFolder } from './environment.ts'

/** A GGUF file, with the name that opens it as an engine. */
export interface GgufBase {
  model: string
  file: string
  /** LoRA adapters on it, GGUF files; they become part of the weights. */
  adapters?: string[]
  license?: string
}

/** A base model that is ready to train. */
export interface Base {
  /** Hub name or folder. */
  model: string
  isLocal: boolean
  /** Present if it was made from a GGUF file without adapters. */
  gguf?: { model: string; sha256: string }
  license?: string
}

/** What finding and preparing a base model needs. */
export interface BaseOptions {
  python: string
  /** Returns the GGUF file of a model's name; undefined if there is no such model. */
  findGguf: (name: string) => Promise<GgufBase | undefined>
  signal: AbortSignal
  onLine: (line: string) => void
}

/**
 * Prepares a base model. Of a training run with all weights these are taken, not the GGUF file, which may be rounded. A GGUF
 * file is converted to a folder in the cache, once.
 * @throws UsageError if there is no such model
 */
export async function prepareBase(name: string, options: BaseOptions): Promise<Base> {
  const isFolder = (folder: string) => existsSync(path.join(folder, 'config.json'))
  if (isFolder(name)) return { model: path.resolve(name), isLocal: true }
  const weights = path.join(name, 'model')
  // A run that was killed may have weights, half written, but has no record yet.
  if (existsSync(path.join(name, checkpointFile)) && isFolder(weights))
    return { model: path.resolve(weights), isLocal: true, license: readRecord(name).license }
  const found = await options.findGguf(name)
  if (!found) {
    if (/^[\w.-]+\/[\w.-]+$/.test(name) && !existsSync(name)) return { model: name, isLocal: false }
    throw new UsageError(
      `base: expected a folder with a config.json or an aft-model.json, a model of \`aft models\`, gguf:FILE or a hub name, got ${name}`,
    )
  }
  const { model, file, license, adapters = [] } = found
  const sha256 = await hashFiles([file, ...adapters])
  const folder = path.join(findCacheFolder(), 'bases', sha256.slice(0, 16))
  if (!existsSync(folder)) {
    options.onLine(`converting ${file} to a folder that can be trained (only once, about half a minute)`)
    const unfinished = `${folder}.${process.pid}`
    makeFolder(unfinished)
    try {
      const script = path.join(trainerFolder, 'gguf_to_folder.py')
      await runLoud(options.python, [script, file, unfinished, ...adapters], {
        signal: options.signal,
        env: { HF_HUB_OFFLINE: '1', OMP_WAIT_POLICY: 'PASSIVE' },
      })
      if (!existsSync(folder)) renameSync(unfinished, folder)
    } finally {
      rmSync(unfinished, { recursive: true, force: true })
    }
  }
  return { model: folder, isLocal: true, license, ...(adapters.length === 0 && { gguf: { model, sha256 } }) }
}

/** Computes one SHA-256 over several files in order, in hex. */
export async function hashFiles(files: string[]): Promise<string> {
  const hash = createHash('sha256')
  for (const file of files) await pipeline(createReadStream(file), hash, { end: false })
  return hash.digest('hex')
}
