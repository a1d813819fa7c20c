import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DataError } from '../../core/provider/errors.ts'
import { array, makeGguf, string, uint32 } from './gguf.fixture.ts'
import { readGgufHeader } from './gguf.ts'
import { makeFolder } from './model.fixture.ts'

const bytes = makeGguf(
  {
    'general.architecture': string('llama'),
    'general.alignment': uint32(64),
    'tokenizer.ggml.tokens': array([string('a'), string('naïve')]),
    'tokenizer.ggml.scores': array([uint32(1), uint32(2)]),
    nested: array([array([string('x')]), array([uint32(1)])]),
    'general.file_type': uint32(3),
  },
  [
    { name: 'first', dimensions: [3], type: 0, data: Buffer.alloc(12, 1) },
    { name: 'second', dimensions: [32, 2], type: 3, data: Buffer.alloc(40, 2) },
  ],
  64,
)

function save(content: Buffer): string {
  const file = join(makeFolder(), 'x.gguf')
  writeFileSync(file, content)
  return file
}

test('a header tells its values, and its tensors with their places', async () => {
  const header = await readGgufHeader(save(bytes))
  expect(Object.fromEntries(header.metadata)).toEqual({
    'general.architecture': 'llama',
    'general.alignment': 64,
    'general.file_type': 3,
  })
  expect(header.tensors).toEqual([
    { name: 'first', dimensions: [3], type: 0, offset: 0 },
    { name: 'second', dimensions: [32, 2], type: 3, offset: 64 },
  ])
  expect(header.dataOffset % 64).toBe(0)
  expect(bytes.readUInt8(header.dataOffset + 64)).toBe(2)
})

test('a header longer than what is read at first is read whole', async () => {
  const tokens = array(Array.from({ length: 60_000 }, (_, i) => string(`token ${i}`.padEnd(200))))
  const file = save(makeGguf({ tokens, after: uint32(7) }))
  expect((await readGgufHeader(file)).metadata.get('after')).toBe(7)
})

test('a file cut anywhere before its last tensor is a data error', async () => {
  const { dataOffset } = await readGgufHeader(save(bytes))
  const file = save(bytes)
  for (let length = 0; length <= dataOffset + 64; length++) {
    writeFileSync(file, bytes.subarray(0, length))
    await expect(readGgufHeader(file)).rejects.toThrow(DataError)
  }
})

test.each<[string, Buffer, RegExp]>([
  ['another kind of file', Buffer.from('PK\x03\x04 and more'), /expected a GGUF model, got another kind/],
  ['another version', Buffer.from('GGUF\x09\x00\x00\x00'), /expected GGUF version 2 or 3, got 9/],
  [
    'a value of unknown type',
    makeGguf({ x: { type: 99, bytes: Buffer.alloc(8) } }),
    /unknown metadata type 99/,
  ],
])('%s is a data error that names the file', async (_, content, message) => {
  const file = save(content)
  const error = await readGgufHeader(file).catch((e) => e)
  expect(error).toBeInstanceOf(DataError)
  expect(error.message).toMatch(message)
  expect(error.message.startsWith(`${file}: `)).toBe(true)
})
