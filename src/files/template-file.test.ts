import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { defaultTemplate } from '../core/templates.ts'
import { readTemplate } from './template-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'aft-template-'))

function save(content: unknown): string {
  const file = join(folder, 'template.json')
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}

test('a template comes back from its file as it was', async () => {
  expect(await readTemplate(save(defaultTemplate))).toEqual(defaultTemplate)
})

test('a byte order mark before the JSON is no error', async () => {
  expect(await readTemplate(save(`\uFEFF${JSON.stringify(defaultTemplate)}`))).toEqual(defaultTemplate)
})

test.each([
  [
    { ...defaultTemplate, aggregatorSystem: 'Join them.' },
    'expected `aggregatorSystem` to be a string that holds {{proposals}}, got "Join them."',
  ],
  [
    { ...defaultTemplate, judgeSystem: 'Pick.' },
    'expected `judgeSystem` to be a string that holds {{candidates}}, got "Pick."',
  ],
  [
    { ...defaultTemplate, proposal: '{{number}} {{answer}}: {{text}}' },
    'expected `proposal` to be a string with no other marks than {{number}} and {{text}}, got "{{number}} {{answer}}: {{text}}"',
  ],
  [{ ...defaultTemplate, keepUserSystem: 'yes' }, 'expected `keepUserSystem` to be a boolean, got "yes"'],
  [{ ...defaultTemplate, separator: undefined }, 'expected `separator` to be a string, got nothing'],
  [{ ...defaultTemplate, id: '' }, 'expected `id` to be a string that is not empty, got ""'],
  [
    { ...defaultTemplate, proposalText: 'x' },
    'there is no field `proposalText` in a template; there are: id, proposerSystem',
  ],
  [[], 'expected the template to be an object, got []'],
])('a wrong field is named with what was expected and what came (%#)', async (content, problem) => {
  const file = save(content)
  await expect(readTemplate(file)).rejects.toMatchObject({
    name: 'DataError',
    message: expect.stringContaining(`${file}: ${problem}`),
  })
})

test('what is not JSON is named with its line', async () => {
  const file = save('{\n  "id": "x",\n  oops\n}')
  await expect(readTemplate(file)).rejects.toMatchObject({ name: 'DataError', file, line: 3 })
})

test('a file that is not there is a usage error', async () => {
  const file = join(folder, 'none.json')
  await expect(readTemplate(file)).rejects.toThrow(`${file}: there is no such file or folder`)
})
