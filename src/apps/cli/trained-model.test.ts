import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { aft } from '../../../test/command-line.ts'
import { isSlow } from '../../../test/slow.ts'
import { defaultTemplate, hashTemplate } from '../../core/templates.ts'
import { checkpointFile } from '../../files/checkpoint.ts'

/** Only registered in the slow set. */
const slowTest = isSlow ? test : () => {}

/** A folder as `aft train` leaves it, without an adapter. */
function makeModel(record: object): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'aft-trained-'))
  const whole = {
    type: 'checkpoint',
    version: 1,
    base: { model: 'smollm2', sha256: '' },
    templates: [],
    ...record,
  }
  writeFileSync(path.join(folder, checkpointFile), JSON.stringify(whole))
  return folder
}
const ask = (folder: string) =>
  aft(['ask', 'Name a river.', '--model', folder, '--strategy', 'single', '--max-tokens', '4', '--seed', '1'])

slowTest(
  'the folder of a trained model is opened by its name, without a word where nothing differs',
  async () => {
    const templates = [{ id: 'aft-1', sha256: hashTemplate(defaultTemplate) }]
    const { stdout, stderr, code } = await ask(makeModel({ templates }))
    expect(stdout.trim()).not.toBe('')
    expect(stderr).not.toContain('warning')
    expect(code).toBe(0)
  },
)

slowTest('another wording and another chat template than in training are warned of', async () => {
  const templates = [{ id: 'mine', sha256: '0'.repeat(64) }]
  const { stderr } = await ask(makeModel({ templates, chatTemplateSha256: '0'.repeat(64) }))
  expect(stderr).toMatch(
    /warning: .* was trained with the wording "mine", not with "aft-1": give its --template/,
  )
  expect(stderr).toMatch(
    /warning: .* the chat template of .*\.gguf is not the one that the model was trained with/,
  )
})

test('a record that is wrong, or names a file that is not there, is an error with its place', async () => {
  const wrong = await ask(makeModel({ version: 2 }))
  expect(wrong.stderr).toMatch(/^error: .*aft-model\.json: version: /)
  const missing = await ask(makeModel({ adapter: 'adapter.gguf' }))
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
