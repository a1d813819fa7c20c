import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DataError, UsageError } from '../core/provider/errors.ts'
import { type PromptRow, readPrompts } from './prompts.ts'
import { readFormat } from './schema-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'schema-file-'))
const write = (name: string, text: string) => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

async function readAll(rows: ReturnType<typeof readPrompts>): Promise<PromptRow[]> {
  const all: PromptRow[] = []
  for await (const row of rows) all.push(row)
  return all
}

test('a file or an object becomes a format, named by the title of the schema', async () => {
  const schema = { title: 'A city: its name', type: 'object' }
  const format = { type: 'json_schema', json_schema: { name: 'A_city_its_name', schema } }
  expect(await readFormat(write('city.json', `\uFEFF${JSON.stringify(schema)}`))).toEqual(format)
  expect(await readFormat(schema)).toEqual(format)
  expect(await readFormat({})).toMatchObject({ json_schema: { name: 'answer' } })
})

test.each([
  ['none', join(folder, 'none.json'), UsageError, /none\.json: there is no such file/],
  ['no JSON', write('text.json', '{"type":'), DataError, /text\.json:1: expected JSON: Unexpected end/],
  ['no schema', write('list.json', '[1]'), UsageError, /list\.json: expected a JSON schema, got \[1\]/],
  [
    'a wrong part',
    write('part.json', '{"items":{"type":"x"}}'),
    UsageError,
    /part\.json: items\.type: expected one of "array"/,
  ],
  ['a reference elsewhere', { $ref: 'http://x/y' }, UsageError, /^schema: \$ref: refers to "http:\/\/x\/y"/],
])('%s is an error that says where', async (_, schema, kind, problem) => {
  const reading = readFormat(schema)
  await expect(reading).rejects.toThrow(problem)
  await expect(reading).rejects.toThrow(kind)
})

test.each([
  [
    '{"properties":{"a":{"pattern":"("}}}',
    /:2: expected `response_format` to hold a JSON schema \(properties\.a\.pattern: /,
  ],
  ['"text"', /:2: expected `response_format\.json_schema\.schema` to be a JSON schema, got "text"/],
])('a row with the schema %s is refused by its line', async (schema, problem) => {
  const format = `{"type":"json_schema","json_schema":{"name":"x","schema":${schema}}}`
  const file = write('rows.jsonl', `{"prompt":"fine"}\n{"prompt":"wrong","response_format":${format}}\n`)
  await expect(readAll(readPrompts(file))).rejects.toThrow(problem)
})

test.each([
  ['"json"', /`response_format\.type` to be text, json_object or json_schema, got "json"/],
  ['{"type":"xml"}', /`response_format\.type` to be text, json_object or json_schema, got "xml"/],
  ['{"type":"json_schema"}', /`response_format\.json_schema` to be an object, got nothing/],
])('a row with the format %s is refused', async (format, problem) => {
  const file = write('rows.jsonl', `{"prompt":"wrong","response_format":${format}}\n`)
  await expect(readAll(readPrompts(file))).rejects.toThrow(problem)
})

test('a format for all holds for the rows without their own', async () => {
  const file = write(
    'rows.jsonl',
    '{"prompt":"a"}\n{"prompt":"b","response_format":{"type":"json_object"}}\n',
  )
  const given = await readFormat({ type: 'object' })
  const rows = await readAll(readPrompts(file, undefined, given))
  expect(rows.map((row) => row.responseFormat)).toEqual([given, { type: 'json_object' }])
})
