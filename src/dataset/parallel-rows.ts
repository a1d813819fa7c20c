/** Rows of large JSON-lines files, read, examined and rendered by worker threads: the same bytes as by one. */
import { createReadStream, statSync } from 'node:fs'
import { entryBeside } from '../lib/entry.ts'
import { toFileError } from '../lib/file-error.ts'
import { mapInWorkers, type Parcel } from '../lib/worker-pool.ts'
import type { BuildOptions, Ready } from './build.ts'
import type { ExamineOptions } from './examine-row.ts'
import { isPlainLines } from './read-records.ts'
import type { Rendered, RenderOptions } from './render-row.ts'
import type { BadRow } from './row.ts'
import { findSource } from './sources.ts'

/** What a worker is told: all that can be copied, of the options that rows depend on. */
export interface WorkOptions
  extends Omit<ExamineOptions, 'findOtherLanguage'>,
    Omit<RenderOptions, 'budget'> {
  format: string
  dropsNearDuplicates: boolean
}

/** Whole lines of a file, the first of them by its number. */
export interface Block {
  file: string
  line: number
  bytes: Uint8Array
}

/** Texts of the lines as places in `bytes`: one buffer is handed over instead of many copied. */
export type Placed = Omit<Ready, 'rendered'> & { rendered?: Rendered<[start: number, end: number]> }
export interface Done {
  rows: (Placed | BadRow)[]
  bytes: Uint8Array
}

const BLOCK_BYTES = 1 << 20
const NEWLINE = 0x0a

/** Smaller inputs are done before the threads have started. */
const LEAST_BYTES = 8e6

/** Whether threads can share these files out, and whether it pays. */
export function canShare(format: string, files: string[]): boolean {
  if (files.length === 0 || !files.every(isPlainLines) || !findSource(format).isPerRecord) return false
  return files.reduce((sum, file) => sum + statSync(file).size, 0) >= LEAST_BYTES
}

/** Neither a token budget nor a language check can be handed to a worker: such builds stay in one thread. */
export async function* readInParallel(
  files: string[],
  options: Omit<BuildOptions, 'rows' | 'budget' | 'findOtherLanguage'> & { format: string; workers: number },
): AsyncGenerator<Ready | BadRow> {
  const { writeCard: _, workers, ...data } = options
  const entry = entryBeside(import.meta.url, 'parallel-rows-worker')
  const pool = mapInWorkers<Block, Done>(readBlocks(files), { entry, data, workers })
  for await (const { rows, bytes } of pool) {
    for (const row of rows)
      yield 'problem' in row ? row : { ...row, rendered: takePlaces(row.rendered, bytes) }
  }
}

function takePlaces(rendered: Placed['rendered'], bytes: Uint8Array): Ready['rendered'] {
  if (!rendered) return undefined
  const lines = rendered.lines.map((line) => ({ ...line, rest: bytes.subarray(...line.rest) }))
  return { ...rendered, lines }
}

async function* readBlocks(files: string[]): AsyncGenerator<Parcel<Block>> {
  for (const file of files) {
    try {
      yield* splitBlocks(file)
    } catch (error) {
      throw toFileError(file, error)
    }
  }
}

async function* splitBlocks(file: string): AsyncGenerator<Parcel<Block>> {
  let line = 1
  const pack = (parts: Uint8Array[]): Parcel<Block> => {
    const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
    let at = 0
    for (const part of parts) {
      bytes.set(part, at)
      at += part.length
    }
    const block = { file, line, bytes }
    line += countLines(bytes)
    return { value: block, transfer: [bytes.buffer] }
  }
  let waiting: Uint8Array[] = []
  for await (const chunk of createReadStream(file, { highWaterMark: BLOCK_BYTES }) as AsyncIterable<Buffer>) {
    const end = chunk.lastIndexOf(NEWLINE) + 1
    if (end > 0) yield pack([...waiting, chunk.subarray(0, end)])
    if (end > 0) waiting = []
    if (end < chunk.length) waiting.push(chunk.subarray(end))
  }
  if (waiting.length > 0) yield pack(waiting)
}

function countLines(bytes: Uint8Array): number {
  let count = 0
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) count++
  return count
}
