/** Seating: which order of the guests agrees with all clues? */
import { shuffle } from '../../lib/random.ts'
import { letters, people } from './names.ts'
import { type PuzzleKind, pick, takeNames } from './puzzle.ts'

interface Clue {
  text: string
  holds(order: string[]): boolean
}

const wordings = [
  { names: people, start: 'Guests in a row', before: 'is left of', beside: 'does not sit beside' },
  { names: letters, start: 'Jobs in order', before: 'comes before', beside: 'does not touch' },
]

function listOrders(items: string[]): string[][] {
  if (items.length < 2) return [items]
  return items.flatMap((item, i) =>
    listOrders([...items.slice(0, i), ...items.slice(i + 1)]).map((rest) => [item, ...rest]),
  )
}

/** All true clues about an order. */
function listClues(order: string[], { before, beside }: (typeof wordings)[number]): Clue[] {
  return order.flatMap((a, i) =>
    order.slice(i + 1).flatMap((b, j): Clue[] => {
      const left = {
        text: `${a} ${before} ${b}`,
        holds: (other: string[]) => other.indexOf(a) < other.indexOf(b),
      }
      const apart = {
        text: `${b} ${beside} ${a}`,
        holds: (other: string[]) => Math.abs(other.indexOf(a) - other.indexOf(b)) > 1,
      }
      return j > 0 ? [left, apart] : [left]
    }),
  )
}

/** Orders of `steps + 1` guests, at most 6. */
export const seating: PuzzleKind = {
  about: 'the one order that agrees with all clues',
  wordings: wordings.length,
  make(random, { choices, steps }, wording, taken) {
    const words = wordings[wording] as (typeof wordings)[number]
    const guests = takeNames(words.names, Math.min(steps + 1, 6), { random, taken })
    const orders = listOrders(guests)
    const order = pick(orders, random)
    const agrees = (clues: Clue[]) => orders.filter((other) => clues.every((clue) => clue.holds(other)))
    let clues = shuffle(listClues(order, words), random)
    for (const clue of clues) {
      const others = clues.filter((other) => other !== clue)
      if (agrees(others).length === 1) clues = others
    }
    const wrong = shuffle(
      orders.filter((other) => other !== order),
      random,
    )
    const broken = (other: string[]) => clues.filter((clue) => !clue.holds(other)).length
    // The most tempting orders break the fewest clues.
    wrong.sort((a, b) => broken(a) - broken(b))
    const offered = [order, ...wrong.slice(0, choices - 1)]
    return {
      question: `${words.start}: ${shuffle(guests, random).join(', ')}. ${clues.map(({ text }) => text).join('. ')}.`,
      answer: order.join(' '),
      guess: (seeded) => pick(offered, seeded).join(' '),
    }
  },
}
