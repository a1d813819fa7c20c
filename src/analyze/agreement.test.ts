import { expect, test } from 'vitest'
import { cpuMsSince } from '../../test/cpu-time.ts'
import { findAgreement, groupByKept } from './agreement.ts'

const proposals = [
  'Air scatters short waves more than long ones. Blue light is scattered about ten times as strongly as red.',
  'Blue light is scattered in all directions, about five times as strongly as red. Lord Rayleigh explained this in 1871.',
  'The eye sees violet badly. It was John Tyndall who explained all this in 1859.',
]

test('a point is what several proposals say in similar words, and numbers in it that differ are named', () => {
  const { points } = findAgreement(proposals)
  expect(points[0]).toMatchObject({
    text: 'Blue light is scattered about ten times as strongly as red.',
    proposals: [0, 1],
    isInAnswer: false,
  })
  expect(points[0]?.differences).toEqual([
    [
      { text: 'ten', proposals: [0], isInAnswer: false },
      { text: 'five', proposals: [1], isInAnswer: false },
    ],
  ])
  expect(points.filter((p) => p.proposals.length === 1).map((p) => p.text)).toContain(
    'The eye sees violet badly.',
  )
})

test('names differ too, in any case of the words around them', () => {
  const { points } = findAgreement([
    'The capital of the country is Canberra, as everyone knows.',
    'the capital of the country is Sydney, as everyone knows',
    'The capital of the country is Canberra, as everyone knows.',
  ])
  expect(points).toHaveLength(1)
  expect(points[0]?.proposals).toEqual([0, 1, 2])
  expect(points[0]?.differences.flat().map(({ text, proposals }) => [text, proposals])).toEqual([
    ['Canberra', [0, 2]],
    ['Sydney', [1]],
  ])
})

test('what the answer took is marked, with the number that it chose', () => {
  const { points } = findAgreement(
    proposals,
    'Blue light is scattered about five times as strongly as red, and the eye sees violet badly.',
  )
  expect(points[0]?.isInAnswer).toBe(true)
  expect(points[0]?.differences[0]?.map(({ text, isInAnswer }) => [text, isInAnswer])).toEqual([
    ['ten', false],
    ['five', true],
  ])
  expect(points.find((p) => p.text.startsWith('Lord Rayleigh'))?.isInAnswer).toBe(false)
})

test('final answers are grouped: marked ones, results of sums, and short texts', () => {
  const drafts = ['17 × 24 = 340 + 68 = 408', 'So the answer is 408.', String.raw`It is $\boxed{398}$.`]
  const finals = findAgreement(drafts, 'The answer is 408').finals
  expect(finals).toEqual([
    { text: '408', proposals: [0, 1], isInAnswer: true },
    { text: '398', proposals: [2], isInAnswer: false },
  ])
  expect(
    findAgreement(['It is 12.', '3 × 4 = 12'], 'It is 12, as 3 × 2 is 6 and 6 × 2 is more.').finals,
  ).toEqual([{ text: '12', proposals: [0, 1], isInAnswer: true }])
  expect(findAgreement(['Paris.', 'It is Lyon', 'Paris']).finals.map((f) => f.text)).toEqual([
    'paris',
    'it is lyon',
  ])
  expect(findAgreement(proposals).finals).toEqual([])
})

test('one number in bold type is a final answer, headings and lists of numbers are none', () => {
  const drafts = [
    '**24 times.** The hands meet once per hour.',
    '**22 times.** There are 11 in half a day.',
    'So it is 22 times.',
  ]
  expect(findAgreement(drafts, 'It is **22**, not 24.').finals).toEqual([
    { text: '22', proposals: [1, 2], isInAnswer: true },
    { text: '24', proposals: [0], isInAnswer: false },
  ])
  const recipe = 'Take **3 eggs** and **200 g** of flour, stir them well and bake them.'
  const parts = '**1. Start** with all of the flour in one bowl, and then go on with the eggs.'
  expect(findAgreement([recipe, recipe, recipe]).finals).toEqual([])
  expect(findAgreement([parts, parts]).finals).toEqual([])
})

test('code, short sentences and Markdown marks are no points', () => {
  const code = '```py\nprint("one two three four five")\n```\n\nSure!\n\n- **This is** the only point here.\n'
  expect(findAgreement([code, code]).points.map((p) => [p.text, p.proposals])).toEqual([
    ['This is the only point here.', [0, 1]],
  ])
  expect(findAgreement(['```\nnever closed, so all of it is code']).points).toEqual([])
})

test('scripts without spaces are compared by character', () => {
  const { points } = findAgreement(['天空是蓝色的，高度是8公里。', '天空是蓝色的，高度是9公里。'])
  expect(points[0]?.differences.flat().map((v) => v.text)).toEqual(['8', '9'])
})

test('hostile and long texts take bounded time', () => {
  const long = Array.from(
    { length: 3_000 },
    (_, i) => `word${i % 50} says that house ${i} is number ${i * 7} here.`,
  )
  const start = process.cpuUsage()
  findAgreement([
    long.join(' '),
    long.join('\n'),
    '`'.repeat(100_000),
    '1'.repeat(100_000),
    'a '.repeat(100_000),
  ])
  findAgreement(['~~~\n'.repeat(20_000), '```\n'.repeat(20_001)])
  expect(cpuMsSince(start)).toBeLessThan(5_000)
})

test('aggregations are grouped by the proposal that they kept', () => {
  const kept = groupByKept(
    [
      proposals[1] as string,
      `${proposals[1]} Indeed.`,
      'Something else in other words altogether.',
      proposals[2] as string,
    ],
    proposals,
  )
  expect(kept).toEqual([
    { proposal: 1, aggregations: [0, 1] },
    { aggregations: [2] },
    { proposal: 2, aggregations: [3] },
  ])
})
