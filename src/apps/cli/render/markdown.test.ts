import { stripVTControlCharacters } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cpuMsSince } from '../../../../test/cpu-time.ts'
import { createMarkdownWriter } from './markdown.ts'
import { makeStyle } from './style.ts'
import { widthOf } from './text.ts'

function draw(pieces: string[], columns = 40, hasColors = false): string {
  let out = ''
  const writer = createMarkdownWriter(
    (text) => {
      out += text
    },
    () => columns,
    makeStyle(hasColors),
  )
  for (const piece of pieces) writer.push(piece)
  writer.end()
  return out
}

const document = `## The *quadratic* formula

Roots of $$ax^2+bx$$ are \\(x_1\\), see [the page](https://example.org). 2 * 3 * 4 = 24, snake_case_name, \\*no\\*.

- **first** item, long enough to wrap
  - nested \`code\`
1. one
> a quote that is long enough to be wrapped

---
| name | what it does |
|---|:---:|
| \`aft\` | aggregates **proposals** into one answer |
| b \\| c | x |

\`\`\`python
print("**not bold**, and a long line that stays whole")
\`\`\`
an **open mark
`

test('headings, lists, quotes, rules and tables are drawn; code and formulas stay as they are', () => {
  expect(draw([document])).toBe(`The quadratic formula

Roots of $$ax^2+bx$$ are \\(x_1\\), see
the page (https://example.org). 2 * 3 *
4 = 24, snake_case_name, *no*.

• first item, long enough to wrap
  • nested code
1. one
│ a quote that is long enough to be
│ wrapped

${'─'.repeat(40)}
name   what it does
─────  ${'─'.repeat(33)}
aft    aggregates proposals into one
       answer
b | c  x

\`\`\`python
print("**not bold**, and a long line that stays whole")
\`\`\`
an **open mark
`)
})

test('bold, italic, code, links and headings are painted, and each word by itself', () => {
  expect(draw(['# A *b*\n**c d** `e` _f_ [g](h)\n'], 7, true)).toBe(
    '\x1b[1mA\x1b[22m \x1b[3m\x1b[1mb\x1b[22m\x1b[23m\n' +
      '\x1b[1mc\x1b[22m \x1b[1md\x1b[22m \x1b[36me\x1b[39m \x1b[3mf\x1b[23m\ng \x1b[2m(h)\x1b[22m\n',
  )
})

test('the words are on the screen before the line or the answer ends', () => {
  let out = ''
  const writer = createMarkdownWriter(
    (text) => (out += text),
    () => 40,
    makeStyle(false),
  )
  writer.push('One two **thr')
  expect(out).toBe('One two')
  writer.push('ee** four')
  expect(out).toBe('One two three')
  writer.push('\n')
  expect(out).toBe('One two three four\n')
})

const piece = fc.oneof(
  fc.constantFrom(
    '**',
    '*',
    '_',
    '`',
    '```\n',
    '# ',
    '- ',
    '> ',
    '| a | b |\n',
    '|-|-|\n',
    '\n',
    ' ',
    '[',
    '](',
    ')',
    '\\(',
    '$$',
    '1. ',
  ),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
)

test('however a text is split, the same is drawn, and no control character of a model is in it', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 24 }), fc.integer({ min: 8, max: 60 }), (pieces, columns) => {
      const whole = draw([pieces.join('')], columns, true)
      expect(draw(pieces, columns, true)).toBe(whole)
      expect(draw([...pieces.join('')], columns, true)).toBe(whole)
      expect(stripVTControlCharacters(whole)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
    }),
  )
})

test('lines of words are no wider than the terminal', () => {
  const words = fc.array(
    fc.constantFrom('a', 'words', '**bold words**', '`code`', '日本語', '- ', '\n', '> '),
    { maxLength: 40 },
  )
  fc.assert(
    fc.property(words, (parts) => {
      const lines = draw([parts.join(' ')], 20).split('\n')
      for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(20)
    }),
  )
})

test('many marks that are never closed cost little time', () => {
  const start = process.cpuUsage()
  for (const mark of ['*', '_', '`', '[', '\\(', '**a ', '|', '> ']) draw([mark.repeat(20_000)], 80)
  expect(cpuMsSince(start)).toBeLessThan(5_000)
})
