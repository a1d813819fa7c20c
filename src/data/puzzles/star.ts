/** Star graphs: several arms leave one place. Which arm leads to the goal is known at its end only. */
import { shuffle } from '../../lib/random.ts'
import { type PuzzleSize, pick, type Random, takeNames } from './puzzle.ts'

/** A star of `choices` arms, each of `steps` places after the start. */
export interface Star {
  start: string
  arms: string[][]
  /** The right arm. */
  arm: string[]
  /** All edges, shuffled. */
  edges: [from: string, to: string][]
}

/** Makes a star of names that are not taken. */
export function makeStar(
  names: readonly string[],
  { choices, steps }: PuzzleSize,
  pool: { random: Random; taken: Set<string> },
): Star {
  const [start, ...rest] = takeNames(names, 1 + choices * steps, pool) as [string, ...string[]]
  const arms = Array.from({ length: choices }, (_, i) => rest.slice(i * steps, (i + 1) * steps))
  const edges = arms.flatMap((arm) => arm.map((to, i): [string, string] => [arm[i - 1] ?? start, to]))
  return { start, arms, arm: pick(arms, pool.random), edges: shuffle(edges, pool.random) }
}
