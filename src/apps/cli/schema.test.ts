/** `--schema` of `aft ask` and `aft run`, and `schema` in a config. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { aftHere } from '../../../test/aft-here.ts'

const folder = mkdtempSync(join(tmpdir(), 'aft-schema-'))
const write = (name: string, value: unknown) => {
  const file = join(folder, name)
  writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value))
  return file
}
const schema = write('city.json', {
  title: 'A city',
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
})
const model = (name: string, reply: string) => `scripted:${write(name, [{ replies: [reply] }])}`
const good = model('good.json', '{"city": "Paris"}')
const bad = model('bad.json', '{"town": "Paris"}')
const reason = 'the answer is not the JSON that was asked for: expected `city` to be there, got nothing'

test('ask --schema answers with JSON, and says what was done to get it', async () => {
  expect(
    await aftHere(['ask', 'A city?', '--model', good, '--schema', schema, '--no-progress']),
  ).toMatchObject({
    code: 0,
    stdout: '{"city": "Paris"}\n',
    stderr: '',
  })
  const told = await aftHere(['ask', 'A city?', '--model', bad, '--schema', schema, '--no-progress'])
  expect(told).toMatchObject({ code: 0, stdout: '{"town": "Paris"}\n' })
  expect(told.stderr).toContain(reason)
})

test('a wrong schema is an error before the model is opened', async () => {
  const file = write('wrong.json', { items: { type: 'x' } })
  const ended = await aftHere(['ask', 'A city?', '--model', 'scripted:/no/such/file', '--schema', file])
  expect(ended).toMatchObject({ code: 2, stdout: '' })
  expect(ended.stderr).toContain('wrong.json: items.type: expected one of "array"')
})

test('run --schema holds for the rows without a format; a row has its own', async () => {
  const own = { type: 'json_schema', json_schema: { name: 'town', schema: { required: ['town'] } } }
  const prompts = write(
    'prompts.jsonl',
    `{"prompt":"one"}\n${JSON.stringify({ prompt: 'two', response_format: own })}\n`,
  )
  const out = join(folder, 'answers.jsonl')
  const ended = await aftHere([
    'run',
    prompts,
    '-o',
    out,
    '--model',
    bad,
    '--schema',
    schema,
    '--no-progress',
  ])
  expect(ended.code).toBe(0)
  const answers = readFileSync(out, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(answers).toMatchObject([{ degraded: true, degradedBecause: [reason] }, { degraded: false }])
  const journal = readFileSync(`${out}.journal`, 'utf8')
  expect(journal).toContain('"form":{"broken":')
  const other = await aftHere(['run', prompts, '-o', out, '--model', bad, '--no-progress'])
  expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('is not the one that')])
})

test('a config names the file of the schema, relative to the config', async () => {
  write('aft.config.yaml', `defaults:\n  model: ${bad}\n  schema: city.json\n`)
  const config = join(folder, 'aft.config.yaml')
  const ended = await aftHere(['ask', 'A city?', '--config', config, '--json'])
  expect(JSON.parse(ended.stdout)).toMatchObject({ degradedBecause: [reason] })
})
