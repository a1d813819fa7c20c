import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sanitize, stringifySafely } from './sanitize.ts'

test.each([
  ['\x1b[31mred\x1b[0m', '␛[31mred␛[0m'],
  ['\x1b]0;title\x07', '␛]0;title␇'],
  ['\x9b31m', '\\u009b31m'],
  ['a\u202Eb\u2066c', 'a\\u202eb\\u2066c'],
  ['a\u200eb\u200fc\u061cd', 'a\\u200eb\\u200fc\\u061cd'],
  ['hi\u{e0041}\u{e007f}\u{e0100}', 'hi\\udb40\\udc41\\udb40\\udc7f\\udb40\\udd00'],
  ['a\u2028b\ufeffc\u2063d', 'a\\u2028b\\ufeffc\\u2063d'],
  ['نمی\u200cخواهم 👩\u200d🚀 क्\u200dष ភាសា\u200bខ្មែរ', 'نمی\u200cخواهم 👩\u200d🚀 क्\u200dष ភាសា\u200bខ្មែរ'],
  ['bell\x07 back\b del\x7f nul\0', 'bell␇ back␈ del␡ nul␀'],
  ['line\r\nline\ttab', 'line\nline\ttab'],
  ['Grüße, 世界, שלום 👋', 'Grüße, 世界, שלום 👋'],
])('%j is shown as %j', (text, shown) => {
  expect(sanitize(text)).toBe(shown)
})

test('however a text is split, its parts are sanitized to the same', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), (parts) => {
      expect(parts.map(sanitize).join('')).toBe(sanitize(parts.join('')))
    }),
  )
})

test('JSON without control characters has the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string({ unit: 'binary' }), (value, text) => {
      const json = stringifySafely({ value, text })
      expect(json).not.toMatch(
        /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\u{e0000}-\u{e0fff}]/u,
      )
      expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify({ value, text })))
    }),
  )
})
