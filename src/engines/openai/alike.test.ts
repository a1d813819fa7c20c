/** Chunks that differ in their text only are read without parsing all of them; what is read must be the same. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Fields } from './fields.ts'
import { createFramer } from './framing.ts'

/** What a framer makes of lines of data: copies, since it may give the same object again, and how many objects. */
function read(lines: string[]) {
  const chunks: unknown[] = []
  const objects = new Set<Fields>()
  const framer = createFramer((chunk) => {
    objects.add(chunk)
    chunks.push(structuredClone(chunk))
  })
  framer.push(lines.map((line) => `data: ${line}\n\n`).join(''))
  return { chunks, objects: objects.size }
}

const parseAll = (lines: string[]): unknown[] => lines.map((line) => JSON.parse(line))
const toLine = (index: number, content: string, more: object = {}) =>
  JSON.stringify({ id: 'a', choices: [{ index, delta: { content }, finish_reason: null }], ...more })

/** The forms in which servers write the same chunk. */
const forms: [string, (index: number, text: string) => string][] = [
  ['as JavaScript writes it', toLine],
  [
    'as Python writes it',
    (index, text) =>
      toLine(index, text)
        .replaceAll('":', '": ')
        .replace(/[\u0080-\uffff]/g, escape16),
  ],
  ['with reasoning', (index, text) => JSON.stringify({ choices: [{ index, delta: { reasoning: text } }] })],
  ['as a plain completion', (index, text) => JSON.stringify({ choices: [{ text, index, logprobs: null }] })],
  [
    'beside other texts of the name',
    (index, text) => JSON.stringify({ content: 'x', choices: [{ delta: { content: text }, index }] }),
  ],
  [
    'with a name twice',
    (index, text) =>
      `{"choices":[{"index":${index},"delta":{"content":"x","content":${JSON.stringify(text)}}}]}`,
  ],
  ['with the text in a field of its own, too', (index, text) => toLine(index, text, { obfuscation: text })],
]

function escape16(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
}

describe('a stream is read as if each chunk was parsed', () => {
  it.each(forms)('%s', (_, write) => {
    const texts = fc.array(
      fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('"', '\\', '\n', '"},"')),
      {
        minLength: 12,
      },
    )
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 20 }), (pieces, n) => {
        const lines = pieces.map((text, i) => write(i % n, text))
        expect(read(lines).chunks).toEqual(parseAll(lines))
      }),
    )
  })

  it('that changes in the middle, ends and begins again', () => {
    const lines = [0, 1, 2].flatMap((part) => [
      ...Array.from({ length: 20 }, (_, i) => toLine(i % 3, ` word ${i}`, { created: part })),
      JSON.stringify({ choices: [{ index: 1, delta: {}, finish_reason: 'stop' }] }),
      toLine(0, 'end', { usage: { completion_tokens: part } }),
    ])
    expect(read(lines).chunks).toEqual(parseAll(lines))
  })

  it('with texts that look like the rest of a chunk', () => {
    const start = '{"choices":[{"index":0,"delta":{"content":"'
    const end = '"}}]}'
    const lines = Array.from({ length: 8 }, (_, i) => `${start}a${i}${end}`)
    lines.push(`${start}b"},"message":{"content":"c${end}`, `${start}d\\"${end}`)
    expect(read(lines).chunks).toEqual(parseAll(lines))
  })
})

describe('chunks that differ in their text only', () => {
  const words = Array.from({ length: 60 }, (_, i) => ` word${i} "quoted" and long`)
  it.each([1, 5, 16])('are one object per completion: %d', (n) => {
    const { objects } = read(words.map((word, i) => toLine(i % n, word)))
    expect(objects).toBeLessThanOrEqual(4 + 2 * n)
  })

  it('are parsed each if something else changes in all of them', () => {
    const { objects } = read(words.map((word, i) => toLine(0, word, { at: i })))
    expect(objects).toBe(words.length)
  })
})
