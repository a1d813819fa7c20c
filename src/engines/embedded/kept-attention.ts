/** Keeps what was measured of attention in the cache folder: a file per processor, version of the library and model. */
import { createHash } from 'node:crypto'
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { cpus } from 'node:os'
import path from 'node:path'
import { UsageError } from '../../core/provider/errors.ts'
import { findCacheFolder } from '../../lib/cache-folder.ts'
import { takeLock } from '../../lib/lock.ts'
import { makeFolder } from '../../lib/make-folder.ts'
import { writeWhole } from '../../lib/write-whole.ts'
import { type Attention, attentions } from '../engine-options.ts'
import type { AttentionCosts } from './measure-attention.ts'

/** What a measurement holds for. */
interface Place {
  processor: string
  library: string
  model: string
}

/** A measurement that is kept. */
export interface KeptAttention extends Place, AttentionCosts {
  attention: Attention
  /** Tokens of a text, for which it is the fastest. */
  length: number
}

/** The file that keeps what was measured with a model's file. It need not be there. */
export function attentionFile(model: string, env?: NodeJS.ProcessEnv): string {
  const name = createHash('sha256')
    .update(JSON.stringify(placeOf(model)))
    .digest('hex')
    .slice(0, 16)
  return path.join(folderOf(env), `${name}.json`)
}

const folderOf = (env?: NodeJS.ProcessEnv) => path.join(findCacheFolder(env), 'attention')

/**
 * The way that was chosen for a model's file on this machine; undefined if nothing was measured.
 * @throws UsageError if the file that keeps it is broken, or of another model or processor: texts depend on it
 */
export function readAttention(model: string, env?: NodeJS.ProcessEnv): Attention | undefined {
  if (!existsSync(folderOf(env))) return undefined
  const file = attentionFile(model, env)
  if (!existsSync(file)) return undefined
  const kept = parse(readFileSync(file, 'utf8'))
  const place = placeOf(model)
  const isOurs = Object.entries(place).every(([name, value]) => kept?.[name as keyof Place] === value)
  if (kept && isOurs && attentions.includes(kept.attention)) return kept.attention
  const problem = kept && !isOurs ? 'was measured with another model or processor' : 'is broken'
  throw new UsageError(
    `${file}: ${problem}. Measure again (aft models measure), or remove it: then flash attention is used`,
  )
}

/**
 * Measures while no other process does, and keeps the result.
 * @throws UsageError if another process measures the same
 */
export async function keepAttention(
  model: string,
  measure: () => Promise<Omit<KeptAttention, keyof Place>>,
  env?: NodeJS.ProcessEnv,
): Promise<KeptAttention> {
  const file = attentionFile(model, env)
  makeFolder(path.dirname(file))
  const lock = takeLock(`${file}.lock`)
  if (!lock)
    throw new UsageError(`another process measures this model now; it will keep the result in ${file}`)
  try {
    const kept = { ...placeOf(model), ...(await measure()) }
    writeWhole(file, `${JSON.stringify(kept, null, 2)}\n`)
    return kept
  } finally {
    lock.release()
  }
}

function parse(text: string): (Partial<KeptAttention> & { attention: Attention }) | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const HEAD_BYTES = 2 ** 20

/** The model is known by its size and the first megabyte: all that decides how fast it is stands there. */
function placeOf(model: string): Place {
  const descriptor = openSync(model, 'r')
  const head = Buffer.alloc(HEAD_BYTES)
  const count = readSync(descriptor, head)
  closeSync(descriptor)
  const digest = createHash('sha256').update(head.subarray(0, count))
  return {
    processor: describeProcessor(),
    library: readLibraryVersion(),
    model: `${statSync(model).size} bytes, ${digest.digest('hex').slice(0, 16)}`,
  }
}

/** The name of the processor, and on Linux a digest of what it can do. */
function describeProcessor(): string {
  const name = cpus()[0]?.model ?? process.arch
  if (process.platform !== 'linux') return name
  const flags = /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? ''
  return `${name}, ${createHash('sha256').update(flags).digest('hex').slice(0, 8)}`
}

function readLibraryVersion(): string {
  const file = findPackageJSON('node-llama-cpp', import.meta.url)
  return file ? JSON.parse(readFileSync(file, 'utf8')).version : 'none'
}
