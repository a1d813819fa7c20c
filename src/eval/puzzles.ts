/** Puzzles of `aft data build --format puzzles`: an answer has a numbered line per part, and a program knows each. */
import { readMessages } from '../files/messages.ts'
import { checkNumberedLines, readNumberedLines } from '../lib/numbered-lines.ts'
import { readRows, show, wrongRow } from './row-file.ts'
import type { Task } from './task.ts'

/** The task. `whole` is 1 if each part is right, `parts` the share of right parts. */
export const puzzles: Task = {
  name: 'puzzles',
  metrics: ['whole', 'parts'],
  hasMajority: false,
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
