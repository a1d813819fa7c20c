import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkNumberedLines, readNumberedLines } from '../../files/numbered-lines.ts'
import { randomFrom } from '../../lib/random.ts'
import { generatePuzzles } from '../sources/puzzles.ts'
import { makePuzzleProblem, puzzleKinds, readPuzzleSpecs } from './problem.ts'

const kinds = Object.keys(puzzleKinds)
const lineOf = (text: string) => (readNumberedLines(text).get('1') as string).split(' ')

describe.each(kinds)('%s', (kind) => {
  test('each answer is right, and a guess is right about as often as there are choices', () => {
    const random = randomFrom(7)
    let right = 0
    for (let i = 0; i < 200; i++) {
      const problem = makePuzzleProblem(random, { kind, choices: 3, steps: 3, parts: 1 })
      expect(checkNumberedLines(problem.answer, problem.answer)).toEqual([true])
      if (checkNumberedLines(problem.guess(random), problem.answer)[0]) right++
    }
    expect(right).toBeGreaterThan(40)
    expect(right).toBeLessThan(95)
  })

  test('the same seed gives the same rows, another seed others', () => {
    const rows = (seed: number) => [...generatePuzzles(5, seed, `${kind}:parts=2,steps=2`)]
    expect(rows(3)).toEqual(rows(3))
    expect(rows(3).map(({ target }) => target)).not.toEqual(rows(4).map(({ target }) => target))
  })

  test('all sizes within reach have their parts and wordings', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.integer({ min: 2, max: kind === 'ladders' ? 3 : 4 }),
        fc.integer({ min: 1, max: 2 }),
        (seed, choices, parts) => {
          const problem = makePuzzleProblem(randomFrom(seed), { kind, choices, steps: 2, parts })
          expect(readNumberedLines(problem.question).size).toBe(parts)
          expect(readNumberedLines(problem.answer).size).toBe(parts)
        },
      ),
      { numRuns: 30 },
    )
  })
})

test('a route follows edges of the map from the start to the goal, and no other arm ends there', () => {
  for (const { prompt, target, responses } of generatePuzzles(50, 1, 'routes:wordings=1,choices=3')) {
    const question = String(prompt[0]?.content)
    const [, list = ''] = question.match(/Roads: (.*?)\. Go/) ?? []
    const edges = new Set(list.split(', '))
    const [, start, goal] = question.match(/from (\w) to (\w)\./) ?? []
    const route = lineOf(target as string)
    expect([route[0], route.at(-1)]).toEqual([start, goal])
    for (const [i, place] of route.slice(1).entries()) expect(edges).toContain(`${route[i]} ${place}`)
    for (const { text, score } of responses) expect(lineOf(text).at(-1) === goal).toBe(score === 1)
  }
})

test.each(Array.from({ length: puzzleKinds.routes?.wordings ?? 0 }, (_, i) => i + 1))(
  'wording %i of routes says every road of the answer, in its direction, and where it ends',
  (wording) => {
    for (const { prompt, target } of generatePuzzles(20, 2, `routes:wordings=${wording},choices=3`)) {
      const question = String(prompt[0]?.content)
      const route = lineOf(target as string)
      for (const [i, place] of route.slice(1).entries()) {
        expect(question).toMatch(new RegExp(`\\b${route[i]}\\W+(?:[a-z]+ ){0,4}${place}\\b`))
      }
      const named = (place: string) => question.split(new RegExp(`\\b${place}\\b`)).length - 1
      expect([named(route[0] as string), named(route.at(-1) as string)]).toEqual([4, 2])
    }
  },
)

test('exactly one connection of a timetable arrives in time', () => {
  for (const { prompt, target } of generatePuzzles(50, 1, 'timetables:wordings=1,choices=3')) {
    const question = String(prompt[0]?.content)
    const [, list = '', goal, by] = question.match(/Trains: (.*)\. Be in (\w+) by (\d+)/) ?? []
    const legs = list.split(', ').map((leg) => leg.split(' '))
    const inTime = legs.filter(([, , to, hour]) => to === goal && Number(hour) <= Number(by))
    expect(inTime).toHaveLength(1)
    expect(lineOf(target as string).at(-2)).toBe(inTime[0]?.[0])
    for (const [from, leaves, , arrives] of legs) {
      expect(Number(arrives)).toBeGreaterThan(Number(leaves))
      const before = legs.find(([, , to]) => to === from)
      if (before) expect(Number(before[3])).toBeLessThanOrEqual(Number(leaves))
    }
  }
})

test('the numbers of a sum have the sum', () => {
  for (const { prompt, target } of generatePuzzles(50, 1, 'sums:wordings=1')) {
    const [, sum] = String(prompt[0]?.content).match(/sum to (\d+)/) ?? []
    const numbers = lineOf(target as string).map(Number)
    expect(numbers.reduce((a, b) => a + b)).toBe(Number(sum))
  }
})

test('the order of guests agrees with each clue', () => {
  for (const { prompt, target } of generatePuzzles(50, 1, 'seating:wordings=1')) {
    const order = lineOf(target as string)
    const question = String(prompt[0]?.content)
    for (const [, a = '', b = ''] of question.matchAll(/(\w+) is left of (\w+)/g)) {
      expect(order.indexOf(a)).toBeLessThan(order.indexOf(b))
    }
    for (const [, a = '', b = ''] of question.matchAll(/(\w+) does not sit beside (\w+)/g)) {
      expect(Math.abs(order.indexOf(a) - order.indexOf(b))).toBeGreaterThan(1)
    }
  }
})

test('a ladder changes one letter per rung', () => {
  for (const { target } of generatePuzzles(50, 1, 'ladders')) {
    const rungs = lineOf(target as string)
    for (const [i, word] of rungs.slice(1).entries()) {
      expect([...word].filter((letter, at) => letter !== rungs[i]?.[at])).toHaveLength(1)
    }
  }
})

test('an answer is checked part by part', () => {
  const right = '(1) A B C\n(2) D E'
  expect(checkNumberedLines('So:\n (1)  A  B C.\n(2) D F', right)).toEqual([true, false])
  expect(checkNumberedLines('(1) X\n(1) A B C', right)).toEqual([true, false])
  expect(checkNumberedLines('', right)).toEqual([false, false])
})

test.each([
  ['rutes', 'there are no puzzles "rutes" (meant "routes"?)'],
  ['routes:arms=3', 'not "arms"'],
  ['routes:choices=1', 'expected choices of routes to be a whole number from 2 to 12, got "1"'],
  ['routes:parts=x', 'expected parts of routes to be a whole number from 1 to 12, got "x"'],
  ['sums:wordings=3', 'expected wordings of sums to be 1-2 or a part of it, got "3"'],
  ['routes:choices=9,steps=9', 'need 82 different names'],
  ['ladders:choices=12,steps=9', 'found no word ladders'],
])('%s is refused', (specs, message) => {
  expect(() => [...generatePuzzles(1, 0, specs)]).toThrow(message)
})

test('a list of puzzles is read with its sizes', () => {
  expect(readPuzzleSpecs('routes:choices=4,wordings=1-3 + sums')).toEqual([
    { kind: 'routes', choices: 4, steps: 3, parts: 1, wordings: [1, 3] },
    { kind: 'sums', choices: 2, steps: 3, parts: 1 },
  ])
})
