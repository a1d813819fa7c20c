import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { aftHere as aft } from '../../../test/aft-here.ts'
import { checkpointFile } from '../../files/find-checkpoint.ts'
import { writeCard } from './train/export.ts'
import { askArgs, makeModel } from './trained-model.fixture.ts'

test('a wrong record, or one that names a missing file, is an error with its place', async () => {
  const wrong = await aft(askArgs(makeModel({ version: 2 })))
  expect(wrong.stderr).toMatch(/^error: .*aft-model\.json: `version`: expected 1, got 2/)
  const elsewhere = await aft(askArgs(makeModel({ base: undefined })))
  expect(elsewhere).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('has no GGUF file to run in this process; serve it'),
  })
  const missing = await aft(askArgs(makeModel({ adapter: 'adapter.gguf' })))
  expect(missing.stderr).toMatch(
    /^error: .*aft-model\.json: expected the file adapter\.gguf beside it, but it does not exist/,
  )
  expect(missing.code).toBe(1)
})

test('an export is refused if training has not ended, or if the output exists', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'aft-exported-'))
  const run = () => aft(['train', 'export', folder, '-o', path.join(folder, 'served')])
  const early = await run()
  expect(early).toMatchObject({ code: 2, stderr: expect.stringContaining('does not have a trained model') })
  mkdirSync(path.join(folder, 'model'))
  writeFileSync(path.join(folder, 'model/complete'), '')
  mkdirSync(path.join(folder, 'served'))
  expect((await run()).stderr).toContain('exists already; give another -o')
})

test('exported weights have a card with the template, and none if the folder has none', () => {
  const [folder, out] = ['aft-tuned-', 'aft-served-'].map((name) =>
    mkdtempSync(path.join(tmpdir(), name)),
  ) as [string, string]
  writeCard(folder, out)
  expect(readdirSync(out)).toEqual([])
  const card = { type: 'checkpoint', version: 1, templates: [{ id: 'aft-1' }] }
  writeFileSync(path.join(folder, checkpointFile), JSON.stringify({ ...card, gguf: 'model.gguf' }))
  writeCard(folder, out)
  expect(JSON.parse(readFileSync(path.join(out, checkpointFile), 'utf8'))).toEqual(card)
})
