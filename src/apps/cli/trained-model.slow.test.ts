import { expect, test } from 'vitest'
import { aft } from '../../../test/command-line.ts'
import { hashTemplate } from '../../core/provider/template.ts'
import { paperTemplate } from '../../plans/wordings.ts'
import { askArgs, makeModel } from './trained-model.fixture.ts'

test('the folder of a trained model is opened by its name, without a warning if nothing differs', async () => {
  const templates = [{ id: 'aft-1', sha256: hashTemplate(paperTemplate) }]
  const { stdout, stderr, code } = await aft(askArgs(makeModel({ templates })))
  expect(stdout.trim()).not.toBe('')
  expect(stderr).not.toContain('warning')
  expect(code).toBe(0)
})

test('another wording or chat template than in training gives a warning', async () => {
  const templates = [{ id: 'mine', sha256: '0'.repeat(64) }]
  const { stderr } = await aft(askArgs(makeModel({ templates, chatTemplateSha256: '0'.repeat(64) })))
  expect(stderr).toMatch(
    /warning: .* was trained with the wording "mine", not with "aft-2": give its --template/,
  )
  expect(stderr).toMatch(
    /warning: .* the chat template of .*\.gguf is not the one that the model was trained with/,
  )
})
