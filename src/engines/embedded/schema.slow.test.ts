import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CompletionEnd } from '../../core/provider/engine.ts'
import { resolveModel } from '../models/models.ts'
import { type EmbeddedEngine, openEmbedded } from './embedded.ts'

const text = { type: 'string' }
const whole = { type: 'integer' }

let engine: EmbeddedEngine
beforeAll(async () => {
  const { file } = await resolveModel('smollm2')
  engine = await openEmbedded({ file, id: 'small', contextLength: 1024 })
})
afterAll(() => engine.close())

async function write(
  schema: Record<string, unknown>,
  content: string,
  maxTokens = 80,
  n = 1,
): Promise<CompletionEnd[]> {
  const ends: CompletionEnd[] = []
  const request = {
    messages: [{ role: 'user' as const, content }],
    n,
    seeds: Array.from({ length: n }, (_, i) => i + 1),
    sampling: { temperature: 0.7, maxTokens },
    responseFormat: { type: 'json_schema' as const, json_schema: { name: 'x', schema } },
  }
  for await (const event of engine.generate(request)) {
    if (event.type === 'completion-failed') throw event.error
    if (event.type === 'completion-end') ends.push(event)
  }
  return ends
}

const form = (properties: Record<string, unknown>) => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
})

test('an answer ends at its closing brace', async () => {
  const schema = form({ animal: text, legs: whole })
  for (const { text, finishReason } of await write(schema, 'Name an animal and count its legs.', 80, 3)) {
    expect(finishReason).toBe('stop')
    expect(text).toMatch(/\}$/)
    expect(JSON.parse(text)).toEqual({ animal: expect.any(String), legs: expect.any(Number) })
  }
  const [shortest] = await write(form({ ok: { const: true } }), 'Say yes.')
  const { outputTokens } = shortest?.usage ?? { outputTokens: 0 }
  const [cut] = await write(form({ ok: { const: true } }), 'Say yes.', outputTokens - 1)
  expect(cut).toMatchObject({ text: shortest?.text, finishReason: 'stop' })
})

test('alternatives, bounds and references hold', async () => {
  const schema = {
    ...form({
      v: { anyOf: [{ type: 'string', maxLength: 12 }, { enum: [1, 2] }] },
      w: { type: 'integer', minimum: 2, maximum: 4 },
      list: { type: 'array', items: { $ref: '#/definitions/Kind' }, minItems: 1, maxItems: 2 },
      maybe: { type: ['object', 'null'], properties: { a: { type: 'boolean' } } },
    }),
    definitions: { Kind: { enum: ['warm', 'cold'] } },
  }
  for (const { text } of await write(schema, 'v is dog. w is 3. Fill the form.', 120, 3)) {
    const { v, w, list, maybe } = JSON.parse(text)
    expect(['string', 'number']).toContain(typeof v)
    expect([2, 3, 4]).toContain(w)
    for (const kind of list) expect(['warm', 'cold']).toContain(kind)
    if (maybe !== null) expect(maybe).toEqual({ a: expect.any(Boolean) })
  }
})
