import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createTextWriter } from './answer.ts'
import { cutEnd, cutStart, piecesOf, widthOf, wrap } from './text.ts'

const anyText = fc.string({
  unit: fc.constantFrom('a', 'bc ', ' ', '\n', '\t', '世', '。', 'é', '👩‍👩‍👧', '-'),
})

test('a line breaks between words', () => {
  expect(wrap('the quick brown fox', 10)).toEqual(['the quick', 'brown fox'])
})

test('wide characters count two columns, and break anywhere but before punctuation', () => {
  expect(wrap('天空是蓝色的。因为', 6)).toEqual(['天空是', '蓝色', '的。因', '为'])
})

test('a word wider than the line is broken', () => {
  expect(wrap('a supercalifragilistic b', 8)).toEqual(['a', 'supercal', 'ifragili', 'stic b'])
})

test('line feeds and indentation stay', () => {
  expect(wrap('a\n\n  b\n', 8)).toEqual(['a', '', '  b', ''])
})

test('no line is wider than asked, and no word is lost', () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 2, max: 30 }), (text, width) => {
      const lines = wrap(text, width)
      for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(width)
      expect(lines.join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''))
    }),
  )
})

test('pieces joined are the text', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => piecesOf(text).join('') === text))
})

test('a cut text fits, and says that it is cut', () => {
  expect(cutEnd('The sky is blue', 8)).toBe('The sky…')
  expect(cutStart('The sky is blue', 8)).toBe('…is blue')
  expect(cutEnd('天空是蓝色', 6)).toBe('天空…')
  fc.assert(
    fc.property(anyText, fc.integer({ min: 0, max: 20 }), (text, width) => {
      const line = text.replace(/[\n\t]/g, ' ')
      expect(widthOf(cutEnd(line, width))).toBeLessThanOrEqual(width)
      expect(widthOf(cutStart(line, width))).toBeLessThanOrEqual(width)
    }),
  )
})

function write(deltas: string[], width: number): string {
  let out = ''
  const writer = createTextWriter(
    (text) => {
      out += text
    },
    () => width,
  )
  for (const delta of deltas) writer.push(delta)
  writer.end()
  return out
}

test('a streamed word that does not fit goes to the next line whole', () => {
  expect(write(['the qu', 'ick bro', 'wn fo', 'x'], 10)).toBe('the quick \nbrown fox\n')
})

test('code between fences keeps its lines', () => {
  const code = '```\nlet a = 1 + 2 + 3\n```\nand so on'
  expect(write([code], 8)).toBe('```\nlet a = 1 + 2 + 3\n```\nand so \non\n')
})

test('a second text begins with a line of its own', () => {
  let out = ''
  const writer = createTextWriter(
    (text) => {
      out += text
    },
    () => 12,
  )
  writer.push('half a line')
  writer.end()
  writer.push('the other one')
  writer.end()
  expect(out).toBe('half a line\nthe other \none\n')
})

test('the same text comes out however it is split, with only line feeds added', () => {
  fc.assert(
    fc.property(fc.array(anyText, { maxLength: 12 }), (deltas) => {
      const whole = write([deltas.join('')], 10)
      expect(write(deltas, 10)).toBe(whole)
      expect(whole.replace(/\s/g, '')).toBe(deltas.join('').replace(/\s/g, ''))
    }),
  )
})
