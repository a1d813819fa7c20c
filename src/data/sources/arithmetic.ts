/** Word problems of the seeded generator, as a source: nothing has to be downloaded. */

import { ask, type MadeSource, type SourceRow } from '../../files/rows/row.ts'
import { hashParts, randomFrom } from '../../lib/random.ts'
import { draftSolution, makeProblem, writeSolution } from '../arithmetic/word-problems.ts'

/** Share of the drafts that are right. */
const RIGHT_SHARE = 0.4
const DRAFTS = 6

/** Word problems with drafts, right and wrong ones. */
export const arithmetic: MadeSource = {
  about: 'word problems of a seeded generator; --rows says how many',
  make: generateArithmetic,
}

/**
 * `count` problems. Each has drafts in several manners, some right, most of them wrong in a stated way: the model is
 * `arithmetic-right` or the name of the corruption, and the score 1 or 0. The target is the right solution.
 */
export function* generateArithmetic(count: number, seed: number): Generator<SourceRow> {
  for (let i = 0; i < count; i++) {
    const random = randomFrom(hashParts('arithmetic', seed, i))
    const problem = makeProblem(random)
    const responses = Array.from({ length: DRAFTS }, (_, draft) => {
      const { text, corruption } = draftSolution(problem, { random, draft, rightShare: RIGHT_SHARE })
      return { text, model: `arithmetic-${corruption ?? 'right'}`, score: corruption ? 0 : 1 }
    })
    yield {
      id: `arithmetic-${seed}-${i}`,
      prompt: ask(problem.question),
      responses,
      target: writeSolution(problem.steps, 0),
    }
  }
}
