import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Engine, Message } from '../core/provider/engine.ts'
import { UsageError } from '../core/provider/errors.ts'
import { openEngine } from '../engines/open.ts'
import { generateArithmetic } from './sources/arithmetic.ts'
import { countBytes, createTokenBound } from './token-bound.ts'

let engine: Engine
let countTokens: (messages: Message[]) => Promise<number>
beforeAll(async () => {
  engine = await openEngine('smollm2', { vocabularyOnly: true })
  countTokens = (messages) => (engine.countTokens as NonNullable<Engine['countTokens']>)(messages)
})
afterAll(() => engine.close?.())

const ask = (content: string): Message[] => [{ role: 'user', content }]

/** Texts of people and models, and random ones. They use few words, so words repeat and are counted. */
const word = fc.oneof(
  fc.constantFrom(
    'the',
    'The',
    "don't",
    'naïve',
    '12,345.67',
    'https://a.b/c?d=e',
    '####',
    '=',
    '\\frac{1}{2}',
  ),
  fc.constantFrom(
    '東京',
    '🙂',
    '👨‍👩‍👧',
    'Straße',
    'e\u0301',
    '\u200b',
    '```ts',
    '<|im_end|>',
    '|---|',
    'aaaaaaaa',
  ),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
)
const gap = fc.constantFrom(' ', ' ', ' ', '\n', '\n\n', '  ', '\t', '\r\n', '\u00a0', '    ', '')
const text = fc
  .array(fc.tuple(word, gap), { maxLength: 80 })
  .map((parts) => parts.map((part) => part.join('')).join(''))

test('with the real vocabulary of smollm2 the bounds are never under the exact count', async () => {
  const bound = createTokenBound(countTokens)
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 3 }), async (texts) => {
      const messages = texts.map((content, i): Message => ({ role: i % 2 ? 'assistant' : 'user', content }))
      const exact = await countTokens(messages)
      expect(await bound(messages)).toBeGreaterThanOrEqual(exact)
      expect(countBytes(messages)).toBeGreaterThanOrEqual(exact)
    }),
    { numRuns: 400 },
  )
})

test('nor for three repeated pieces in any order', async () => {
  const bound = createTokenBound(countTokens)
  const pieces = ['x', 'the', ' the', '\n', '\n\n', '\t', ' ', 'a\u0301', '🙂', ' 12', '##', "'s"]
  const under: string[] = []
  for (const a of pieces) {
    for (const b of pieces) {
      for (const c of pieces) {
        const messages = ask((a + b + c).repeat(40))
        if ((await bound(messages)) < (await countTokens(messages))) under.push(JSON.stringify([a, b, c]))
      }
    }
  }
  expect(under).toEqual([])
})

test('for ordinary text, the bound is close when its words have been seen', async () => {
  const bound = createTokenBound(countTokens)
  const texts = [...generateArithmetic(150, 3)].flatMap((row) => row.responses.map((r) => r.text))
  let [bounds, exacts] = [0, 0]
  for (const [i, content] of texts.entries()) {
    const messages = ask(Array.from({ length: 8 }, () => content).join('\n\n'))
    const [most, exact] = [await bound(messages), await countTokens(messages)]
    expect(most).toBeGreaterThanOrEqual(exact)
    if (i < texts.length / 2) continue
    bounds += most
    exacts += exact
  }
  expect(bounds / exacts).toBeLessThan(1.5)
})

test('an engine opened only to count tokens gives the same counts as the full engine, and rejects everything else', async () => {
  const whole = await openEngine('smollm2', { threads: 1 })
  try {
    const messages = [...ask('Why is the sky blue?'), { role: 'assistant' as const, content: 'Dust — ☁️.' }]
    expect(await countTokens(messages)).toBe(await whole.countTokens?.(messages))
  } finally {
    await whole.close?.()
  }
  const request = { messages: ask('Hi'), n: 1, seeds: [1], sampling: { maxTokens: 4 } }
  const generate = async () => {
    for await (const _ of engine.generate(request)) expect.unreachable()
  }
  const refusal = new UsageError(`${engine.id} was opened to count tokens only`)
  await expect(generate()).rejects.toThrow(refusal)
  await expect(engine.score?.(ask('Hi'), 'there')).rejects.toThrow(refusal)
})
