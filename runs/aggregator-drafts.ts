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
