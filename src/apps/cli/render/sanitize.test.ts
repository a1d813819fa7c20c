import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createTextWriter } from './answer.ts'
import { createMarkdownWriter } from './markdown.ts'
import { sanitize, stringifySafely } from './sanitize.ts'
import { makeStyle } from './style.ts'

test.each([
  ['\x1b[31mred\x1b[0m', '␛[31mred␛[0m'],
  ['\x1b]0;title\x07', '␛]0;title␇'],
  ['\x9b31m', '\\u009b31m'],
  ['a\u202Eb\u2066c', 'a\\u202eb\\u2066c'],
  ['a\u200eb\u200fc\u061cd', 'a\\u200eb\\u200fc\\u061cd'],
  ['hi\u{e0041}\u{e007f}\u{e0100}', 'hi\\udb40\\udc41\\udb40\\udc7f\\udb40\\udd00'],
  ['a\u2028b\ufeffc\u2063d', 'a\\u2028b\\ufeffc\\u2063d'],
  ['نمی\u200cخواهم 👩\u200d🚀 क्\u200dष ភាសា\u200bខ្មែរ', 'نمی\u200cخواهم 👩\u200d🚀 क्\u200dष ភាសា\u200bខ្មែរ'],
  ['pass\u200bword \u200cx a\u200db \u00adc \u3164', 'pass\\u200bword \\u200cx a\\u200db \\u00adc \\u3164'],
  ['é\u200d\u200c\u200d😀\ufe01\ufe02 x\ufe03', 'é\u200d\\u200c\\u200d😀\ufe01\\ufe02 x\\ufe03'],
  [
    '👁\ufe0f\u200d🗨\ufe0f 1\ufe0f\u20e3 👩🏽\u200d🚀 世\u200b界',
    '👁\ufe0f\u200d🗨\ufe0f 1\ufe0f\u20e3 👩🏽\u200d🚀 世\u200b界',
  ],
  ['bell\x07 back\b del\x7f nul\0', 'bell␇ back␈ del␡ nul␀'],
  ['line\r\nline\ttab', 'line\nline\ttab'],
  ['Grüße, 世界, שלום 👋', 'Grüße, 世界, שלום 👋'],
])('%j is shown as %j', (text, shown) => {
  expect(sanitize(text)).toBe(shown)
})

test('however a text is split, its parts are sanitized to the same', () => {
  const hiding = fc.constantFrom('\u200b', '\u200c', '\u200d', '\ufe0f', 'é', 'ខ', '👩', 'a', ' ', '\u2060')
  const text = fc.string({ unit: fc.oneof(hiding, fc.string({ unit: 'binary', maxLength: 1 })) })
  fc.assert(
    fc.property(fc.array(text), (parts) => {
      const shown = parts.map((part, i) => sanitize(part, parts.slice(0, i).join('')))
      expect(shown.join('')).toBe(sanitize(parts.join('')))
    }),
  )
})

test('an answer that streams one character at a time is shown as the whole', () => {
  const text = 'pass\u200bword 👩\u200d🚀 نمی\u200cخواهم é\u200d\u200cb\n'
  let written = ''
  const write = (part: string) => {
    written += part
  }
  const columns = () => 80
  for (const writer of [
    createTextWriter(write, columns),
    createMarkdownWriter(write, columns, makeStyle(false)),
  ]) {
    written = ''
    for (const unit of text.split('')) writer.push(unit)
    writer.end()
    expect(written.trim()).toBe(sanitize(text).trim())
  }
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
