/** Puzzles of the seeded generator, as a source that needs no download. */

import { checkNumberedLines } from '../../files/numbered-lines.ts'
import { ask, type MadeSource, type SourceRow } from '../../files/rows/row.ts'
import { readPuzzleSpecs, seededProblem } from '../puzzles/problem.ts'

const DRAFTS = 6

/** Puzzles that one pass cannot solve, with drafts that are guesses. */
export const puzzles: MadeSource = {
  about: 'puzzles of a seeded generator; --puzzles says which, --problems how many',
  make: generatePuzzles,
}

/**
 * Makes `count` questions, of each kind in turn. The drafts are well formed, and right by chance (their score is the share
 * of right parts). The target is the right answer and nothing else.
 * @param specs such as `routes:choices=3,parts=2+sums`
 * @throws UsageError if the specs cannot be read or made
 */
export function* generatePuzzles(count: number, seed: number, specs = 'routes'): Generator<SourceRow> {
  const kinds = readPuzzleSpecs(specs)
  for (let i = 0; i < count; i++) {
    const spec = kinds[i % kinds.length] as (typeof kinds)[number]
    const { problem, random } = seededProblem(spec, seed, i)
    const responses = Array.from({ length: DRAFTS }, () => {
      const text = problem.guess(random)
      const right = checkNumberedLines(text, problem.answer)
      return { text, model: 'guess', score: right.filter(Boolean).length / right.length }
    })
    yield {
      id: `${spec.kind}-${seed}-${i}`,
      prompt: ask(problem.question),
      responses,
      target: problem.answer,
    }
  }
}
