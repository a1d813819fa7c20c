/** Writes small GGUF files for tests. */
import { writeTensorRecords } from './gguf.ts'

type Value = { type: number; bytes: Buffer }

export interface SmallTensor {
  name: string
  dimensions: number[]
  type: number
  data: Buffer
}

export function uint32(value: number): Value {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return { type: 4, bytes }
}

export function string(text: string): Value {
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(text)))
  return { type: 8, bytes: Buffer.concat([length, Buffer.from(text)]) }
}

export function array(items: Value[]): Value {
  const head = Buffer.alloc(12)
  head.writeUInt32LE(items[0]?.type ?? 4)
  head.writeBigUInt64LE(BigInt(items.length), 4)
  return { type: 9, bytes: Buffer.concat([head, ...items.map((item) => item.bytes)]) }
}

export function makeGguf(
  metadata: Record<string, Value>,
  tensors: SmallTensor[] = [],
  alignment = 32,
): Buffer {
  const head = Buffer.alloc(24)
  head.write('GGUF')
  head.writeUInt32LE(3, 4)
  head.writeBigUInt64LE(BigInt(tensors.length), 8)
  head.writeBigUInt64LE(BigInt(Object.keys(metadata).length), 16)
  const values = Object.entries(metadata).flatMap(([key, value]) => [
    string(key).bytes,
    uint32(value.type).bytes,
    value.bytes,
  ])
  let offset = 0
  const data: Buffer[] = []
  const records = tensors.map((tensor) => {
    const record = { ...tensor, offset }
    data.push(tensor.data, padding(tensor.data.length, alignment))
    offset += (data.at(-1)?.length ?? 0) + tensor.data.length
    return record
  })
  const header = Buffer.concat([head, ...values, writeTensorRecords(records)])
  return Buffer.concat([header, padding(header.length, alignment), ...data])
}

function padding(length: number, alignment: number): Buffer {
  return Buffer.alloc((alignment - (length % alignment)) % alignment)
}
