/** Cuts a stream of bytes into JSON values without reading it whole. */
import { MAX_LINE_BYTES, TOO_LONG } from '../../lib/jsonl.ts'

/** The bytes of one JSON value. */
export interface Piece {
  bytes: Buffer
  /** The line in which it starts, from 1. */
  line: number
  /** What is wrong with the array at this place, or that the value is too long: nothing follows. */
  problem?: string
}

const [NEWLINE, QUOTE, BACKSLASH, COMMA] = [0x0a, 0x22, 0x5c, 0x2c]
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d]

/** Yields one piece per line. If one is too long, the last piece has a `problem`. */
export async function* splitLines(chunks: AsyncIterable<Buffer> | Iterable<Buffer>): AsyncGenerator<Piece> {
  let pieces: Buffer[] = []
  let [line, pending] = [1, 0]
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      const tail = chunk.subarray(start, end)
      yield { bytes: pieces.length === 0 ? tail : Buffer.concat([...pieces, tail]), line: line++ }
      ;[pieces, pending] = [[], 0]
      start = end + 1
    }
    if (start < chunk.length) pieces.push(chunk.subarray(start))
    pending += chunk.length - start
    if (pending > MAX_LINE_BYTES) return yield { bytes: Buffer.alloc(0), line, problem: TOO_LONG }
  }
  if (pieces.length > 0) yield { bytes: Buffer.concat(pieces), line }
}

/**
 * Yields one piece per element of an array. If the stream ends within the array, or has more after it, the last piece has a
 * `problem`. More arrays may follow the first.
 */
export async function* splitArray(chunks: AsyncIterable<Buffer>): AsyncGenerator<Piece> {
  const scan = createScan()
  let pieces: Buffer[] = []
  let [from, pending] = [1, 0]
  let extra: number | undefined
  for await (const chunk of chunks) {
    let start = 0
    for (let i = 0; i < chunk.length; i++) {
      if (scan.depth === 0 && extra === undefined && isText(chunk[i] as number)) extra = scan.line
      const meets = scan.take(chunk[i] as number)
      if (meets === 'start') [start, from] = [i + 1, scan.line]
      if (meets !== 'end') continue
      yield { bytes: Buffer.concat([...pieces, chunk.subarray(start, i)]), line: from }
      ;[pieces, start, from, pending] = [[], i + 1, scan.line, 0]
    }
    if (scan.depth > 0 && start < chunk.length) pieces.push(chunk.subarray(start))
    pending = scan.depth > 0 ? pending + chunk.length - start : 0
    if (pending > MAX_LINE_BYTES) return yield { bytes: Buffer.alloc(0), line: from, problem: TOO_LONG }
  }
  const bytes = Buffer.concat(pieces)
  if (scan.depth > 0) {
    yield { bytes, line: scan.line, problem: 'the file ends within the array: it is cut off, get it again' }
  }
  if (extra !== undefined) {
    yield { bytes, line: extra, problem: 'expected nothing after the array, got more text' }
  }
}

/** Whether a byte outside an array is neither white space nor the start of another array. */
function isText(byte: number): boolean {
  return !(byte <= 0x20 || byte === OPEN_ARRAY || byte === 0xef || byte === 0xbb || byte === 0xbf)
}

/** Follows brackets and strings: `start` of the array, `end` of an element. */
function createScan() {
  let [isString, isEscaped] = [false, false]
  const scan = {
    depth: 0,
    line: 1,
    take(byte: number): 'start' | 'end' | undefined {
      if (byte === NEWLINE) scan.line++
      if (isString) {
        if (isEscaped) isEscaped = false
        else if (byte === BACKSLASH) isEscaped = true
        else if (byte === QUOTE) isString = false
        return undefined
      }
      if (byte === QUOTE) isString = true
      else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) return scan.depth++ === 0 ? 'start' : undefined
      else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) return --scan.depth === 0 ? 'end' : undefined
      else if (byte === COMMA && scan.depth === 1) return 'end'
      return undefined
    },
  }
  return scan
}
