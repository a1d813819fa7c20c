/** Sums: which numbers of a list have the given sum? */
import { shuffle } from '../../lib/random.ts'
import { type PuzzleKind, pick, type Random } from './puzzle.ts'

const wordings = [
  (list: string, count: number, sum: number) => `Numbers: ${list}. ${count} of them sum to ${sum}.`,
  (list: string, count: number, sum: number) => `Prices: ${list}. Buy ${count} things for exactly ${sum}.`,
]

/** Finds all lists of `count` places whose numbers have the sum. */
function findPlaces(numbers: number[], count: number, sum: number, from = 0): number[][] {
  if (count === 0) return sum === 0 ? [[]] : []
  return numbers
    .slice(from)
    .flatMap((value, i) =>
      findPlaces(numbers, count - 1, sum - value, from + i + 1).map((rest) => [from + i, ...rest]),
    )
}

const someNumbers = (count: number, random: Random) =>
  shuffle(
    Array.from({ length: 29 }, (_, i) => i + 2),
    random,
  ).slice(0, count)

/** `count` places of a list, in its order. */
function somePlaces(length: number, count: number, random: Random): number[] {
  const places = shuffle([...Array(length).keys()], random)
  return places.slice(0, count).sort((a, b) => a - b)
}

/** `steps` numbers of a list with a given sum, in the list's order. */
export const sums: PuzzleKind = {
  about: 'numbers of a list that have a given sum',
  wordings: wordings.length,
  make(random, { choices, steps }, wording) {
    for (;;) {
      const numbers = someNumbers(Math.min(steps + choices + 1, 12), random)
      const chosen = somePlaces(numbers.length, steps, random)
      const say = (places: number[]) => places.map((i) => numbers[i]).join(' ')
      const sum = chosen.reduce((total, i) => total + (numbers[i] as number), 0)
      if (findPlaces(numbers, steps, sum).length !== 1) continue
      const wrong = Array.from({ length: choices - 1 }, () => somePlaces(numbers.length, steps, random))
      return {
        question: (wordings[wording] as (typeof wordings)[0])(numbers.join(' '), steps, sum),
        answer: say(chosen),
        guess: (seeded) => say(pick([chosen, ...wrong], seeded)),
      }
    }
  },
}
