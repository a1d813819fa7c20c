/** Worker threads read, examine and render the rows of large JSON-lines files. The result is the same, byte for byte. */
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { isPlainLines } from '../files/rows/read-records.ts'
import type { BadRow } from '../files/rows/row.ts'
import { entryBeside } from '../lib/entry.ts'
import { toFileError } from '../lib/file-error.ts'
import { mapInWorkers, type Parcel } from '../lib/worker-pool.ts'
import type { BuildOptions } from './build.ts'
import type { ExamineOptions } from './examine-row.ts'
import type { Ready, Rendered, RenderOptions } from './render-row.ts'
import { findSource } from './sources/sources.ts'

/** The options that a worker gets: those that a row depends on and that can be copied to a thread. */
export interface WorkOptions
  extends Omit<ExamineOptions, 'findOtherLanguage'>,
    Omit<RenderOptions, 'budget'> {
  format: string
  dropsNearDuplicates: boolean
}

/** A block of whole lines of a file: its start and end in bytes, and the number of its first line, from 1. */
export interface Block {
  file: string
  line: number
  start: number
  end: number
}

/** A row whose texts are places in `Done.bytes`: one buffer moves between threads, and no text is copied. */
export type Placed = Omit<Ready, 'rendered'> & { rendered?: Rendered<[start: number, end: number]> }
/** What a worker made from a block. */
export interface Done {
  rows: (Placed | BadRow)[]
  bytes: Uint8Array
}

const BLOCK_BYTES = 1 << 20
const NEWLINE = 0x0a

/** Below this, threads take half as much processor time again and end hardly sooner. */
const LEAST_BYTES = 32e6

/** Says whether threads can share the work on these files, and whether it pays. */
export function canShare(format: string, files: string[]): boolean {
  if (!canCount(format, files)) return false
  return files.reduce((sum, file) => sum + statSync(file).size, 0) >= LEAST_BYTES
}

/** What the threads need of a build. */
type ParallelOptions = Omit<BuildOptions, 'rows' | 'budget' | 'findOtherLanguage'> & {
  format: string
  workers: number
  /** Rows to skip, as an earlier process has handled them. */
  skip?: number
}

/** Reads rows by worker threads, in order. A build with a token budget or a language check needs one thread: neither can be copied. */
export async function* readInParallel(
  files: string[],
  options: ParallelOptions,
): AsyncGenerator<Ready | BadRow> {
  const { writeCard: _, onResume: __, workers, skip = 0, ...data } = options
  const entry = entryBeside(import.meta.url, 'parallel-rows-worker')
  const left = { rows: skip }
  const pool = mapInWorkers<Block, Done>(skipBlocks(readBlocks(files), left), { entry, data, workers })
  for await (const { rows, bytes } of pool) {
    for (const row of rows.slice(left.rows)) {
      yield 'problem' in row ? row : { ...row, rendered: takePlaces(row.rendered, bytes) }
    }
    left.rows = 0
  }
}

/** Leaves out the blocks whose rows are all to be skipped. The rest of the rows to skip are the first of the next block. */
async function* skipBlocks(
  blocks: AsyncIterable<Parcel<Block>>,
  left: { rows: number },
): AsyncGenerator<Parcel<Block>> {
  let isDone = left.rows === 0
  for await (const block of blocks) {
    if (!isDone) {
      const rows = countRows(block.value)
      if (rows <= left.rows) {
        left.rows -= rows
        continue
      }
      isDone = true
    }
    yield block
  }
}

/** Counts the rows of files of JSON lines whose records are one row each, without parsing them. */
export async function countPlainRows(files: string[]): Promise<number> {
  let count = 0
  for await (const { value } of readBlocks(files)) count += countRows(value)
  return count
}

/** Whether the rows of these files can be counted so. */
export const canCount = (format: string, files: string[]) =>
  files.length > 0 && files.every(isPlainLines) && findSource(format).isPerRecord === true

/** Counts the records of a block: its lines that are not blank. */
function countRows({ file, start, end }: Block): number {
  const bytes = Buffer.allocUnsafeSlow(end - start)
  const fd = openSync(file, 'r')
  readSync(fd, bytes, 0, bytes.length, start)
  closeSync(fd)
  let rows = 0
  for (let at = 0; at < bytes.length; ) {
    const found = bytes.indexOf(NEWLINE, at)
    const next = found === -1 ? bytes.length : found + 1
    const first = bytes[at] as number
    const isSure = first > 0x20 && first < 0x80
    if (
      isSure ||
      bytes
        .toString('utf8', at, next)
        .replace(/^\uFEFF/, '')
        .trim() !== ''
    )
      rows++
    at = next
  }
  return rows
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

/** Finds the blocks with one buffer. The workers read the bytes again, from the system's file cache. */
async function* splitBlocks(file: string): AsyncGenerator<Parcel<Block>> {
  await using handle = await open(file)
  const buffer = Buffer.allocUnsafeSlow(BLOCK_BYTES)
  let [start, line, at, breaks] = [0, 1, 0, 0]
  for (;;) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, at)
    const bytes = buffer.subarray(0, bytesRead)
    const isLast = bytesRead === 0
    const end = isLast ? at : at + bytes.lastIndexOf(NEWLINE) + 1
    breaks += countBreaks(bytes)
    at += bytesRead
    if (end > start && (isLast || bytes.includes(NEWLINE))) {
      yield { value: { file, line, start, end } }
      ;[start, line, breaks] = [end, line + breaks, 0]
    }
    if (isLast) return
  }
}

function countBreaks(bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) count++
  return count
}
