import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { hashTemplate } from '../core/provider/template.ts'
import { writeDataCard } from '../data/data-card.ts'
import type { BuildCounts } from '../files/build-counts.ts'
import { paperTemplate } from '../plans/wordings.ts'
import { readTemplates } from './finish.ts'

function makeData(template: typeof paperTemplate): string {
  const data = mkdtempSync(path.join(tmpdir(), 'aft-rows-'))
  const counts = { dropped: {}, left: {}, models: {}, benchmarks: {} } as BuildCounts
  writeDataCard(data, { format: 'f', inputs: [], template, settings: {}, hasSftTwin: false }, counts)
  writeFileSync(path.join(data, 'train.jsonl'), `${JSON.stringify({ template: template.id })}\n`)
  return data
}

test('a card names the template of the rows, and holds it if it is not built in', async () => {
  const mine = { ...paperTemplate, id: 'mine', separator: '\n\n' }
  expect(await readTemplates(makeData(paperTemplate), 'out')).toEqual([
    { id: 'aft-1', sha256: hashTemplate(paperTemplate) },
  ])
  expect(await readTemplates(makeData(mine), 'out')).toEqual([
    { id: 'mine', sha256: hashTemplate(mine), wording: mine },
  ])
})

test('a template file that is not the one of the data card is not taken', async () => {
  const mine = { ...paperTemplate, id: 'mine', separator: '\n\n' }
  const data = makeData(mine)
  writeFileSync(path.join(data, 'template.json'), JSON.stringify({ ...mine, separator: '-' }))
  expect(await readTemplates(data, 'out')).toEqual([{ id: 'mine', sha256: hashTemplate(mine) }])
})
