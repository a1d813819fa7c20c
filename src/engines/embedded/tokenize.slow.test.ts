import fs from 'node:fs'
import fc from 'fast-check'
import type { LlamaModel } from 'node-llama-cpp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openLibrary } from '../../../test/native-library.ts'
import { resolveModel } from '../models/models.ts'
import { rememberWords } from './tokenize.ts'

let model: LlamaModel
let [library, ours] = [(_: string): number[] => [], (_: string): number[] => []]
let asked = 0
beforeAll(async () => {
  const { file } = await resolveModel('smollm2')
  const llama = await openLibrary()
  model = await llama.loadModel({ modelPath: file, vocabOnly: true })
  library = (text) => model.tokenize(text, false)
  const { ggml } = model.fileInfo.metadata.tokenizer as unknown as {
    ggml: { tokens: string[]; token_type: number[]; pre: string }
  }
  const counted = (text: string) => {
    asked++
    return library(text)
  }
  ours = rememberWords(counted, { split: ggml.pre, tokens: ggml.tokens, tokenTypes: ggml.token_type })
})
afterAll(() => model?.dispose())

const piece = fc.oneof(
  fc.constantFrom(
    'the',
    ' The',
    "don't",
    "it's",
    "I'd've",
    'naïve',
    '12,345.67',
    '####',
    '$x^2$',
    '½',
    'ª',
    '¹',
    '“Yes”',
    '…',
  ),
  fc.constantFrom(
    ' ',
    '  ',
    '\n',
    '\n\n',
    '\n \n',
    '\t',
    '\r\n',
    '    ',
    ' \t',
    '',
    '東京',
    '🙂',
    '\u00a0',
    '\u0085',
    '\u00ad',
  ),
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.string({ unit: 'binary-ascii', maxLength: 10 }),
  fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
)

test('texts have the same tokens as from the library', () =>
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      // Most texts are plain, with one odd word here and there.
      const text = `${pieces.join('')} ${'plain words, and 2 numbers. '.repeat(pieces.length % 7)}${pieces.slice(3, 5).join('')}`
      expect(ours(text)).toEqual(library(text))
    }),
    { numRuns: 4000 },
  ))

test('so have the answers of real systems, most of them without the library', () => {
  const file = '../shared/data/alpaca-eval/outputs'
  const folder = fs.existsSync(file) ? file : undefined
  const own = ['README.md', 'LOG.md', 'CHANGELOG.md', 'src/core/fit.ts'].map((name) =>
    fs.readFileSync(name, 'utf8'),
  )
  const texts = (folder ? fs.readdirSync(folder).slice(0, 1) : []).flatMap((name) =>
    (JSON.parse(fs.readFileSync(`${folder}/${name}`, 'utf8')) as { output: string }[])
      .slice(0, 200)
      .map((row) => row.output),
  )
  for (const text of [...own, ...texts]) expect(ours(text)).toEqual(library(text))
  asked = 0
  for (const text of own) ours(text)
  expect(asked).toBeLessThan(100)
})

test('a vocabulary that is split in another way is left to the library', () => {
  for (const split of [undefined, 'llama-bpe'])
    expect(rememberWords(library, { split, tokens: ['a'], tokenTypes: [1] })).toBe(library)
  expect(rememberWords(library, { split: 'smollm', tokens: ['a', 'b'], tokenTypes: [1, 4] })).toBe(library)
})
