/**
 * Writes a GGUF file again with its Q4_1 tensors as Q8_0. llama.cpp has no fast matrix product for Q4_1 on a CPU
 * and has one for Q8_0. Q4_1 keeps 32 weights as m + k d (k from 0 to 15), Q8_0 as q s (q from -127 to 127).
 */
import { type FileHandle, open } from 'node:fs/promises'
import { alignUp, type GgufHeader, type GgufTensor, readGgufHeader, writeTensorRecords } from './gguf.ts'

/** How a block of 32 weights is stored: ggml's numbers of the tensor type and the file type, bytes, and its writer. */
export interface BlockFormat {
  type: number
  fileType: number
  bytes: number
  /** Writes one block. `least` and `step` are m and d; the low halves of `nibbles` are the first 16 weights' k. */
  write(block: { least: number; step: number; nibbles: Uint8Array }, target: Buffer, at: number): void
}

const q41 = { type: 3, bytes: 20 }
const chunkBlocks = 1 << 15

/** Q8_0: one byte per weight and a scale. */
export const q80: BlockFormat = { type: 8, fileType: 7, bytes: 34, write: writeQ80 }

/**
 * Yields the bytes of `file` with every Q4_1 tensor in another format, a megabyte at a time; the same input gives the
 * same bytes. Other tensors and metadata are copied; `general.file_type` becomes that of the format.
 * @throws DataError if the file is not GGUF
 */
export async function* transcode(file: string, format = q80): AsyncGenerator<Uint8Array> {
  const header = await readGgufHeader(file)
  const handle = await open(file)
  try {
    const { size } = await handle.stat()
    const lengths = measureTensors(header, size)
    const tensors = layOut(header, lengths, format)
    let at = 0
    for (const bytes of [markFileType(header, format), writeTensorRecords(tensors)]) {
      yield bytes
      at += bytes.length
    }
    yield Buffer.alloc(alignUp(at, header.alignment) - at)
    for (const tensor of header.tensors) {
      const place = { offset: header.dataOffset + tensor.offset, length: lengths.get(tensor.name) as number }
      const convert =
        tensor.type === q41.type
          ? (blocks: Buffer) => convertBlocks(blocks, format)
          : (bytes: Buffer) => bytes
      let written = 0
      for await (const chunk of readChunks(handle, place)) {
        const bytes = convert(chunk)
        yield bytes
        written += bytes.length
      }
      yield Buffer.alloc(alignUp(written, header.alignment) - written)
    }
  } finally {
    await handle.close()
  }
}

/** Bytes of each tensor: exact for Q4_1, for others up to the next tensor, with padding. */
function measureTensors({ tensors, dataOffset }: GgufHeader, size: number): Map<string, number> {
  const starts = [...tensors.map(({ offset }) => offset), size - dataOffset].sort((a, b) => a - b)
  return new Map(
    tensors.map(({ name, dimensions, type, offset }) => {
      const weights = dimensions.reduce((product, dimension) => product * dimension, 1)
      if (type === q41.type) return [name, (weights / 32) * q41.bytes]
      return [name, (starts.find((start) => start > offset) as number) - offset]
    }),
  )
}

function layOut(
  { tensors, alignment }: GgufHeader,
  lengths: Map<string, number>,
  to: BlockFormat,
): GgufTensor[] {
  let offset = 0
  return tensors.map((tensor) => {
    const length = lengths.get(tensor.name) as number
    const isQ41 = tensor.type === q41.type
    const placed = { ...tensor, type: isQ41 ? to.type : tensor.type, offset }
    offset = alignUp(offset + (isQ41 ? (length / q41.bytes) * to.bytes : length), alignment)
    return placed
  })
}

function markFileType({ prefix, valueOffsets }: GgufHeader, { fileType }: BlockFormat): Buffer {
  const at = valueOffsets.get('general.file_type')
  if (at !== undefined) prefix.writeUInt32LE(fileType, at)
  return prefix
}

async function* readChunks(handle: FileHandle, { offset, length }: { offset: number; length: number }) {
  const step = chunkBlocks * q41.bytes
  for (let done = 0; done < length; done += step) {
    const { buffer } = await handle.read({
      buffer: Buffer.alloc(Math.min(step, length - done)),
      position: offset + done,
    })
    yield buffer
  }
}

function convertBlocks(blocks: Buffer, { bytes, write }: BlockFormat): Buffer {
  const count = blocks.length / q41.bytes
  const converted = Buffer.alloc(count * bytes)
  for (let i = 0; i < count; i++) {
    const from = i * q41.bytes
    const step = halfToNumber(blocks.readUInt16LE(from))
    const least = halfToNumber(blocks.readUInt16LE(from + 2))
    write({ least, step, nibbles: blocks.subarray(from + 4, from + 20) }, converted, i * bytes)
  }
  return converted
}

function writeQ80(
  { least, step, nibbles }: Parameters<BlockFormat['write']>[0],
  target: Buffer,
  at: number,
): void {
  target.writeUInt16LE(fitLevels(least, step), at)
  for (let i = 0; i < 16; i++) {
    const pair = nibbles[i] as number
    target[at + 2 + i] = levels[pair & 15] as number
    target[at + 18 + i] = levels[pair >> 4] as number
  }
}

/** What each k of the current block becomes. One array for all of the three million blocks. */
const levels = new Int8Array(16)

/**
 * Fills `levels` for the values least + k step, and returns the scale as a half. The usual choice, with the largest
 * value at 127, has an error of up to half a scale. Here q = base + factor k with a scale near step / factor: then only
 * the base is rounded, and the best factor has half that error.
 */
function fitLevels(least: number, step: number): number {
  const largest = Math.max(Math.abs(least), Math.abs(least + 15 * step))
  const most = Math.floor((127 * Math.abs(step)) / largest)
  const values = 16 * least * least + 240 * least * step + 1240 * step * step
  let best = { error: Number.POSITIVE_INFINITY, base: 0, factor: 0, scale: 0 }
  for (let factor = 1; factor <= most; factor++) {
    const base = Math.round((least / step) * factor)
    if (Math.max(Math.abs(base), Math.abs(base + 15 * factor)) > 127) continue
    // Over all k, the sums of 1, k and k^2 are 16, 120 and 1240; the scale is that of least squares, as a half.
    const squares = 16 * base * base + 240 * base * factor + 1240 * factor * factor
    const products = 16 * least * base + 120 * (least * factor + step * base) + 1240 * step * factor
    const scale = roundTo11Bits(products / squares)
    const error = values - 2 * scale * products + scale * scale * squares
    if (error < best.error) best = { error, base, factor, scale }
  }
  if (best.factor === 0) return fitWidely(least, step, largest / 127)
  for (let k = 0; k < 16; k++) levels[k] = best.base + best.factor * k
  return numberToHalf(best.scale)
}

/** Rounds to the bits that a half has (Dekker's splitting). */
function roundTo11Bits(value: number): number {
  const high = value * (2 ** 42 + 1)
  return high - (high - value)
}

/** The usual choice, for blocks whose values are close together and far from zero, or all the same. */
function fitWidely(least: number, step: number, scale: number): number {
  const half = numberToHalf(scale)
  const rounded = halfToNumber(half) || 1
  for (let k = 0; k < 16; k++)
    levels[k] = Math.max(-127, Math.min(127, Math.round((least + k * step) / rounded)))
  return half
}

const singles = new Float32Array(1)
const bits = new Uint32Array(singles.buffer)

/** The number that a half (IEEE 754 binary16) stands for. */
export function halfToNumber(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >> 10) & 31
  const fraction = half & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** The half nearest to a number (ties to even); beyond 65,504 infinity. */
export function numberToHalf(value: number): number {
  singles[0] = value
  const sign = ((bits[0] as number) >>> 16) & 0x8000
  const size = Math.abs(singles[0])
  if (size >= 65_520) return sign | 0x7c00
  if (size < 2 ** -14) return sign | roundToEven(size * 2 ** 24)
  const exponent = ((bits[0] as number) >>> 23) & 255
  return sign | (((exponent - 112) << 10) + roundToEven((size / 2 ** (exponent - 127) - 1) * 1024))
}

function roundToEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor
}
