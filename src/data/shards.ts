/** Writes lines to a file, or to several of a bounded size. They get their final names at the end. */
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs'
import path from 'node:path'
import { syncFile } from '../lib/durable.ts'
import { makeFolder } from '../lib/make-folder.ts'
import { writeAll } from '../lib/write-whole.ts'

/** Where a file ends: its last shard, from 0, and the bytes in that shard. */
export interface ShardState {
  shard: number
  bytes: number
}

/** A file that is being written. */
export interface Shards {
  /** Bytes that this process appended. */
  readonly bytes: number
  /** Appends a line in two pieces. */
  append(text: string, rest: string | Uint8Array): void
  /** The final paths so far. */
  names(): string[]
  /** Has the disk keep what was appended. */
  sync(): ShardState
  /** Writes the rest, closes the file and gives all shards their final names. */
  finish(): void
  close(): void
}

const BUFFER_BYTES = 1 << 19

/**
 * Opens `file` anew, or as it was at `from`: what was written later is cut off.
 * @throws the system's error, from each call, if it cannot be written; Error if it is shorter than `from` says
 */
export function openShards(
  file: string,
  { shardBytes = Infinity, from }: { shardBytes?: number; from?: ShardState },
): Shards {
  makeFolder(path.dirname(file))
  let { shard, bytes: size } = from ?? { shard: 0, bytes: 0 }
  let bytes = 0
  let part = openPart(from ? reopen(file, from) : openSync(partOf(file, 0), 'w'))
  const names = () => nameShards(file, shard + 1)
  return {
    get bytes() {
      return bytes
    },
    append(text, rest) {
      const length = Buffer.byteLength(text) + Buffer.byteLength(rest)
      if (size > 0 && size + length > shardBytes) {
        part.close(true)
        part = openPart(openSync(partOf(file, ++shard), 'w'))
        size = 0
      }
      part.put(text)
      part.put(rest)
      size += length
      bytes += length
    },
    names,
    sync() {
      part.sync()
      return { shard, bytes: size }
    },
    finish() {
      part.close(true)
      for (const [i, name] of names().entries())
        if (name !== partOf(file, i)) renameSync(partOf(file, i), name)
    },
    close: () => part.close(false),
  }
}

/** Writes to an open file in large pieces, through a buffer. */
function openPart(fd: number) {
  const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES)
  let used = 0
  let isOpen = true
  const flush = () => {
    writeAll(fd, buffer.subarray(0, used))
    used = 0
  }
  return {
    put(piece: string | Uint8Array) {
      // a UTF-16 code unit has at most 3 bytes in UTF-8
      const most = typeof piece === 'string' ? 3 * piece.length : piece.length
      if (most > BUFFER_BYTES - used) flush()
      if (most > BUFFER_BYTES) writeAll(fd, piece)
      else if (typeof piece === 'string') used += buffer.write(piece, used)
      else {
        buffer.set(piece, used)
        used += piece.length
      }
    },
    sync() {
      flush()
      fdatasyncSync(fd)
    },
    close(keepsRest: boolean) {
      if (!isOpen) return
      if (keepsRest) {
        flush()
        syncFile(fd)
      }
      closeSync(fd)
      isOpen = false
    },
  }
}

/** The name of a part while the number of parts is not known. The first has the file's own name. */
const partOf = (file: string, part: number) => (part === 0 ? file : `${file}.${part}`)

/** Final names, as the model hub has them: `train.jsonl`, or `train-00000-of-00002.jsonl` and so on. */
function nameShards(file: string, count: number): string[] {
  if (count === 1) return [file]
  const { dir, name, ext } = path.parse(file)
  const digits = (n: number) => String(n).padStart(5, '0')
  return Array.from({ length: count }, (_, i) =>
    path.join(dir, `${name}-${digits(i)}-of-${digits(count)}${ext}`),
  )
}

function reopen(file: string, { shard, bytes }: ShardState): number {
  const fd = openSync(partOf(file, shard), 'r+')
  if (fstatSync(fd).size < bytes) {
    closeSync(fd)
    throw new Error(`${partOf(file, shard)} is shorter than it was`)
  }
  ftruncateSync(fd, bytes)
  closeSync(fd)
  for (let later = shard + 1; existsSync(partOf(file, later)); later++) rmSync(partOf(file, later))
  return openSync(partOf(file, shard), 'a')
}
