/** Word problems of the seeded generator, as a source that needs no download. */

import { ask, type MadeSource, type SourceRow } from '../../files/rows/row.ts'
import { hashParts, randomFrom } from '../../lib/random.ts'
import { draftSolution, makeProblem, writeSolution } from '../arithmetic/word-problems.ts'

/** Share of the drafts that are right. */
const RIGHT_SHARE = 0.4
const DRAFTS = 6

/** Word problems with drafts, right and wrong ones. */
export const arithmetic: MadeSource = {
  about: 'word problems of a seeded generator; --problems says how many',
  make: generateArithmetic,
}

/**
 * Makes `count` problems with drafts in several wordings. Some drafts are right (model `arithmetic-right`, score 1). Most
 * have a known mistake (model `arithmetic-` and its name, score 0). The target is the right solution.
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
