import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readForBase } from './propose.ts'

const folder = mkdtempSync(join(tmpdir(), 'propose-'))
const first = async (row: object) => {
  const file = join(folder, 'prompts.jsonl')
  writeFileSync(file, JSON.stringify({ id: 'a', prompt: 'Why?', ...row }))
  return (await readForBase(file, []).next()).value
}

test('a base model gets raw text, with the sampling of the row', async () => {
  expect(await first({ temperature: 0 })).toMatchObject({ id: 'a', own: { sampling: { temperature: 0 } } })
})

test.each([
  ['tools', { tools: [{ type: 'function', function: { name: 'look' } }] }],
  ['response_format', { response_format: { type: 'json_object' } }],
  ['stop', { stop: 'END' }],
])('a row with %s is refused: it would be dropped silently', async (name, row) => {
  await expect(first(row)).rejects.toThrow(`the prompt "a" has \`${name}\`, which a base model cannot take`)
})
