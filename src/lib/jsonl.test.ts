import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FileError } from './file-error.ts'
import { createLineWriter, type JsonLine, parseExact, readJsonl } from './jsonl.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'jsonl-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function collect(lines: AsyncIterable<JsonLine>): Promise<JsonLine[]> {
  const all: JsonLine[] = []
  for await (const line of lines) all.push(line)
  return all
}
const file = () => join(folder, 'a.jsonl')
async function read(content: string | Buffer, tornTail?: 'refuse' | 'skip'): Promise<JsonLine[]> {
  writeFileSync(file(), content)
  return collect(readJsonl(file(), { tornTail }))
}
const valuesOf = async (content: string | Buffer) => (await read(content)).map(({ value }) => value)

describe('reading', () => {
  test('keeps the digits of a long number in an exact field, and leaves long numbers in texts and fractions', async () => {
    const text = '{"id":12345678901234567,"says":"\\"id\\":12345678901234567","share":0.1234567890123456}'
    const parsed = { id: '12345678901234567', says: '"id":12345678901234567', share: 0.1234567890123456 }
    expect(parseExact(text, ['id'])).toEqual(parsed)
    expect(parseExact(text, ['key'])).toEqual({ ...parsed, id: Number(parsed.id) })
  })

  test('gives each value with its line and its place in bytes', async () => {
    expect(await read('{"a":"é"}\n\n[1]\n')).toEqual([
      { value: { a: 'é' }, line: 1, offset: 0, length: 11 },
      { value: [1], line: 3, offset: 12, length: 4 },
    ])
  })

  test('accepts a byte order mark, CRLF, blank lines and a last line without a line break', async () => {
    expect(await valuesOf('\uFEFF{"a":1}\r\n\r\n   \n{"a":2}\r\n{"a":3}')).toEqual([
      { a: 1 },
      { a: 2 },
      { a: 3 },
    ])
    expect(await valuesOf('')).toEqual([])
    expect(await valuesOf('\uFEFF')).toEqual([])
  })

  test('reads a line of 50 MB whole', async () => {
    const text = 'ä'.repeat(25_000_000)
    const lines = await read(`${JSON.stringify({ text })}\n{"a":2}\n`)
    expect(JSON.stringify(lines[0]?.value) === JSON.stringify({ text })).toBe(true)
    expect(lines[1]).toMatchObject({ value: { a: 2 }, line: 2 })
  })

  test('gives back any values, wherever chunks of the file end', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue(), { maxLength: 5 }), fc.nat(3), async (values, shift) => {
        const padding = ' '.repeat((1 << 18) - 6 + shift)
        const content = values.map((value) => `${JSON.stringify(value)}\n`).join('')
        expect(await valuesOf(`${padding}${content}`)).toEqual(
          JSON.parse(`[${values.map((v) => JSON.stringify(v))}]`),
        )
      }),
      { numRuns: 50 },
    ))

  test('names file and line of what is no JSON, and shows its beginning', async () => {
    await expect(read('{"a":1}\n\n{"a": oops}\n{"a":3}\n')).rejects.toThrow(
      /a\.jsonl:3: expected one JSON value, got "\{\\"a\\": oops\}"/,
    )
    await expect(read('{"a":1}{"a":2}\n')).rejects.toThrow(/a\.jsonl:1: /)
  })

  test('names the line of bytes that are not UTF-8', async () => {
    const latin1 = Buffer.concat([Buffer.from('{"a":1}\n'), Buffer.from('{"a":"é"}\n', 'latin1')])
    await expect(read(latin1)).rejects.toThrow(/a\.jsonl:2: expected UTF-8/)
  })

  test('a torn last line is an error, or passed over where the caller says so', async () => {
    await expect(read('{"a":1}\n{"a":')).rejects.toThrow(/a\.jsonl:2: .*\(is the last line cut\?\)/)
    expect(await read('{"a":1}\n{"a":', 'skip')).toHaveLength(1)
    expect(await read(Buffer.from([0x22, 0xc3]), 'skip')).toEqual([])
    await expect(read('{"a":\n{"a":1}\n', 'skip')).rejects.toThrow(/a\.jsonl:1: /)
  })

  test('says what is wrong with a file that cannot be read', async () => {
    await expect(collect(readJsonl(join(folder, 'none')))).rejects.toMatchObject({
      code: 'ENOENT',
      message: `${join(folder, 'none')}: there is no such file or folder`,
    })
    await expect(collect(readJsonl(folder))).rejects.toThrow(/is a folder; expected a file/)
  })
})

describe('writing', () => {
  const open = (path: string, flags: string, offset = 0) => {
    const fd = openSync(path, flags)
    const errors: unknown[] = []
    const onError = (error: unknown) => errors.push(error)
    return { fd, errors, writer: createLineWriter(fd, { file: path, offset, onError }) }
  }
  const turn = () => new Promise((resolve) => setImmediate(resolve))

  test('lines of one turn are there in the next, each where the writer said', async () => {
    const { fd, writer } = open(file(), 'w')
    expect(writer.append({ a: 'é' })).toEqual({ offset: 0, length: 11 })
    expect(writer.append([2])).toEqual({ offset: 11, length: 4 })
    expect(readFileSync(file(), 'utf8')).toBe('')
    await turn()
    expect(readFileSync(file(), 'utf8')).toBe('{"a":"é"}\n[2]\n')
    writer.append(3)
    writer.flush()
    expect(readFileSync(file(), 'utf8')).toBe('{"a":"é"}\n[2]\n3\n')
    closeSync(fd)
  })

  test.skipIf(!existsSync('/dev/full'))('a full disk is told once, and again by flush', async () => {
    const { fd, errors, writer } = open('/dev/full', 'a')
    writer.append({ a: 1 })
    await turn()
    writer.append({ a: 2 })
    await turn()
    expect(errors).toEqual([expect.any(FileError)])
    expect(errors).toMatchObject([{ code: 'ENOSPC', message: '/dev/full: no space is left on the disk' }])
    expect(() => writer.flush()).toThrow(/no space is left/)
    closeSync(fd)
  })
})
