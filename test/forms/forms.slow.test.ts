/** A row of each form means the same to each command; the page about data shows what came. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { insertForms } from '../../docs/make-forms.ts'
import { readForms, renderTable, tryAll } from './table.ts'

const rows = tryAll(readForms())

test('each command reads what the form says, or refuses it by name', async () => {
  for (const { form, faults } of await rows)
    expect({ name: form.name, faults }).toEqual({ name: form.name, faults: {} })
})

test('docs/data.md shows the table; otherwise: node docs/make-forms.ts', async () => {
  const page = readFileSync(path.join(import.meta.dirname, '../../docs/data.md'), 'utf8')
  expect(page).toBe(insertForms(page, renderTable(await rows)))
  expect(page).toContain(renderTable(await rows))
})

test('a fault of a command is a cell and an error of the row', async () => {
  const [form] = readForms()
  const [row] = await tryAll([{ ...(form as NonNullable<typeof form>), messages: [] }])
  expect(row?.cells.run).toBe('FAILS')
  expect(Object.keys(row?.faults ?? {})).toContain('run')
})
