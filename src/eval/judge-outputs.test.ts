import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Engine } from '../core/provider/engine.ts'
import { scriptedEngine } from '../engines/scripted/scripted.ts'
import { judgeOutputs, toAnnotations } from './judge-outputs.ts'
import { judgeMessages, ownJudgeTemplate, readJudgeTemplate } from './judge-template.ts'
import { type OutputPair, pairOutputs, readOutputs } from './outputs.ts'
import { isSwitched, readVerdict, unswitch } from './preference.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'judge-'))
const write = (name: string, text: string) => {
  const file = path.join(folder, name)
  writeFileSync(file, text)
  return file
}
const logprobs = (...top: [string, number][]) => [
  { token: top[0]?.[0] ?? '', logprob: 0, top: top.map(([token, p]) => ({ token, logprob: Math.log(p) })) },
]

describe('a verdict', () => {
  test.each([
    [{ text: 'm', logprobs: logprobs(['m', 0.6], ['M', 0.2], ['The', 0.1]) }, 1.25, 'logprobs'],
    [{ text: 'M', logprobs: logprobs(['M', 0.9], ['x', 0.05]) }, 2, 'logprobs'],
    [{ text: 'm', logprobs: logprobs([' m', 0.9], ['"M"', 0.05]) }, null, 'nothing'],
    [{ text: 'm', logprobs: [{ token: 'm', logprob: -0.1 }] }, 1, 'logprobs'],
    [{ text: ' M\n' }, 2, 'token'],
    [{ text: 'Both' }, null, 'nothing'],
  ])('%j is %j by %s', (completion, preference, by) => {
    const verdict = readVerdict(completion)
    expect(verdict.by).toBe(by)
    if (preference === null) expect(verdict.preference).toBeNull()
    else expect(verdict.preference).toBeCloseTo(preference, 12)
  })

  test('is the same for the model in both orders', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 1 }), fc.double({ min: 0.01, max: 1 }), (model, baseline) => {
        const first = readVerdict({ text: '', logprobs: logprobs(['m', model], ['M', baseline]) })
        const second = readVerdict({ text: '', logprobs: logprobs(['m', baseline], ['M', model]) })
        const [shownFirst, shownSecond] = [
          unswitch(first.preference, true),
          unswitch(second.preference, false),
        ]
        expect(shownFirst).toBeCloseTo(shownSecond as number, 12)
      }),
    )
  })

  test('follows the order of the Python rule, by instruction and seed', () => {
    const orders = (text: string) => [0, 1, 2, 3, 4, 5].map((seed) => isSwitched(text, seed))
    expect(orders('')).toEqual([false, false, true, true, true, true])
    expect(orders('Was ist π? 🙂')).toEqual([false, false, false, true, true, false])
  })
})

describe('a template', () => {
  test('is split into messages, and filled in one pass', async () => {
    const text =
      '<|im_start|>system\nJudge.\n<|im_end|>\n<|im_start|>user\n{instruction}: {output_1} or {output_2}?\n<|im_end|>'
    const template = await readJudgeTemplate(write('template.txt', text))
    const messages = judgeMessages(template, { instruction: 'q', outputs: ['{output_2}', '$& {x}'] })
    expect(messages).toEqual([
      { role: 'system', content: 'Judge.' },
      { role: 'user', content: 'q: {output_2} or $& {x}?' },
    ])
    expect(template.id).toBe('template.txt')
  })

  test('is refused if a mark is missing', async () => {
    const file = write('short.txt', '{instruction} {output_1}')
    await expect(readJudgeTemplate(file)).rejects.toThrow(/short.txt: .*\{output_2\}/)
  })
})

const row = (instruction: string, output: string, generator: string) => ({ instruction, output, generator })
const baseline = write(
  'base.json',
  JSON.stringify([row('a', 'A', 'base'), row('b', 'B', 'base'), row('c', 'C', 'base')]),
)
const read = async (rows: object[]) =>
  pairOutputs(await readOutputs(write('own.json', JSON.stringify(rows))), await readOutputs(baseline))

describe('outputs that are refused, with file and row', () => {
  test.each([
    [
      'another order',
      [row('b', '1', 'own'), row('a', '2', 'own')],
      /own.json:1: row 2: is row 1 of .*base.json/,
    ],
    ['unknown instruction', [row('z', '1', 'own')], /row 1: .*base.json has no such instruction/],
    ['twice', [row('a', '1', 'own'), row('a', '2', 'own')], /row 2: has the same instruction as row 1/],
    ['no generator', [{ instruction: 'a', output: '1' }], /row 1: expected `generator` to name a model/],
    ['annotations', [{ instruction: 'a', output_1: '1' }], /row 1: .*Is this a file of annotations/],
    ['swapped', [row('a', '1', 'gpt4_1106_preview')], /own.json: .*Are the two files swapped/],
  ])('%s', async (_, rows, message) => {
    await expect(read(rows)).rejects.toThrow(message)
  })

  test('fewer rows keep their order', async () => {
    const pairs = await read([row('a', '1', 'own'), row('c', '3', 'own')])
    expect(pairs.map(({ row, output, baseline }) => [row, output, baseline])).toEqual([
      [1, '1', 'A'],
      [2, '3', 'C'],
    ])
  })
})

const pairs = ['a', 'b', 'c', 'd'].map(
  (instruction, i): OutputPair => ({
    instruction,
    output: `own ${instruction}`,
    baseline: `base ${instruction}`,
    row: i + 1,
  }),
)
const judgeWith = (judge: Engine, journal: string, more: object = {}) =>
  judgeOutputs({
    pairs,
    generators: ['base', 'own'],
    engines: { judge },
    judge: 'judge',
    template: ownJudgeTemplate,
    seed: 0,
    active: 2,
    version: '0',
    journal: path.join(folder, journal),
    ...more,
  })

describe('judging', () => {
  test('a judge that always prefers the output shown first gives preferences that follow the order', async () => {
    const { judgments } = await judgeWith(scriptedEngine([{ replies: ['m'] }]), 'first.journal')
    expect(judgments.map((j) => j?.preference)).toEqual(
      pairs.map((p) => (isSwitched(p.instruction, 0) ? 2 : 1)),
    )
    expect(judgments.every((j) => j?.by === 'token')).toBe(true)
  })

  test('a judged pair is not judged again, and a failed one is', async () => {
    const error = { kind: 'server' as const, message: 'down' }
    const failing = scriptedEngine([{ when: 'base c', replies: [{ error }] }, { replies: ['M'] }])
    const first = await judgeWith(failing, 'again.journal')
    expect(first.failures.map(({ id }) => id)).toEqual(['3'])
    expect(first.judgments[2]).toBeUndefined()
    const whole = scriptedEngine([{ when: 'base c', replies: ['M'] }]) // any other request is an error
    const second = await judgeWith({ ...whole, id: failing.id }, 'again.journal')
    expect(second.failures).toEqual([])
    expect(second.judgments.map((j) => j?.text)).toEqual(['M', 'M', 'M', 'M'])
    expect(readFileSync(path.join(folder, 'again.journal'), 'utf8').match(/"done"/g)).toHaveLength(4)
  })

  test('a journal of another judge, or of other outputs, is refused', async () => {
    const judge = scriptedEngine([{ replies: ['m'] }])
    await judgeWith(judge, 'bound.journal')
    const other = { ...judge, id: 'other' }
    await expect(judgeWith(other, 'bound.journal')).rejects.toThrow(
      /judge: the journal has .* now it is "other"/,
    )
    const changed = pairs.map((pair) => ({ ...pair, output: 'new' }))
    await expect(judgeWith(judge, 'bound.journal', { pairs: changed })).rejects.toThrow(/"1" is not the one/)
  })

  test('a judge that cannot work at all ends the run', async () => {
    const error = { kind: 'auth' as const, message: 'no key' }
    const many = Array.from({ length: 20 }, (_, i) => ({
      ...(pairs[0] as OutputPair),
      instruction: `${i}`,
      row: i + 1,
    }))
    const judge = scriptedEngine([{ replies: [{ error }] }])
    await expect(judgeWith(judge, 'auth.journal', { pairs: many })).rejects.toThrow(/no key/)
  })

  test('annotations have the form of the benchmark’s own rows', async () => {
    const { judgments } = await judgeWith(scriptedEngine([{ replies: ['neither'] }]), 'none.journal')
    const [first] = toAnnotations(pairs, judgments, { generators: ['base', 'own'], annotator: 'j' })
    expect(first).toMatchObject({
      output_1: 'base a',
      generator_1: 'base',
      output_2: 'own a',
      preference: null,
    })
  })
})
