/**
 * Puzzles whose answer one pass from left to right cannot know, while a look tells whether a finished answer is right. So
 * drafts are a search, and an aggregator that reads them can do what one answer, a vote and more training cannot.
 * Source of the idea: path-star graphs, Bachmann and Nagarajan, arXiv 2403.06963.
 */
import { UsageError } from '../../core/provider/errors.ts'

/** A generator of numbers from 0 to below 1. */
export type Random = () => number

/** How large a puzzle is. */
export interface PuzzleSize {
  /** Ways that look alike at the start; one is right. From 2. */
  choices: number
  /** Items of the answer after the first choice can be made. From 2. */
  steps: number
}

/** One part of a question. It has exactly one right answer. */
export interface Puzzle {
  question: string
  answer: string
  /** Writes what one pass without a search would answer: well formed, and right by chance. */
  guess(random: Random): string
}

/** A kind of puzzles. */
export interface PuzzleKind {
  about: string
  /** Ways to word the question. */
  wordings: number
  /**
   * Makes one puzzle.
   * @param wording from 0
   * @param taken names that other parts of the question use; the puzzle adds its own
   * @throws UsageError if a puzzle of this size cannot be made
   */
  make(random: Random, size: PuzzleSize, wording: number, taken: Set<string>): Puzzle
}

/** Picks one of the items. */
export function pick<T>(items: readonly T[], random: Random): T {
  return items[Math.floor(random() * items.length)] as T
}

/**
 * Takes `count` names that are not taken yet, in random order.
 * @throws UsageError if there are too few
 */
export function takeNames(
  names: readonly string[],
  count: number,
  { random, taken }: { random: Random; taken: Set<string> },
): string[] {
  const free = names.filter((name) => !taken.has(name))
  if (free.length < count) {
    throw new UsageError(
      `puzzles of this size need ${taken.size + count} different names, but there are ${names.length}: make choices, steps or parts smaller`,
    )
  }
  return Array.from({ length: count }, () => {
    const [name] = free.splice(Math.floor(random() * free.length), 1)
    taken.add(name as string)
    return name as string
  })
}
