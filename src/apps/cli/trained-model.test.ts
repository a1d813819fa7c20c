import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { aftHere as aft } from '../../../test/aft-here.ts'
import { askArgs, makeModel } from './trained-model.fixture.ts'

test('a record that is wrong, or names a file that is not there, is an error with its place', async () => {
  const wrong = await aft(askArgs(makeModel({ version: 2 })))
  expect(wrong.stderr).toMatch(/^error: .*aft-model\.json: version: /)
  const missing = await aft(askArgs(makeModel({ adapter: 'adapter.gguf' })))
  expect(missing.stderr).toMatch(
    /^error: .*aft-model\.json: expected the file adapter\.gguf beside it, but it does not exist/,
  )
  expect(missing.code).toBe(1)
})

test('all weights are exported as they are, whole or not at all, also where no record was written', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'aft-exported-'))
  const out = path.join(folder, 'served')
  const model = path.join(folder, 'model')
  const run = () => aft(['train', 'export', folder, '-o', out])
  mkdirSync(model)
  const early = await run()
  expect(early).toMatchObject({ code: 2, stderr: expect.stringContaining('does not have a trained model') })

  const files = ['complete', 'training_args.bin', 'config.json', 'model.safetensors']
  for (const file of files) writeFileSync(path.join(model, file), file)
  writeFileSync(path.join(folder, 'recipe.yaml'), 'base: smollm2\nmethod: full\n')
  writeFileSync(`${out}.unfinished`, 'of a run that was killed')
  expect(await run()).toMatchObject({ code: 0, stderr: `serve it: vllm serve ${out}\n` })
  expect(readdirSync(out).sort()).toEqual(['config.json', 'model.safetensors'])
  expect(existsSync(`${out}.unfinished`)).toBe(false)
  expect((await run()).stderr).toContain('exists already; give another -o')
})
