import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Annotation, type Annotations, readAnnotations } from './annotations.ts'
import { type LengthControls, readLengthControls } from './length-controls.ts'
import { computeWinRate } from './win-rate.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'win-rate-'))
const write = (name: string, text: string) => {
  const file = path.join(folder, name)
  writeFileSync(file, text)
  return file
}
const toFile = (rows: Annotation[], generators: [string, string] = ['base', 'model']): Annotations => ({
  file: 'annotations.json',
  rows,
  generators,
  annotators: [],
  isBenchmark: false,
})

const annotation = fc.record({
  instruction: fc.uuid(),
  outputs: fc.tuple(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 400 })),
  preference: fc.double({ min: 1, max: 2, noNaN: true }),
})
const rowsOf = (given: { instruction: string; outputs: [number, number]; preference: number }[]) =>
  given.map(
    ({ outputs: [a, b], ...row }): Annotation => ({ ...row, outputs: ['x'.repeat(a), 'y'.repeat(b)] }),
  )
const many = fc.array(annotation, { minLength: 8, maxLength: 40 }).map(rowsOf)
const controls: LengthControls = {
  difficulty: Array.from({ length: 40 }, (_, i) => Math.sin(i * 12.9)),
  gamed: Array.from({ length: 80 }, (_, i) => ({
    preference: 0.5 + 0.4 * Math.sin(i),
    lengthDifference: 3 * Math.cos(i * 7.1),
    difficulty: Math.sin((i % 40) * 12.9),
  })),
}
const variants: [string, LengthControls | undefined][] = [
  ['full', controls],
  ['minimal', undefined],
]

describe.each(variants)('%s', (variant, given) => {
  test('a system against itself wins half', () => {
    fc.assert(
      fc.property(many, (rows) => {
        const self = rows.map((row): Annotation => ({ ...row, outputs: [row.outputs[0], row.outputs[0]] }))
        const ties = self.map((row) => ({ ...row, preference: 1.5 }))
        const byNoise = computeWinRate(toFile(self, ['same', 'same']), given)
        const byTies = computeWinRate(toFile(ties), given)
        expect(byNoise.lc_win_rate).toBe(50)
        expect(byTies).toMatchObject({ win_rate: 50, variant })
        expect(byTies.lc_win_rate).toBeCloseTo(50, 6)
      }),
    )
  })

  test('a constant added to both lengths changes nothing', () => {
    fc.assert(
      fc.property(many, fc.integer({ min: 1, max: 300 }), (rows, more) => {
        const pad = (text: string) => text + 'z'.repeat(more)
        const longer = rows.map(
          ({ outputs: [a, b], ...row }): Annotation => ({
            ...row,
            outputs: [pad(a), pad(b)],
          }),
        )
        const [short, long] = [computeWinRate(toFile(rows), given), computeWinRate(toFile(longer), given)]
        expect(long.lc_win_rate).toBe(short.lc_win_rate)
        expect(long.mean_length_chars).toBeCloseTo(short.mean_length_chars + more, 6)
      }),
    )
  })

  test('rates and errors are numbers from 0 to 100, even for a one-sided judge', () => {
    fc.assert(
      fc.property(many, fc.constantFrom(1, 2, undefined), (rows, side) => {
        const judged = rows.map((row) => ({ ...row, preference: side ?? row.preference }))
        const rate = computeWinRate(toFile(judged), given)
        for (const value of [rate.win_rate, rate.lc_win_rate, rate.standard_error, rate.lc_standard_error]) {
          expect(value).toBeGreaterThanOrEqual(0)
          expect(value).toBeLessThanOrEqual(100)
        }
      }),
    )
  })
})

test('if the sides are swapped, a rate becomes 100 minus the rate', () => {
  fc.assert(
    fc.property(many, (rows) => {
      const swapped = rows.map(
        ({ outputs: [a, b], preference, ...row }): Annotation => ({
          ...row,
          outputs: [b, a],
          preference: 3 - (preference as number),
        }),
      )
      const turned = {
        ...controls,
        gamed: controls.gamed.map((g) => ({
          ...g,
          preference: 1 - g.preference,
          lengthDifference: -g.lengthDifference,
        })),
      }
      for (const [one, other] of [
        [undefined, undefined],
        [controls, turned],
      ] as const) {
        const [rate, back] = [computeWinRate(toFile(rows), one), computeWinRate(toFile(swapped), other)]
        expect(rate.win_rate + back.win_rate).toBeCloseTo(100, 8)
        expect(rate.lc_win_rate + back.lc_win_rate).toBeCloseTo(100, 4)
      }
    }),
  )
})

test('lengths count code points', () => {
  const rows = [{ instruction: 'a', outputs: ['🙂🙂', 'é🙂x'] as [string, string], preference: 1 }]
  expect(computeWinRate(toFile(rows))).toMatchObject({
    mean_length_chars: 3,
    baseline_mean_length_chars: 2,
    n: 1,
  })
})

test('a row without a preference is dropped with a warning', () => {
  const rows = [1, null, 2].map((preference, i) => ({
    instruction: String(i),
    outputs: ['a', 'b'] as [string, string],
    preference,
  }))
  const rate = computeWinRate(toFile(rows))
  expect(rate).toMatchObject({ win_rate: 50, n: 2, dropped_rows: [2] })
  expect(rate.warnings).toEqual([
    'fewer than 10 preferences (2): a standard error means little',
    '1 of 3 rows have no preference and are in no rate',
  ])
  const none = rows.map((row) => ({ ...row, preference: null }))
  expect(() => computeWinRate(toFile(none))).toThrow(/expected preferences, got none/)
})

const good = {
  instruction: 'Say hello.',
  output_1: 'Hello.',
  output_2: 'Hi.',
  preference: 1.25,
  generator_1: 'base',
  generator_2: 'model',
  annotator: 'judge',
}
const second = { ...good, instruction: 'Say bye.' }
const array = (...rows: object[]) => JSON.stringify(rows)

describe('annotations that are refused, with file and row', () => {
  test.each([
    [
      'no preference',
      array(good, { ...second, preference: undefined }),
      /row 2: .*`preference`.*got nothing/,
    ],
    ['one out of range', array({ ...good, preference: 2.5 }), /row 1: .*from 1 .* got 2.5/],
    ['one that is text', array({ ...good, preference: '1.5' }), /row 1: .*got "1.5"/],
    ['a missing answer', array({ ...good, output_1: undefined }), /row 1: expected `output_1` to be text/],
    [
      'no generator',
      array(good, { ...second, generator_2: undefined }),
      /row 2: expected `generator_2` to name/,
    ],
    ['two generators', array(good, { ...second, generator_2: 'x' }), /row 2: .*"model" as in row 1, got "x"/],
    ['a double', array(good, second, good), /row 3: has the same instruction as row 1/],
    [
      'outputs',
      array({ instruction: 'a', output: 'b', generator: 'c' }),
      /row 1: .*Is this a file of outputs/,
    ],
    ['swapped', array({ ...good, generator_2: 'gpt4_1106_preview' }), /row 1: .*Are the two files swapped/],
    ['no object', '[1]', /row 1: expected an object, got 1/],
    ['nothing', '[]', /expected rows, got none/],
    ['a cut file', `${array(good, second).slice(0, -20)}`, /row 2: expected a JSON object/],
    ['a broken line', `${JSON.stringify(good)}\n{"a":`, /:2: expected one JSON object/],
  ])('%s', async (name, text, message) => {
    const file = write(`${name}.json`, text)
    await expect(readAnnotations(file)).rejects.toThrow(message)
    await expect(readAnnotations(file)).rejects.toThrow(file)
  })

  test('NaN, as Python writes it, is no preference; a table by columns of pandas is read', async () => {
    const nan = write('nan.json', array(good, second).replace(/1\.25(?=[^.]*$)/, 'NaN'))
    const { rows } = await readAnnotations(nan)
    expect(rows.map((row) => row.preference)).toEqual([1.25, null])
    const columns = Object.keys(good) as (keyof typeof good)[]
    const table = Object.fromEntries(columns.map((name) => [name, { 0: good[name], 1: second[name] }]))
    const read = await readAnnotations(write('columns.json', JSON.stringify(table)))
    expect(read.rows).toEqual((await readAnnotations(write('array.json', array(good, second)))).rows)
  })

  test('a preference of 0 is a tie, and JSON lines are read', async () => {
    const file = write(
      'lines.jsonl',
      `${JSON.stringify({ ...good, preference: 0 })}\n${JSON.stringify(second)}\n`,
    )
    const { rows, generators, isBenchmark } = await readAnnotations(file)
    expect(rows.map((row) => row.preference)).toEqual([1.5, 1.25])
    expect({ generators, isBenchmark }).toEqual({ generators: ['base', 'model'], isBenchmark: false })
  })
})

describe("the benchmark's two files", () => {
  const gamed = write('gamed.csv', 'preference,std_delta_len,instruction_difficulty\n0.5,1,0.2\n')
  const difficulty = write('difficulty.csv', 'index,instruction_difficulty\n0,0.5\n1,-0.5\n')

  test('are read', async () => {
    expect(await readLengthControls(gamed, difficulty)).toEqual({
      difficulty: [0.5, -0.5],
      gamed: [{ preference: 0.5, lengthDifference: 1, difficulty: 0.2 }],
    })
  })

  test.each([
    ['swapped', difficulty, gamed, /difficulty.csv:1: .*Are two files swapped/],
    ['one twice', gamed, gamed, /gamed.csv:1: .*Are two files swapped/],
    [
      'no number',
      write('nan.csv', 'preference,std_delta_len,instruction_difficulty\n,1,1'),
      difficulty,
      /\.csv:2: .*got ""/,
    ],
    [
      'out of range',
      write('far.csv', 'preference,std_delta_len,instruction_difficulty\n7,1,1'),
      difficulty,
      /\.csv:2: .*got 7/,
    ],
    [
      'another order',
      gamed,
      write('order.csv', 'index,instruction_difficulty\n1,0\n0,0'),
      /\.csv:2: expected `index` to be 0/,
    ],
    [
      'a short row',
      gamed,
      write('short.csv', 'index,instruction_difficulty\n0,1\n1'),
      /:3: expected 2 cells, got 1/,
    ],
  ])('are refused: %s', async (_, one, other, message) => {
    await expect(readLengthControls(one, other)).rejects.toThrow(message)
  })

  test('must have at least as many rows as the annotations', () => {
    const rows = ['a', 'b', 'c'].map(
      (instruction): Annotation => ({
        instruction,
        outputs: ['x', 'y'],
        preference: 1,
      }),
    )
    const short = { difficulty: [0, 1], gamed: [] }
    expect(() => computeWinRate(toFile(rows), short)).toThrow(/at most 2 rows.*got 3/)
    const { warnings } = computeWinRate(toFile(rows.slice(0, 1)), { ...short, difficulty: [0, 1, 2] })
    expect(warnings[0]).toMatch(/^1 row, the baseline has 3/)
  })
})
