import { expect, test } from 'vitest'
import { paperTemplate } from '../plans/wordings.ts'
import { readTrainedTemplate } from './trained-template.ts'

test("the catalog's models and the authors' checkpoints have the published form, other models none", async () => {
  expect(await readTrainedTemplate('smollm2')).toBe(paperTemplate)
  expect(await readTrainedTemplate('small', { engines: { small: 'smollm2' } })).toBe(paperTemplate)
  expect(await readTrainedTemplate('http://h/v1#linzw/Mistral-AFT-On-Policy')).toBe(paperTemplate)
  for (const name of ['http://h/v1#smollm2', 'openai:gpt-5', 'gguf:smollm2', 'scripted:echo'])
    expect(await readTrainedTemplate(name)).toBeUndefined()
})

test('names of a config that point to each other have no template', async () => {
  expect(await readTrainedTemplate('a', { engines: { a: 'b', b: 'a' } })).toBeUndefined()
})
