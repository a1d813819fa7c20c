import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createReasoningSplitter, splitReasoning } from './reasoning.ts'

function splitDeltas(deltas: string[]): { text: string; reasoning: string; restarts: number } {
  const parts = { text: '', reasoning: '', restarts: 0 }
  const splitter = createReasoningSplitter((part, text) => {
    if (part === 'restart') {
      parts.restarts++
      ;[parts.text, parts.reasoning] = ['', parts.text]
    } else parts[part] += text
  })
  for (const delta of deltas) splitter.push(delta)
  splitter.end()
  return parts
}

describe('what is reasoning', () => {
  const cases: [string, string, string, string][] = [
    ['no tag', ' plain < text </b> ', ' plain < text </b> ', ''],
    ['nothing', '', '', ''],
    ['white space only', ' \n', ' \n', ''],
    ['a block first', '<think>\nwhy\n</think>\n\nSo.', 'So.', 'why\n'],
    ['white space before the block', '\n <think>why</think>So.', 'So.', 'why'],
    ['the long tag, in capitals', '<Thinking>why</THINKING>So.', 'So.', 'why'],
    ['the tags of LongCat', '<longcat_think>why</longcat_think>So.', 'So.', 'why'],
    ['the tags of MiniMax', '<mm:think>why</mm:think>So.', 'So.', 'why'],
    ['the tags of MedGemma', '<unused94>thought\nwhy<unused95>So.', 'So.', 'why'],
    [
      'the tags of OpenThinker',
      '<|begin_of_thought|>why<|end_of_thought|><|begin_of_solution|>So.<|end_of_solution|>',
      'So.',
      'why',
    ],
    [
      'the tags of Command A',
      '<|START_THINKING|>why<|END_THINKING|><|START_RESPONSE|>So.<|END_RESPONSE|>',
      'So.',
      'why',
    ],
    ['an empty block', '<think>\n\n</think>\n\nSo.', 'So.', ''],
    ['two blocks', '<think>a</think>\n<think>b</think>So.', 'So.', 'ab'],
    ['a block between lines', 'First.\n<think>hm</think>\nThen.', 'First.\nThen.', 'hm'],
    ['a block cut by length', '<think>I was about to', '', 'I was about to'],
    ['a later block cut by length', 'First.\n<think>I was', 'First.\n', 'I was'],
    ['a closing tag cut by length', '<think>hm</thi', '', 'hm</thi'],
    ['an orphan closing tag', 'I muse.\n</think>\n\nSo.', 'So.', 'I muse.\n'],
    ['an orphan closing tag first', '</think>So.', 'So.', ''],
    ['an orphan closing tag last', 'I muse.</think>', '', 'I muse.'],
    ['a second closing tag', '<think>a</think>So.</think> Yes.', 'So. Yes.', 'a'],
    ['an opening tag within a block', '<think>a<think>b</think>So.', 'So.', 'a<think>b'],
    ['a pair within a line', 'Write <think>x</think> first.', 'Write <think>x</think> first.', ''],
    [
      'tags between backticks',
      'The `<think>` and `</think>` tags.',
      'The `<think>` and `</think>` tags.',
      '',
    ],
    [
      'a backticked closing tag within a block',
      '<think>close with `</think>`!</think>So.',
      'So.',
      'close with `</think>`!',
    ],
    ['code just before the closing tag', '<think>call `f`</think>So.', 'So.', 'call `f`'],
    ['the tags of Magistral', '[THINK]why[/THINK]So.', 'So.', 'why'],
    ['the same in small letters', '[think]\nwhy [/think]', '[think]\nwhy [/think]', ''],
    ['the tags of Gemini and Gemma', '<thought>\nwhy</thought>\nSo.', 'So.', 'why'],
    ['the channel of Gemma', '<|channel>thought\nwhy<channel|>So.', 'So.', 'why'],
    ['the tags of Seed', '<seed:think>why</seed:think>So.', 'So.', 'why'],
    ['the tags of Kimi', '◁think▷why◁/think▷So.', 'So.', 'why'],
    ['a closing tag of another family', '<thought>a</think>b</thought>So.', 'So.', 'a</think>b'],
    ['an orphan closing tag of Magistral', 'I muse.[/THINK]So.', 'So.', 'I muse.'],
    [
      'the channels of harmony',
      '<|channel|>analysis<|message|>why<|end|><|start|>assistant<|channel|>final<|message|>So.<|return|>',
      'So.',
      'why',
    ],
    [
      'channels that follow at once',
      '<|channel|>analysis<|message|>why<|channel|>final<|message|>So.',
      'So.',
      'why',
    ],
    [
      'channels after an unnamed first one',
      'why<|end|><|start|>assistant<|channel|>final <|constrain|>json<|message|>{}',
      '{}',
      'why',
    ],
    [
      'a channel of remarks between others',
      '<|channel|>analysis<|message|>a<|end|><|channel|>commentary<|message|>Let me look.<|end|><|channel|>analysis<|message|>b<|end|><|channel|>final<|message|>So.',
      'Let me look.So.',
      'ab',
    ],
    ['the end of a message without a channel', 'Write <|end|> here.', 'Write <|end|> here.', ''],
    ['brackets and links', 'See [1] and [a](b) in a[0] < b.', 'See [1] and [a](b) in a[0] < b.', ''],
    ['something that only begins like a tag', 'a <thinker> b <thin', 'a <thinker> b <thin', ''],
  ]
  it.each(cases)('%s', (_, whole, text, reasoning) => {
    expect(splitReasoning(whole)).toEqual({ text, reasoning })
  })
})

describe('deltas', () => {
  it('are handed on at once unless they may become a tag', () => {
    const taken: string[] = []
    const splitter = createReasoningSplitter((part, text) => taken.push(`${part}:${text}`))
    for (const delta of ['Hi', ' a <', 'b', ' </th', 'en']) splitter.push(delta)
    expect(taken).toEqual(['text:Hi', 'text: a ', 'text:<b', 'text: ', 'text:</then'])
  })

  it('restart once where an orphan closing tag comes after text, and never otherwise', () => {
    expect(splitDeltas(['I ', 'muse', '</th', 'ink>', '\nSo', '</think>']).restarts).toBe(1)
    expect(splitDeltas(['<think>a', '</think>', 'b</think>']).restarts).toBe(0)
    expect(splitDeltas(['</think>', 'b']).restarts).toBe(0)
  })

  it('give the same as the whole text, however it is cut', () => {
    const word = fc.constantFrom(
      '<think>',
      '</think>',
      '<thinking>',
      '</Thinking>',
      '<thi',
      'nk>',
      '`',
      '\n',
      ' ',
      '<',
      'a',
      '>',
      '[THINK]',
      '[/THINK]',
      '<thought>',
      '</thought>',
      '<|channel|>analysis<|message|>',
      '<|channel|>final<|message|>',
      '<|start|>assistant',
      '<|end|>',
      '<|',
      '|>',
      '◁',
    )
    const cuts = fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 12 })
    fc.assert(
      fc.property(fc.array(word, { maxLength: 14 }), cuts, (words, at) => {
        const whole = words.join('')
        const places = [0, ...at.filter((i) => i < whole.length).sort((a, b) => a - b), whole.length]
        const deltas = places.slice(1).map((end, i) => whole.slice(places[i], end))
        const { text, reasoning } = splitDeltas(deltas)
        expect({ text, reasoning }).toEqual(splitReasoning(whole))
        expect(splitDeltas([...whole])).toMatchObject({ text, reasoning })
      }),
      { numRuns: 3000 },
    )
  })

  it('lose nothing but tags and white space', () => {
    const word = fc.constantFrom('<think>', '</think>', 'a', 'b', '\n', ' ')
    fc.assert(
      fc.property(fc.array(word, { maxLength: 14 }), (words) => {
        const { text, reasoning } = splitReasoning(words.join(''))
        const letters = (s: string) => s.replace(/<\/?think>|\s/g, '')
        const sorted = (s: string) => [...letters(s)].sort().join('')
        expect(sorted(text + reasoning)).toBe(sorted(words.join('')))
      }),
    )
  })
})
