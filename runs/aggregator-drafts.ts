/** How the drafts of a question compare, by a rule that reads no gold answer. */

import { cleanResponses } from '../src/data/clean.ts'
import { gsm8kSolutions } from '../src/data/sources/gsm8k-solutions.ts'
import { readRecords } from '../src/files/rows/read-records.ts'
import type { Response, SourceRow } from '../src/files/rows/row.ts'
import { extractAnswer } from '../src/lib/answer-text.ts'

export interface Draft {
  text: string
  answer: string
  /** How many numbers it writes; 0 if its answer is not a whole number. */
  numbers: number
  votes: number
}

/** The questions of GSM8K's file of model solutions, empty and repeated drafts left out. */
export async function readSolutions(file: string): Promise<SourceRow[]> {
  const rows: SourceRow[] = []
  for await (const row of gsm8kSolutions.read(readRecords([file]))) {
    if ('problem' in row) throw new Error(`${row.place}: ${row.problem}`)
    rows.push({ ...row, responses: cleanResponses(row.responses).responses })
  }
  return rows
}

/** A response as it is shown: after its answer and its count of numbers. */
export function showDraft<T extends Response>(response: T): T {
  const { text } = response
  return { ...response, text: `${extractAnswer(text)}, ${countNumbers(text)} numbers\n${text}` }
}

/** How many numbers a text writes: `6 * 7 = 42` has three. */
function countNumbers(text: string): number {
  return text.match(/\d[\d,]*\.?\d*/g)?.length ?? 0
}

/** In the order given. */
export function readDrafts(responses: Response[]): Draft[] {
  return responses.map(({ text }) => readDraft(text, responses))
}

function readDraft(text: string, all: Response[]): Draft {
  const answer = extractAnswer(text)
  const votes = all.filter((other) => extractAnswer(other.text) === answer).length
  const numbers = /^\d+$/.test(answer) ? countNumbers(text) : 0
  return { text, answer, numbers, votes }
}

/** Most votes first; of equals more numbers, then the one shown first. */
function compareDrafts(a: Draft, b: Draft): number {
  return b.votes - a.votes || b.numbers - a.numbers
}

/** The draft to trust. */
export function pickDraft(drafts: Draft[]): Draft | undefined {
  return drafts.toSorted(compareDrafts)[0]
}

/** Returns the chance of a right answer if one of the drafts with most votes is drawn. */
export function expectVote(drafts: Draft[], target: string): number {
  const answers = mostVoted(drafts)
  return answers.length === 0 ? 0 : Number(answers.includes(extractAnswer(target))) / answers.length
}

/** How the votes fall, most first: `2-1-1`. */
export function splitVotes(drafts: Draft[]): string {
  const votes = new Map(drafts.map((draft) => [draft.answer, draft.votes]))
  return [...votes.values()].toSorted((a, b) => b - a).join('-')
}

/** The answers with most votes, each once. */
function mostVoted(drafts: Draft[]): string[] {
  const most = Math.max(0, ...drafts.map((draft) => draft.votes))
  return [...new Set(drafts.filter(({ votes }) => votes === most).map(({ answer }) => answer))]
}

/**
 * The comparison that is taught: each answer compared with every other, its votes, and the answers of most votes. If there
 * are several, which of their drafts writes most numbers so far. The answer comes last. No line needs more than the
 * lines and drafts before it.
 */
export function writeComparison(drafts: Draft[]): string {
  const best = pickDraft(drafts)
  if (!best) return ''
  const leaders = mostVoted(drafts)
  return [
    ...drafts.map((draft, i) => writeVotes(draft, i, drafts)),
    `Most votes: ${best.votes} for ${leaders.join(', ')}`,
    ...(leaders.length > 1 ? writeTie(drafts, best.votes) : []),
    `The answer is ${best.answer}.`,
  ].join('\n')
}

function writeVotes({ answer, votes }: Draft, at: number, drafts: Draft[]): string {
  const others = drafts.flatMap((other, i) =>
    i === at ? [] : [`#${i + 1} ${other.answer} ${other.answer === answer ? 'yes' : 'no'}`],
  )
  return `#${at + 1} ${answer}: ${others.join(', ')}; ${votes} votes`
}

function writeTie(drafts: Draft[], most: number): string[] {
  let best: Draft | undefined
  return drafts.flatMap((draft, i) => {
    if (draft.votes < most) return []
    if (!best || draft.numbers > best.numbers) best = draft
    return [`#${i + 1} ${draft.answer}: ${draft.numbers} numbers; most ${best.numbers}: ${best.answer}`]
  })
}

/** How the votes fall, and how far a comparison that a model wrote is right, each part 0 or 1; nothing if it wrote none. */
export function gradeComparison(text: string, drafts: Draft[]) {
  const best = pickDraft(drafts)
  if (!best || !/^#1 .* votes$/m.test(text)) return undefined
  const [written, lines] = [text.split('\n'), writeComparison(drafts).split('\n')]
  const isSame = (from: number, to?: number) =>
    Number(lines.slice(from, to).every((line, i) => line === written[from + i]))
  const answer = extractAnswer(text)
  return {
    split: splitVotes(drafts),
    votes: isSame(0, drafts.length),
    leaders: isSame(drafts.length, drafts.length + 1),
    follows: Number(answer === best.answer),
    first: Number(answer === drafts[0]?.answer),
  }
}
