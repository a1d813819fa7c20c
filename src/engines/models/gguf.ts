/**
 * The GGUF file layout: magic, version, counts; metadata; one record per tensor; padding; tensor data, each aligned.
 * Only as much as is needed to inspect a file and to write it again with tensors of another type.
 */
import { open } from 'node:fs/promises'
import { DataError } from '../../core/provider/errors.ts'
import { checkReadable } from '../../lib/file-error.ts'

/** One tensor. `type` is ggml's number; `offset` counts bytes from the start of the tensor data. */
export interface GgufTensor {
  name: string
  dimensions: number[]
  type: number
  offset: number
}

/** All of a file but its tensor data. */
export interface GgufHeader {
  /** Metadata of one value each; arrays (the vocabulary) are left out. */
  metadata: Map<string, string | number | boolean>
  tensors: GgufTensor[]
  /** Bytes from the start of the file to the first tensor. */
  dataOffset: number
  alignment: number
  /** The file's bytes up to the tensor records, and the offsets of metadata values in them. */
  prefix: Buffer
  valueOffsets: Map<string, number>
}

/** Bytes of the metadata value types, by number; 8 is a string, 9 an array. */
const valueBytes: Record<number, number> = {
  0: 1,
  1: 1,
  2: 2,
  3: 2,
  4: 4,
  5: 4,
  6: 4,
  7: 1,
  10: 8,
  11: 8,
  12: 8,
}
const tooShort = 'expected a whole GGUF model, but it ends too early: download it again'

/**
 * Reads a GGUF file's header.
 * @throws DataError if the file is not GGUF, is cut off, or has a version other than 2 and 3
 */
export async function readGgufHeader(file: string): Promise<GgufHeader> {
  checkReadable(file)
  const handle = await open(file)
  try {
    const { size } = await handle.stat()
    // Headers have 2 MB (49,000 tokens) to 15 MB (262,000 tokens): read more only if the first part is not enough.
    for (let length = 1 << 22; ; length *= 2) {
      const bytes = Buffer.alloc(Math.min(length, size))
      await handle.read(bytes, 0, bytes.length, 0)
      try {
        return checkLength(file, parseHeader(file, bytes), size)
      } catch (error) {
        if (!(error instanceof RangeError)) throw error
        if (bytes.length === size) throw new DataError(file, undefined, tooShort)
      }
    }
  } finally {
    await handle.close()
  }
}

/** The tensor records, which follow `prefix` in a file. */
export function writeTensorRecords(tensors: GgufTensor[]): Buffer {
  return Buffer.concat(
    tensors.map(({ name, dimensions, type, offset }) => {
      const nameBytes = Buffer.from(name)
      const record = Buffer.alloc(8 + nameBytes.length + 4 + 8 * dimensions.length + 4 + 8)
      let at = record.writeBigUInt64LE(BigInt(nameBytes.length))
      at += nameBytes.copy(record, at)
      at = record.writeUInt32LE(dimensions.length, at)
      for (const dimension of dimensions) at = record.writeBigUInt64LE(BigInt(dimension), at)
      at = record.writeUInt32LE(type, at)
      record.writeBigUInt64LE(BigInt(offset), at)
      return record
    }),
  )
}

/** The next multiple of `alignment`. */
export function alignUp(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment
}

function parseHeader(file: string, bytes: Buffer): GgufHeader {
  let at = 0
  const skip = (length: number) => {
    at += length
    if (at > bytes.length) throw new RangeError(tooShort)
    return at - length
  }
  const readUint32 = () => bytes.readUInt32LE(skip(4))
  const readUint64 = () => Number(bytes.readBigUInt64LE(skip(8)))
  const readString = () => {
    const length = readUint64()
    const start = skip(length)
    return bytes.toString('utf8', start, start + length)
  }
  const readValue = (type: number): string | number | boolean | undefined => {
    if (type === 8) return readString()
    if (type !== 9) return readNumber(bytes, type, skip(sizeOf(file, type)))
    const [itemType, count] = [readUint32(), readUint64()]
    if (itemType !== 8 && itemType !== 9) skip(count * sizeOf(file, itemType))
    else for (let i = 0; i < count; i++) itemType === 8 ? skip(readUint64()) : readValue(9)
  }

  if (bytes.toString('latin1', 0, 4) !== 'GGUF')
    throw new DataError(file, undefined, 'expected a GGUF model, got another kind of file')
  skip(4)
  const version = readUint32()
  if (version !== 2 && version !== 3) {
    throw new DataError(file, undefined, `expected GGUF version 2 or 3, got ${version}`)
  }
  const [tensorCount, valueCount] = [readUint64(), readUint64()]
  const metadata: GgufHeader['metadata'] = new Map()
  const valueOffsets = new Map<string, number>()
  for (let i = 0; i < valueCount; i++) {
    const [key, type] = [readString(), readUint32()]
    valueOffsets.set(key, at)
    const value = readValue(type)
    if (value !== undefined) metadata.set(key, value)
  }
  const prefix = bytes.subarray(0, at)
  const tensors = Array.from({ length: tensorCount }, () => {
    const name = readString()
    const dimensions = Array.from({ length: readUint32() }, readUint64)
    return { name, dimensions, type: readUint32(), offset: readUint64() }
  })
  const alignment = Number(metadata.get('general.alignment') ?? 32)
  return { metadata, tensors, dataOffset: alignUp(at, alignment), alignment, prefix, valueOffsets }
}

function sizeOf(file: string, type: number): number {
  const size = valueBytes[type]
  if (size === undefined) throw new DataError(file, undefined, `unknown metadata type ${type}`)
  return size
}

function readNumber(bytes: Buffer, type: number, at: number): number | boolean {
  if (type === 6) return bytes.readFloatLE(at)
  if (type === 7) return bytes.readUInt8(at) !== 0
  if (type === 10) return Number(bytes.readBigUInt64LE(at))
  if (type === 11) return Number(bytes.readBigInt64LE(at))
  if (type === 12) return bytes.readDoubleLE(at)
  const size = valueBytes[type] as number
  return type % 2 ? bytes.readIntLE(at, size) : bytes.readUIntLE(at, size)
}

function checkLength(file: string, header: GgufHeader, size: number): GgufHeader {
  const last = header.dataOffset + Math.max(0, ...header.tensors.map(({ offset }) => offset))
  if (header.tensors.length && last >= size) throw new DataError(file, undefined, tooShort)
  return header
}
