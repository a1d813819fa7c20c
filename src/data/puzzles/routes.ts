/** Routes: which of several roads from a place leads to the goal? Each road is a list of edges in random order. */
import { letters, nouns, people, towns } from './names.ts'
import { type PuzzleKind, pick } from './puzzle.ts'
import { makeStar, type Star } from './star.ts'

interface Wording {
  names: string[]
  write(edges: Star['edges'], start: string, goal: string): string
}

const join = (edges: Star['edges'], between: string, separator = ', ') =>
  edges.map(([from, to]) => `${from}${between}${to}`).join(separator)

const wordings: Wording[] = [
  { names: letters, write: (edges, s, g) => `Roads: ${join(edges, ' ')}. Go from ${s} to ${g}.` },
  { names: nouns, write: (edges, s, g) => `Pipes: ${join(edges, ' ')}. Water flows from ${s} to ${g}.` },
  { names: towns, write: (edges, s, g) => `Flights: ${join(edges, ' to ', '; ')}. Fly from ${s} to ${g}.` },
  {
    names: people,
    write: (edges, s, g) => `${join(edges, ' is a parent of ', '. ')}. Name the line from ${s} down to ${g}.`,
  },
  { names: letters, write: (edges, s, g) => `Start in ${s}, end in ${g}. Corridors: ${join(edges, '-')}.` },
  { names: nouns, write: (edges, s, g) => `Find the way from ${s} to ${g}. Wires: ${join(edges, ' > ')}.` },
  { names: people, write: (edges, s, g) => `${join(edges, ' calls ')}. How does news from ${s} reach ${g}?` },
  { names: letters, write: (edges, s, g) => `Stairs: ${join(edges, '/', ' ')}. Climb up to ${g} from ${s}.` },
  {
    names: towns,
    write: (edges, s, g) => `A truck is in ${s} and must be in ${g}. ${join(edges, ' leads to ', '. ')}.`,
  },
  {
    names: people,
    write: (edges, s, g) => `Who can introduce ${s} to ${g}? ${join(edges, ' knows ', '; ')}.`,
  },
  {
    names: letters,
    write: (edges, s, g) => `Doors: ${join(edges, ' -> ')}. You are in ${s}, the exit is ${g}.`,
  },
  { names: nouns, write: (edges, s, g) => `What turns ${s} into ${g}? ${join(edges, ' becomes ', '. ')}.` },
  { names: towns, write: (edges, s, g) => `Ships: ${join(edges, ' for ', '; ')}. Goal: ${g}. Start: ${s}.` },
]

/** Routes in star graphs. */
export const routes: PuzzleKind = {
  about: 'a way through a map that branches at its start',
  wordings: wordings.length,
  make(random, size, wording, taken) {
    const { names, write } = wordings[wording] as Wording
    const { start, arms, arm, edges } = makeStar(names, size, { random, taken })
    const say = (places: string[]) => [start, ...places].join(' ')
    return {
      question: write(edges, start, arm.at(-1) as string),
      answer: say(arm),
      guess: (seeded) => say(pick(arms, seeded)),
    }
  },
}
