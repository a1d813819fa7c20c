/** How the drafts of a question compare, by a rule that reads no gold answer. */
import { extractAnswer } from '../src/core/proposals.ts'
import type { Response } from '../src/dataset/row.ts'

export interface Draft {
  text: string
  answer: string
  /** What each calculation came to, in order. */
  results: string[]
  votes: number
  isWhole: boolean
}

/** In the order given. */
export function readDrafts(responses: Response[]): Draft[] {
  return responses.map(({ text }) => readDraft(text, responses))
}

function readDraft(text: string, all: Response[]): Draft {
  const answer = extractAnswer(text)
  const results = [...text.matchAll(/= *\$?(-?[\d,]*\.?\d+)/g)].map(([, result = '']) => result)
  const votes = all.filter((other) => extractAnswer(other.text) === answer).length
  return { text, answer, results, votes, isWhole: /^\d+$/.test(answer) }
}

/** Most votes first; of equals a whole number, then more calculations, then the one shown first. */
function compareDrafts(a: Draft, b: Draft): number {
  return b.votes - a.votes || Number(b.isWhole) - Number(a.isWhole) || b.results.length - a.results.length
}

/** The draft to trust. */
export function pickDraft(drafts: Draft[]): Draft | undefined {
  return drafts.toSorted(compareDrafts)[0]
}

/** Chance of a right answer where one of those with most votes is drawn. */
export function expectVote(drafts: Draft[], target: string): number {
  const most = Math.max(0, ...drafts.map((draft) => draft.votes))
  const answers = [...new Set(drafts.filter(({ votes }) => votes === most).map(({ answer }) => answer))]
  return answers.length === 0 ? 0 : Number(answers.includes(extractAnswer(target))) / answers.length
}

/**
 * What every draft works out and which earlier ones came to the same, who reached each answer, and which draft to trust:
 * every line can be read off the lines before it.
 */
export function writeComparison(drafts: Draft[], best: Draft): string {
  const numbersOf = (answer: string, before = drafts.length) =>
    drafts.flatMap((draft, i) => (draft.answer === answer && i < before ? [i + 1] : [])).join(', ')
  return [
    ...drafts.map(({ results, answer }, i) => {
      const same = numbersOf(answer, i)
      return `${i + 1}: ${results.join(', ')}; ${results.length} steps; ${answer}${same && `, as ${same}`}`
    }),
    ...new Set(drafts.map(({ answer }) => `${answer} by ${numbersOf(answer)}`)),
    `Trust: draft ${drafts.indexOf(best) + 1}, ${best.answer}`,
  ].join('\n')
}

/** How far a comparison that a model wrote is right, each part from 0 to 1; nothing where it wrote none. */
export function gradeComparison(text: string, drafts: Draft[]) {
  const best = pickDraft(drafts)
  const trusted = /^Trust: draft (\d)/m.exec(text)?.[1]
  if (!best || trusted === undefined) return undefined
  const written = new Set(text.split('\n\n')[0]?.split('\n'))
  const lines = writeComparison(drafts, best).split('\n')
  const shareOf = (part: string[]) => part.filter((line) => written.has(line)).length / part.length
  const answer = drafts[Number(trusted) - 1]?.answer
  return {
    drafts: shareOf(lines.slice(0, drafts.length)),
    votes: Math.floor(shareOf(lines.slice(drafts.length, -1))),
    follows: Number(answer === best.answer),
    first: Number(trusted === '1'),
  }
}
