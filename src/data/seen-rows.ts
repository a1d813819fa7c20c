/** What a build remembers of earlier rows, in bounded memory: their prompts and their ids. The rest is on disk. */
import { closeSync, existsSync, fdatasyncSync, ftruncateSync, openSync, readSync } from 'node:fs'
import path from 'node:path'
import { createPager, type Pager } from '../lib/paged-words.ts'
import { openRecords } from '../lib/record-file.ts'
import { createWordTable } from '../lib/word-table.ts'
import { writeAll } from '../lib/write-whole.ts'
import type { Drop } from './examine-row.ts'
import { hash64 } from './fingerprints.ts'
import { createDuplicateIndex, SIGNATURE_WORDS, signText } from './near-duplicates.ts'

/** Recognizes a prompt that comes again. */
export interface PromptMark {
  whole: bigint
  /** Present if near-duplicates are dropped. */
  signature?: Uint32Array
}

/** Makes the mark of a prompt's text. */
export function markPrompt(
  text: string,
  { dropsNearDuplicates }: { dropsNearDuplicates: boolean },
): PromptMark {
  return { whole: hash64(text), ...(dropsNearDuplicates && { signature: signText(text) }) }
}

/** How much is remembered: rows, and bytes of their ids. A later process opens the same files with it. */
export interface SeenState {
  rows: number
  idBytes: number
}

/** The rows that came before. */
export interface SeenRows {
  /**
   * Takes a row that is not dropped so far.
   * @returns the id that it gets, or the reason to drop it: an earlier row has its prompt
   */
  take(id: string, mark: PromptMark): { id: string } | { drop: Drop }
  /** Has the disk keep what is remembered. */
  sync(): SeenState
  close(): void
}

/** Memory for the tables of hashes. 1,000,000 rows nearly fit. */
const MEMORY_BYTES = 192e6

/** Words before the signature: the prompt's hash, the place of the id, its bytes, and whether the row is a near-duplicate. */
const HEAD = { whole: 0, place: 2, idBytes: 4, isTwin: 5, words: 6 } as const
const HIGH = 2 ** 32

/**
 * Opens the memory of a build in files of `folder`.
 * @param from what an earlier process remembered; nothing if absent
 * @throws the system's error, from each call, if a file cannot be written or read
 */
export function openSeenRows(folder: string, hasSignatures: boolean, from?: SeenState): SeenRows {
  const pager = createPager(path.join(folder, 'tables.tmp'), { memoryBytes: MEMORY_BYTES })
  const words = HEAD.words + (hasSignatures ? SIGNATURE_WORDS : 0)
  const records = openRecords(path.join(folder, 'rows.bin'), { words, count: from?.rows })
  const names = openNames(path.join(folder, 'ids.txt'), from?.idBytes ?? 0)
  const prompts = createCounts(pager)
  const ids = createCounts(pager)
  const similar = createDuplicateIndex(pager, (row) => records.read(row).subarray(HEAD.words))
  const record = new Uint32Array(words)

  function remember(id: string, { whole, signature }: PromptMark, isTwin: boolean) {
    const row = records.count
    const { offset, bytes } = names.append(id)
    record.set([...split(whole), offset % HIGH, Math.floor(offset / HIGH), bytes, Number(isTwin)])
    if (signature) record.set(signature, HEAD.words)
    records.append(record)
    if (signature && !isTwin) similar.add(row, signature)
  }
  const nameOf = (row: number) => {
    const found = records.read(row)
    const word = (i: number) => found[i] as number
    return names.read(word(HEAD.place) + HIGH * word(HEAD.place + 1), word(HEAD.idBytes))
  }
  for (let row = 0; row < records.count; row++) {
    const found = Uint32Array.from(records.read(row))
    prompts.bump(joinWords(found[HEAD.whole] as number, found[HEAD.whole + 1] as number))
    if (found[HEAD.isTwin] === 1) continue
    if (hasSignatures) similar.add(row, found.subarray(HEAD.words))
    nameRow(nameOf(row), ids)
  }
  let isClosed = false
  return {
    take(id, mark) {
      if (prompts.bump(mark.whole) > 1) return { drop: { reason: 'duplicate prompt' } }
      const twin = mark.signature && similar.find(mark.signature)
      if (twin !== undefined) {
        remember(id, mark, true)
        return { drop: { reason: 'near-duplicate prompt', detail: nameOf(twin) } }
      }
      remember(id, mark, false)
      return { id: nameRow(id, ids) }
    },
    sync() {
      records.sync()
      return { rows: records.count, idBytes: names.sync() }
    },
    // A second time is no error: it would hide the one that it is closed for.
    close() {
      if (isClosed) return
      isClosed = true
      records.close()
      names.close()
      pager.close()
    },
  }
}

/** Makes an id unique: if an earlier row has it, a number is added at the end. */
function nameRow(id: string, ids: ReturnType<typeof createCounts>): string {
  const whole = hash64(id)
  for (;;) {
    const times = ids.bump(whole)
    if (times === 1) return id
    const named = `${id}#${times}`
    if (ids.bump(hash64(named)) === 1) return named
  }
}

const split = (hash: bigint): [number, number] => [Number(hash & 0xffffffffn), Number(hash >> 32n)]
const joinWords = (low: number, high: number) => (BigInt(high) << 32n) | BigInt(low)

/** Counts hashes of 64 bits. */
function createCounts(pager: Pager) {
  const table = createWordTable(pager, 4)
  return {
    /** Returns how often the hash has been counted, this time included. */
    bump(hash: bigint): number {
      const [low, high] = split(hash)
      const slot = table.find(high, (found) => table.get(found, 1) === low)
      const times = slot === undefined ? 1 : table.get(slot, 3) + 1
      if (slot === undefined) table.add(high, [low, 0, 1])
      else table.set(slot, 3, times)
      return times
    },
  }
}

const BUFFER_CHARS = 1 << 19

/** Texts in a file, one after the other. */
function openNames(file: string, size: number) {
  const fd = openSync(file, size > 0 && existsSync(file) ? 'r+' : 'w+')
  ftruncateSync(fd, size)
  let [written, waiting] = [size, 0]
  let texts: string[] = []
  const flush = () => {
    writeAll(fd, texts.join(''), written)
    written += waiting
    ;[texts, waiting] = [[], 0]
  }
  return {
    append(text: string): { offset: number; bytes: number } {
      const place = { offset: written + waiting, bytes: Buffer.byteLength(text) }
      texts.push(text)
      waiting += place.bytes
      if (waiting > BUFFER_CHARS) flush()
      return place
    },
    read(offset: number, length: number): string {
      if (offset + length > written) flush()
      const bytes = Buffer.alloc(length)
      readSync(fd, bytes, 0, length, offset)
      return bytes.toString('utf8')
    },
    sync(): number {
      flush()
      fdatasyncSync(fd)
      return written
    },
    close: () => closeSync(fd),
  }
}
