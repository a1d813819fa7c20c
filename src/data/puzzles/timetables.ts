/** Timetables: all lines from a town reach the goal, but only one does so in time. */

import { shuffle } from '../../lib/random.ts'
import { letters, towns } from './names.ts'
import { type PuzzleKind, pick, takeNames } from './puzzle.ts'

interface Leg {
  from: string
  to: string
  leaves: number
  arrives: number
}

const wordings = [
  {
    names: towns,
    write: (legs: Leg[], s: string, g: string, hour: number) =>
      `Trains: ${legs.map(({ from, to, leaves, arrives }) => `${from} ${leaves} ${to} ${arrives}`).join(', ')}. Be in ${g} by ${hour}, from ${s}.`,
  },
  {
    names: letters,
    write: (legs: Leg[], s: string, g: string, hour: number) =>
      `From ${s} to ${g}, there at ${hour} or before. ${legs.map(({ from, to, leaves, arrives }) => `${from} at ${leaves} to ${to} at ${arrives}`).join('; ')}.`,
  },
]

/** Connections with times. The answer lists the stops. */
export const timetables: PuzzleKind = {
  about: 'the one connection that arrives in time',
  wordings: wordings.length,
  make(random, { choices, steps }, wording, taken) {
    const { names, write } = wordings[wording] as (typeof wordings)[number]
    const pool = { random, taken }
    const [start, goal] = takeNames(names, 2, pool) as [string, string]
    const lines = Array.from({ length: choices }, () => [...takeNames(names, steps - 1, pool), goal])
    // The hours of the first leg say nothing about the last: the right line is known at its end only.
    const legs = lines.map((line) => {
      let hour = 1 + Math.floor(random() * 4)
      return line.map((to, step): Leg => {
        const leaves = hour
        hour += 1 + Math.floor(random() * 3)
        return { from: line[step - 1] ?? start, to, leaves, arrives: hour }
      })
    })
    const arrivals = legs.map((line) => (line.at(-1) as Leg).arrives)
    const first = arrivals.indexOf(Math.min(...arrivals))
    // If two arrive first, the others take an hour longer.
    for (const [i, line] of legs.entries()) {
      const last = line.at(-1) as Leg
      if (i !== first && last.arrives === arrivals[first]) last.arrives++
    }
    const say = (places: string[]) => [start, ...places].join(' ')
    return {
      question: write(shuffle(legs.flat(), random), start, goal, arrivals[first] as number),
      answer: say(lines[first] as string[]),
      guess: (seeded) => say(pick(lines, seeded)),
    }
  },
}
