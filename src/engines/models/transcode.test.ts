import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { array, makeGguf, type SmallTensor, string, uint32 } from './gguf.fixture.ts'
import { readGgufHeader } from './gguf.ts'
import { makeFolder } from './model.fixture.ts'
import { halfToNumber, numberToHalf, q80, transcode } from './transcode.ts'

describe('halves', () => {
  // The platform's own conversion, which Node 22 lacks.
  const view = new DataView(new ArrayBuffer(2)) as DataView & {
    setFloat16(at: number, value: number): void
    getFloat16(at: number): number
  }

  test('each of the 65,536 stands for its number', () => {
    const wrong: number[] = []
    for (let half = 0; half < 65_536; half++) {
      view.setUint16(0, half)
      if (!Object.is(halfToNumber(half), view.getFloat16(0))) wrong.push(half)
    }
    expect(wrong).toEqual([])
  })

  test('a single is rounded to the nearest half, ties to even', () => {
    const check = (value: number) => {
      view.setFloat16(0, value)
      expect(numberToHalf(value)).toBe(view.getUint16(0))
    }
    for (let half = 0; half < 0x7bff; half++) check((halfToNumber(half) + halfToNumber(half + 1)) / 2)
    fc.assert(fc.property(fc.float({ noNaN: true }), check), { numRuns: 2_000 })
    fc.assert(fc.property(fc.float({ min: -1, max: 1, noNaN: true }), check), { numRuns: 2_000 })
  })
})

/** 32 weights as a Q4_1 block. */
function makeBlock(least: number, step: number, ks: number[]): Buffer {
  const block = Buffer.alloc(20)
  block.writeUInt16LE(numberToHalf(step))
  block.writeUInt16LE(numberToHalf(least), 2)
  for (let i = 0; i < 16; i++) block[4 + i] = (ks[i] as number) | ((ks[i + 16] as number) << 4)
  return block
}

function readQ41(block: Buffer): number[] {
  const [step, least] = [halfToNumber(block.readUInt16LE()), halfToNumber(block.readUInt16LE(2))]
  const pairs = [...block.subarray(4)]
  return [
    ...pairs.map((pair) => least + step * (pair & 15)),
    ...pairs.map((pair) => least + step * (pair >> 4)),
  ]
}

function readQ80(block: Buffer): number[] {
  const scale = halfToNumber(block.readUInt16LE())
  return Array.from({ length: 32 }, (_, i) => scale * block.readInt8(2 + i))
}

function convert(block: Buffer): Buffer {
  const [step, least] = [halfToNumber(block.readUInt16LE()), halfToNumber(block.readUInt16LE(2))]
  const target = Buffer.alloc(q80.bytes)
  q80.write({ least, step, nibbles: block.subarray(4) }, target, 0)
  return target
}

const everyK = Array.from({ length: 32 }, (_, i) => i % 16)

describe('a Q4_1 block as Q8_0', () => {
  test('keeps each weight to within one 127th of the largest', () => {
    const weight = fc.double({ min: -4, max: 4, noNaN: true })
    const step = fc.double({ min: 0.001, max: 1, noNaN: true })
    fc.assert(
      fc.property(weight, step, fc.array(fc.nat(15), { minLength: 32, maxLength: 32 }), (least, d, ks) => {
        const block = makeBlock(least, d, ks)
        const [exact, kept] = [readQ41(block), readQ80(convert(block))]
        const largest = Math.max(...readQ41(makeBlock(least, d, everyK)).map(Math.abs))
        const errors = exact.map((value, i) => Math.abs((kept[i] as number) - value))
        expect(Math.max(...errors)).toBeLessThanOrEqual(largest / 127)
      }),
      { numRuns: 2_000 },
    )
  })

  test('is exact where the least weight is a whole number of steps', () => {
    const block = makeBlock(-8 * 0.125, 0.125, everyK)
    expect(readQ80(convert(block))).toEqual(readQ41(block))
  })

  test('of equal weights has them again, to a half’s rounding', () => {
    const kept = readQ80(convert(makeBlock(-0.75, 0, everyK)))
    for (const value of kept) expect(value).toBeCloseTo(-0.75, 3)
  })

  test('of zeros is zeros', () => {
    expect(new Set(readQ80(convert(makeBlock(0, 0, everyK))).map(Math.abs))).toEqual(new Set([0]))
  })
})

async function transcoded(content: Buffer): Promise<Buffer> {
  const file = join(makeFolder(), 'x.gguf')
  writeFileSync(file, content)
  const chunks: Uint8Array[] = []
  for await (const chunk of transcode(file)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

describe('a file', () => {
  const metadata = { 'general.file_type': uint32(3), tokens: array([string('a'), string('b')]) }
  const block = makeBlock(-1, 0.125, everyK)
  const plain: SmallTensor = { name: 'norm', dimensions: [3], type: 0, data: Buffer.from('123456789abc') }
  const packed = (blocks: number): SmallTensor => ({
    name: `packed${blocks}`,
    dimensions: [32, blocks],
    type: 3,
    data: Buffer.concat(Array(blocks).fill(block)),
  })

  test('keeps all but its Q4_1 tensors and its type', async () => {
    const converted = Buffer.concat(Array(3).fill(convert(block)))
    const asQ80 = { ...packed(3), type: 8, data: converted }
    expect(await transcoded(makeGguf(metadata, [plain, packed(3), { ...plain, name: 'last' }]))).toEqual(
      makeGguf({ ...metadata, 'general.file_type': uint32(7) }, [plain, asQ80, { ...plain, name: 'last' }]),
    )
  })

  test('may end without padding after its last tensor', async () => {
    const content = makeGguf(metadata, [plain, packed(1)])
    const bytes = await transcoded(content.subarray(0, content.length - 12))
    expect(bytes).toEqual(await transcoded(content))
  })

  test('larger than what is converted at once is converted whole', async () => {
    const blocks = (1 << 15) + 5
    const bytes = await transcoded(makeGguf(metadata, [packed(blocks)]))
    const file = join(makeFolder(), 'y.gguf')
    writeFileSync(file, bytes)
    const { dataOffset } = await readGgufHeader(file)
    const last = dataOffset + (blocks - 1) * q80.bytes
    expect(bytes.subarray(last, last + q80.bytes)).toEqual(convert(block))
  })
})
