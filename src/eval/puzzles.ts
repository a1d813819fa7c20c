/** Puzzles of `aft data build --format puzzles`: an answer has a numbered line per part, and a program knows each. */
import { readMessages } from '../files/messages.ts'
import { checkNumberedLines, readNumberedLines } from '../files/numbered-lines.ts'
import { mostCommon } from '../lib/most-common.ts'
import { readRows, show, wrongRow } from './row-file.ts'
import type { Task } from './task.ts'

/** The task. `whole` is 1 if each part is right, `parts` the share of right parts. */
export const puzzles: Task = {
  name: 'puzzles',
  metrics: ['whole', 'parts'],
  votes: { whole: voteWhole, parts: voteByPart },
  async read(file) {
    const found = await readRows(file)
    const questions = found.rows.map(({ id, messages, target }, i) => {
      const wrong = (expected: string, got: unknown) =>
        wrongRow(found, i + 1, `expected ${expected}, got ${show(got)}`)
      if (typeof target !== 'string' || readNumberedLines(target).size === 0) {
        throw wrong('`target` to have a line "(1) …" per part', target)
      }
      return { id: String(id ?? i), messages: readMessages(messages, 'messages', wrong), target }
    })
    return { questions, leftOut: {} }
  },
  async score(answers) {
    return answers.map(({ question, text }) => {
      const right = checkNumberedLines(text, question.target as string)
      const parts = right.filter(Boolean).length / right.length
      return { whole: Number(parts === 1), parts }
    })
  },
}

/** The first answer whose lines most answers have. */
function voteWhole(texts: string[]): string {
  return mostCommon(texts, (text) => JSON.stringify([...readNumberedLines(text)].sort())) ?? ''
}

/** For each part the line that most answers have. */
function voteByPart(texts: string[]): string {
  const lines = texts.map(readNumberedLines)
  const numbers = [...new Set(lines.flatMap((of) => [...of.keys()]))].sort((a, b) => Number(a) - Number(b))
  const given = (number: string) => lines.flatMap((of) => of.get(number) ?? [])
  return numbers.map((number) => `(${number}) ${mostCommon(given(number))}`).join('\n')
}
