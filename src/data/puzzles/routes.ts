/** Routes: which of several roads from a place leads to the goal? Each road is a list of edges in random order. */
import { letters, nouns, people, towns } from './names.ts'
import { type PuzzleKind, pick } from './puzzle.ts'
import { makeStar, type Star } from './star.ts'

interface Wording {
  names: string[]
  /** Has {start}, {goal} and {roads}. */
  text: string
  /** Stands between the ends of a road. */
  to: string
  /** Stands between two roads. */
  and?: string
}

const wordings: Wording[] = [
  { names: letters, to: ' ', text: 'Roads: {roads}. Go from {start} to {goal}.' },
  { names: nouns, to: ' ', text: 'Pipes: {roads}. Water flows from {start} to {goal}.' },
  { names: towns, to: ' to ', and: '; ', text: 'Flights: {roads}. Fly from {start} to {goal}.' },
  {
    names: people,
    to: ' is a parent of ',
    and: '. ',
    text: '{roads}. Name the line from {start} down to {goal}.',
  },
  { names: letters, to: '-', text: 'Start in {start}, end in {goal}. Corridors: {roads}.' },
  { names: nouns, to: ' > ', text: 'Find the way from {start} to {goal}. Wires: {roads}.' },
  { names: people, to: ' calls ', text: '{roads}. How does news from {start} reach {goal}?' },
  { names: letters, to: '/', and: ' ', text: 'Stairs: {roads}. Climb up to {goal} from {start}.' },
  {
    names: towns,
    to: ' leads to ',
    and: '. ',
    text: 'A truck is in {start} and must be in {goal}. {roads}.',
  },
  { names: people, to: ' knows ', and: '; ', text: 'Who can introduce {start} to {goal}? {roads}.' },
  { names: letters, to: ' -> ', text: 'Doors: {roads}. You are in {start}, the exit is {goal}.' },
  { names: nouns, to: ' becomes ', and: '. ', text: 'What turns {start} into {goal}? {roads}.' },
  { names: towns, to: ' for ', and: '; ', text: 'Ships: {roads}. Goal: {goal}. Start: {start}.' },
]

function word({ text, to, and = ', ' }: Wording, { start, arm, edges }: Star): string {
  const roads = edges.map((edge) => edge.join(to)).join(and)
  return text
    .replace('{start}', start)
    .replace('{goal}', arm.at(-1) as string)
    .replace('{roads}', roads)
}

/** Routes in star graphs. */
export const routes: PuzzleKind = {
  about: 'a way through a map that branches at its start',
  wordings: wordings.length,
  make(random, size, wording, taken) {
    const words = wordings[wording] as Wording
    const star = makeStar(words.names, size, { random, taken })
    const { start, arms, arm } = star
    const say = (places: string[]) => [start, ...places].join(' ')
    return {
      question: word(words, star),
      answer: say(arm),
      guess: (seeded) => say(pick(arms, seeded)),
    }
  },
}
