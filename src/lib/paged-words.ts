/** Arrays of 32-bit words in bounded memory: pages that were not used lately are in a file. */
import { closeSync, openSync, readSync, rmSync } from 'node:fs'
import { writeAll } from './write-whole.ts'

/** Words, all 0 at first. */
export interface PagedWords {
  get(index: number): number
  set(index: number, word: number): void
  /** Gives the pages back. */
  free(): void
}

/** Pages of several arrays, with one bound on their memory. */
export interface Pager {
  create(words: number): PagedWords
  /** Closes and removes the file. */
  close(): void
}

const PAGE_BITS = 10
const PAGE_WORDS = 1 << PAGE_BITS
const PAGE_BYTES = 4 * PAGE_WORDS
/** Frames come in slabs: one allocation per page would cost more than the page. */
const SLAB_BITS = 8

/**
 * Makes a pager with a file that exists only if the memory is not enough.
 * @throws the system's error, from each call, if the file cannot be written or read
 */
export function createPager(file: string, { memoryBytes }: { memoryBytes: number }): Pager {
  const frames = new Frames(file, Math.max(2, Math.floor(memoryBytes / PAGE_BYTES)))
  let pages = 0
  const unused: number[] = []
  return {
    create(words) {
      const own = Array.from({ length: Math.ceil(words / PAGE_WORDS) }, () => unused.pop() ?? pages++)
      return {
        get(index) {
          const frame = frames.find(own[index >>> PAGE_BITS] as number)
          return frames.slabOf(frame)[placeIn(frame, index)] as number
        },
        set(index, word) {
          const frame = frames.find(own[index >>> PAGE_BITS] as number)
          frames.slabOf(frame)[placeIn(frame, index)] = word
          frames.mark(frame)
        },
        free() {
          for (const page of own.splice(0)) {
            frames.drop(page)
            unused.push(page)
          }
        },
      }
    },
    close: () => frames.close(),
  }
}

/** The place of a word in the slab of its frame. */
const placeIn = (frame: number, index: number) =>
  ((frame & ((1 << SLAB_BITS) - 1)) << PAGE_BITS) | (index & (PAGE_WORDS - 1))

/** Places in memory that hold a page each. The clock algorithm chooses the page that goes to the file. */
class Frames {
  private readonly slabs: Uint32Array[] = []
  /** The frame of each page; undefined if the page is in the file only, or was never used. */
  private readonly frameOf: (number | undefined)[] = []
  private readonly pageOf: Int32Array
  private readonly isUsed: Uint8Array
  private readonly isChanged: Uint8Array
  private readonly stored = new Set<number>()
  private readonly file: string
  private readonly most: number
  private count = 0
  private hand = 0
  private fd: number | undefined

  constructor(file: string, most: number) {
    this.file = file
    this.most = most
    this.pageOf = new Int32Array(most).fill(-1)
    this.isUsed = new Uint8Array(most)
    this.isChanged = new Uint8Array(most)
  }

  /** The frame of a page, which is read into one if it has none. */
  find(page: number): number {
    const frame = this.frameOf[page] ?? this.load(page)
    this.isUsed[frame] = 1
    return frame
  }

  slabOf(frame: number): Uint32Array {
    return this.slabs[frame >>> SLAB_BITS] as Uint32Array
  }

  mark(frame: number): void {
    this.isChanged[frame] = 1
  }

  /** Forgets what a page holds: it is 0 again. */
  drop(page: number): void {
    const frame = this.frameOf[page]
    this.stored.delete(page)
    this.frameOf[page] = undefined
    if (frame === undefined) return
    this.pageOf[frame] = -1
    this.isUsed[frame] = 0
  }

  close(): void {
    if (this.fd === undefined) return
    closeSync(this.fd)
    rmSync(this.file, { force: true })
    this.fd = undefined
  }

  private load(page: number): number {
    const { slabs, file, fd } = this
    const frame = this.count < this.most ? this.count++ : this.evict()
    if (slabs.length <= frame >>> SLAB_BITS) slabs.push(new Uint32Array(PAGE_WORDS << SLAB_BITS))
    const words = this.wordsOf(frame)
    if (!this.stored.has(page)) words.fill(0)
    else if (readSync(fd as number, bytesOf(words), 0, PAGE_BYTES, page * PAGE_BYTES) !== PAGE_BYTES)
      throw new Error(`${file} became shorter while it was in use`)
    this.pageOf[frame] = page
    this.frameOf[page] = frame
    this.isChanged[frame] = 0
    return frame
  }

  private evict(): number {
    const { isUsed, most } = this
    while (isUsed[this.hand] === 1) {
      isUsed[this.hand] = 0
      this.hand = (this.hand + 1) % most
    }
    const frame = this.hand
    this.hand = (this.hand + 1) % most
    const page = this.pageOf[frame] as number
    if (page === -1) return frame
    if (this.isChanged[frame] === 1) {
      this.fd ??= openSync(this.file, 'w+')
      writeAll(this.fd, bytesOf(this.wordsOf(frame)), page * PAGE_BYTES)
      this.stored.add(page)
    }
    this.frameOf[page] = undefined
    return frame
  }

  private wordsOf(frame: number): Uint32Array {
    return this.slabOf(frame).subarray(placeIn(frame, 0), placeIn(frame, 0) + PAGE_WORDS)
  }
}

const bytesOf = (words: Uint32Array) => Buffer.from(words.buffer, words.byteOffset, words.byteLength)
