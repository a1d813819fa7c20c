/** What of an agreement is a disagreement: a value that at least two proposals write in different ways. */
import type { Agreement, Point, Variant } from '../../../analyze/agreement.ts'

/** Lists the final answers of at most four words: a longer one is a sentence in a draft's own words, not another result. */
export const comparedFinals = ({ finals }: Pick<Agreement, 'finals'>): Variant[] =>
  finals.filter(({ text }) => text.split(/\s+/).length <= 4)

/** Lists the places of a sentence where proposals differ. A value that only the answer has is none. */
export const disputesOf = ({ differences }: Pick<Point, 'differences'>): Variant[][] =>
  differences.filter((values) => values.filter((v) => v.proposals.length > 0).length > 1)

/** True if proposals end with different short answers, or differ in a number or a name. */
export const doDisagree = (found: Agreement): boolean =>
  comparedFinals(found).length > 1 || found.points.some((point) => disputesOf(point).length > 0)
