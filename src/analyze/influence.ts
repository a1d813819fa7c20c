/**
 * What an answer owes to each of its proposals: how much less likely it is, by the model's own probabilities, without that
 * proposal, without any, and with all in reverse order. A run of words that both share shows that they agree; this shows what
 * would change.
 */
import type { Template } from '../core/provider/template.ts'
import { aggregatorMessages, proposerMessages } from '../core/templates.ts'
import { findShown } from '../files/journal-prompts.ts'
import type { JournalContent } from '../files/run-journal.ts'
import type { ScoredCase } from './perplexity.ts'

/** The answers to score, and why others are left out. */
export interface InfluenceCases {
  cases: ScoredCase[]
  /** Number of answers left out, by reason. */
  leftOut: Record<string, number>
}

/**
 * Makes a case of each aggregated answer of a journal. Its first condition is what the aggregator saw. So that all cases have
 * the same conditions, answers from fewer proposals than most are left out.
 * @param template that of the run
 */
export function casesOfJournal({ header, prompts }: JournalContent, template: Template): InfluenceCases {
  const leftOut: Record<string, number> = {}
  const drop = (reason: string) => {
    leftOut[reason] = (leftOut[reason] ?? 0) + 1
  }
  const found = prompts.flatMap((prompt) => {
    const shown = findShown(prompt, header.plan.layers.length)
    const { id, messages, end } = prompt
    if (end && 'answer' in end && end.answer !== '' && shown.length > 1)
      return [{ id, messages, shown, target: end.answer }]
    drop('not made from two proposals or more')
    return []
  })
  const width = mostCommon(found.map(({ shown }) => shown.length))
  const cases = found.flatMap(({ id, messages, shown, target }): ScoredCase[] => {
    if (shown.length !== width) {
      drop(`not made from ${width} proposals`)
      return []
    }
    const proposals = shown.map(({ text, finishReason }) => ({ text, isCut: finishReason === 'length' }))
    const show = (some: typeof proposals) => aggregatorMessages(template, messages, some)
    const without = proposals.map(
      (_, i) => [`without proposal ${i + 1}`, show(proposals.toSpliced(i, 1))] as const,
    )
    return [
      {
        id,
        target,
        drafts: proposals.map(({ text }) => text),
        prompts: {
          'all proposals': show(proposals),
          ...Object.fromEntries(without),
          'in reverse order': show(proposals.toReversed()),
          'no proposals': proposerMessages(template, messages),
        },
      },
    ]
  })
  return { cases, leftOut }
}

/** The number that is there most often; of equals the largest. */
function mostCommon(numbers: number[]): number {
  const count = (number: number) => numbers.filter((other) => other === number).length
  return [...new Set(numbers)].sort((a, b) => count(b) - count(a) || b - a)[0] ?? 0
}
