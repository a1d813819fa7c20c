import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { hashTemplate, type Template } from '../core/provider/template.ts'
import { defaultTemplate, paperTemplate } from '../plans/wordings.ts'
import { checkpointFile } from './find-checkpoint.ts'
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
    '`aggregatorSystem`: expected text that holds {{proposals}}, got "Join them."',
  ],
  [
    { ...defaultTemplate, judgeSystem: 'Pick.' },
    '`judgeSystem`: expected text that holds {{candidates}}, got "Pick."',
  ],
  [
    { ...defaultTemplate, proposal: '{{number}} {{answer}}: {{text}}' },
    '`proposal`: expected text with no other marks than {{number}} and {{text}}, got "{{number}} {{answer}}: {{text}}"',
  ],
  [{ ...defaultTemplate, place: 'end' }, '`place`: expected one of system, tail, got "end"'],
  [{ ...defaultTemplate, keepUserSystem: 'yes' }, '`keepUserSystem`: expected true or false, got "yes"'],
  [{ ...defaultTemplate, separator: undefined }, '`separator`: expected text, got nothing'],
  [{ ...defaultTemplate, id: '' }, '`id`: expected text that is not empty, got ""'],
  [
    { ...defaultTemplate, proposalText: 'x' },
    'unknown `proposalText`; a template has id, place, proposerSystem',
  ],
  [[], 'expected an object, got []'],
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
  await expect(readTemplate(file)).rejects.toThrow(
    `${file}: there is no such file or folder. Without a file there are the templates aft-2, aft-1`,
  )
})

test('a file without a place is of the published form', async () => {
  const { place, ...published } = paperTemplate
  expect(place).toBeUndefined()
  expect(await readTemplate(save(published))).not.toHaveProperty('place')
  expect(await readTemplate(save({ ...published, place: 'tail' }))).toMatchObject({ place: 'tail' })
})

test('a built-in template is read by its id, a file relative to a folder', async () => {
  expect(await readTemplate('aft-1')).toBe(paperTemplate)
  const file = save({ ...defaultTemplate, id: 'mine' })
  expect(await readTemplate(basename(file), dirname(file))).toMatchObject({ id: 'mine' })
  expect(await readTemplate('aft-2', dirname(file))).toBe(defaultTemplate)
})

describe('the card of a trained model', () => {
  const mine = { ...paperTemplate, id: 'mine', proposal: '({{number}}) {{text}}' }
  const makeModel = (templates: object[]) => {
    const model = mkdtempSync(join(tmpdir(), 'aft-model-'))
    writeFileSync(join(model, checkpointFile), JSON.stringify({ type: 'checkpoint', version: 1, templates }))
    return model
  }

  test.each<[string, object[], Template]>([
    ['a built-in template', [{ id: 'aft-1', sha256: hashTemplate(paperTemplate) }], paperTemplate],
    ['one without a hash', [{ id: 'aft-2' }], defaultTemplate],
    ['a template that it holds', [{ id: 'mine', sha256: hashTemplate(mine), wording: mine }], mine],
    ['several, of which one is to be had', [{ id: 'lost' }, { id: 'aft-1' }], paperTemplate],
  ])('names %s', async (_, templates, template) => {
    expect(await readTemplate(makeModel(templates))).toEqual(template)
  })

  test.each<[string, object[]]>([
    ['nothing', []],
    ['another wording under a known id', [{ id: 'aft-1', sha256: '0'.repeat(64) }]],
    ['another wording than it holds', [{ id: 'mine', sha256: '0'.repeat(64), wording: mine }]],
  ])('with %s is no template', async (_, templates) => {
    await expect(readTemplate(makeModel(templates))).rejects.toThrow(
      /: expected the JSON file of a template, one of aft-2, aft-1, or a trained model whose card holds its template/,
    )
  })

  test('with a wrong wording is an error with its file', async () => {
    const model = makeModel([{ id: 'mine', wording: { id: 'mine' } }])
    await expect(readTemplate(model)).rejects.toThrow(
      `${model}/${checkpointFile}: \`proposerSystem\`: expected text, got nothing`,
    )
  })
})
