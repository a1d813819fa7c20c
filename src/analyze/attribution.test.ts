import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Result } from '../core/result.ts'
import { echo, scriptedEngine } from '../engines/scripted/scripted.ts'
import { answer } from '../run/answer.ts'
import { attribute, attributeResult, LEAST_WORDS, type Span } from './attribution.ts'
import { indexRuns } from './shared-runs.ts'
import { splitSentences, splitWords } from './words.ts'

const cut = (text: string) => (span: Span) => text.slice(span.start, span.end)

test('each sentence names the proposals that it is made from, and new sentences are marked', () => {
  const proposals = [
    'Air scatters **short waves** of light. I think so.',
    'The sky? It is blue because the eye sees blue best, said short waves.',
  ]
  const text = 'Air scatters short waves, and it is blue because the eye likes it. Violet is absorbed.'
  const { sentences, copyRate } = attribute(text, proposals)
  expect(sentences.map(cut(text))).toEqual([
    'Air scatters short waves, and it is blue because the eye likes it.',
    'Violet is absorbed.',
  ])
  const [first, second] = sentences
  expect(first?.sources.map(({ proposal }) => proposal)).toEqual([1, 0])
  expect(
    first?.sources[0]?.spans.map(({ at, from }) => [cut(text)(at), cut(proposals[1] ?? '')(from)]),
  ).toEqual([['it is blue because the eye', 'It is blue because the eye']])
  expect(first?.fresh.map(cut(text))).toEqual(['and', 'likes it'])
  expect(first?.copyRate).toBeCloseTo(10 / 13)
  expect(second).toMatchObject({ isNew: true, copyRate: 0, sources: [] })
  expect(copyRate).toBeCloseTo(10 / 16)
})

test('a short sentence matches only as a whole, a long one from four words in a row', () => {
  const sources = (text: string) =>
    attribute(text, ['Paris. It lies on the Seine.']).sentences[0]?.sources.length
  expect(sources('Paris.')).toBe(1)
  expect(sources('Paris, obviously.')).toBe(0)
  expect(sources('We know it lies on ground.')).toBe(0)
  expect(sources('We know it lies on the ground.')).toBe(1)
})

test('case, punctuation, Markdown marks and compatibility forms do not count', () => {
  const { copyRate } = attribute('THE “sky” ISN’T *always* ﬁne.', ["- the sky isn't **always** fine"])
  expect(copyRate).toBe(1)
})

test.each([
  ['Chinese', '天空是蓝色的因为空气散射。', ['我认为天空是蓝色的因为空气散射短波。']],
  ['Thai', 'ท้องฟ้าเป็นสีฟ้าเพราะอากาศ', ['เพราะว่าท้องฟ้าเป็นสีฟ้าเพราะอากาศ']],
  ['Arabic', 'السماء زرقاء بسبب الهواء الرقيق.', ['قيل إن السماء زرقاء بسبب الهواء الرقيق.']],
  ['Greek', 'Ο ουρανός είναι μπλε σήμερα.', ['ο ΟΥΡΑΝΌΣ είναι μπλε σήμερα']],
])('%s is compared as well', (_, text, proposals) => {
  expect(attribute(text, proposals)).toMatchObject({ copyRate: 1, sentences: [{ isNew: false }] })
})

describe('sentences', () => {
  test.each([
    ['1. One thing. Another!\n2. Two', ['One thing.', 'Another!', 'Two']],
    ['# Title\n\n- a point\n- another one', ['# Title', '- a point', '- another one']],
    ['4.', ['4.']],
    ['Choose: 4.\n5.\nSo it is.', ['Choose: 4.', '5.', 'So it is.']],
    ['空は青い。なぜ？', ['空は青い。', 'なぜ？']],
    ['--- \n\n***', []],
    ['', []],
  ])('of %j', (text, sentences) => {
    expect(splitSentences(text).map(cut(text))).toEqual(sentences)
  })
})

const small = fc.array(fc.constantFrom(0, 1, 2), { maxLength: 40 })

test('the runs found are the longest possible, compared with a search of all runs', () => {
  fc.assert(
    fc.property(small, small, (text, query) => {
      const has = (run: number[]) =>
        text.findIndex(
          (_, i) => run.length <= text.length - i && run.every((word, k) => text[i + k] === word),
        )
      const { lengths, ends } = indexRuns(Int32Array.from(text)).match(Int32Array.from(query))
      for (let at = 0; at < query.length; at++) {
        let length = 0
        while (length <= at && has(query.slice(at - length, at + 1)) >= 0) length++
        expect(lengths[at]).toBe(length)
        if (length > 0) expect(ends[at]).toBe(has(query.slice(at - length + 1, at + 1)) + length - 1)
      }
    }),
  )
})

const words = fc.array(fc.constantFrom('a', 'b', 'Ça', 'd. ', '空', '🙂', '\n', '1. ', '\u202e', 'e'), {
  maxLength: 60,
})
const texts = words.map((list) => list.join(' '))

test('spans lie within their texts, hold the same words, do not overlap, and shares add up', () => {
  fc.assert(
    fc.property(texts, fc.array(texts, { maxLength: 4 }), (text, proposals) => {
      const { copyRate, sentences } = attribute(text, proposals)
      expect(copyRate).toBeGreaterThanOrEqual(0)
      expect(copyRate).toBeLessThanOrEqual(1 + 1e-9)
      let before = 0
      for (const sentence of sentences) {
        expect(sentence.start).toBeGreaterThanOrEqual(before)
        before = sentence.end
        expect(sentence.isNew).toBe(sentence.sources.length === 0 && sentence.end > sentence.start)
        for (const { proposal, share, spans } of sentence.sources) {
          expect(share).toBeGreaterThan(0)
          expect(share).toBeLessThanOrEqual(sentence.copyRate + 1e-9)
          let end = sentence.start
          for (const { at, from } of spans) {
            expect(at.start).toBeGreaterThanOrEqual(end)
            end = at.end
            expect(splitWords(cut(text)(at)).texts).toEqual(
              splitWords(cut(proposals[proposal] ?? '')(from)).texts,
            )
          }
          expect(end).toBeLessThanOrEqual(sentence.end)
        }
      }
    }),
  )
})

test('an answer that equals a proposal is fully copied, and one without a common word is fully new', () => {
  fc.assert(
    fc.property(texts, fc.array(texts, { maxLength: 3 }), (text, others) => {
      const same = attribute(text, [...others, text])
      for (const sentence of same.sentences) expect(sentence.copyRate).toBeCloseTo(1)
      expect(attribute(text, [text.replace(/[\p{L}\p{N}]/gu, 'x')]).copyRate).toBe(0)
    }),
  )
})

test('a result is attributed to the usable completions of the layers before its answer', async () => {
  const engine = scriptedEngine([
    { when: /^1\. /m, replies: ['The sky is blue today. Nobody knows why.'] },
    { replies: ['Well, the sky is blue, today.', ''] },
  ])
  const result = await answer('Why?', { engine, width: 2, depth: 1 })
  expect(attributeResult(result).sentences).toMatchObject([
    { copyRate: 1, isNew: false, sources: [{ layer: 0, share: 1 }] },
    { isNew: true, sources: [] },
  ])
})

test('a vote or a single completion has no layer before its answer, so every sentence is new', async () => {
  const result: Result = await answer('Why?', { engine: scriptedEngine(echo), strategy: 'single' })
  expect(attributeResult(result).sentences.every((sentence) => sentence.isNew)).toBe(true)
  expect(LEAST_WORDS).toBe(4)
})
