/** GSM8K: grade-school math with one number as the answer. Two ways to extract it differ by tens of points, so both count. */
import { type Message, textOf } from '../core/provider/engine.ts'
import { readAnswered, readRows, show, wrongRow } from './row-file.ts'
import type { Task } from './task.ts'

const INSTRUCTION =
  'Solve the problem step by step. End with a line that holds #### and the answer as a number.'

/** The task GSM8K. Each way to extract the number gives a score of 0 or 1. */
export const gsm8k: Task = {
  name: 'gsm8k',
  metrics: ['flexible', 'strict'],
  async read(file) {
    const found = await readRows(file)
    const questions = found.rows.map((row, i) => {
      const { messages, answer } = readAnswered(found, row, i + 1)
      const target = readGold(answer ?? '')
      if (target === undefined) {
        throw wrongRow(found, i + 1, `expected \`answer\` to end in "#### N", got ${show(answer)}`)
      }
      return { id: String(i), messages: instruct(messages), target }
    })
    return { questions, leftOut: {} }
  },
  async score(answers) {
    return answers.map(({ question, text }) => ({
      flexible: Number(isSame(extractFlexible(text), question.target)),
      strict: Number(isSame(extractStrict(text), question.target)),
    }))
  },
}

/** Adds to the question what the answer must look like. */
function instruct(messages: Message[]): Message[] {
  const last = messages.at(-1) as Message
  return [...messages.slice(0, -1), { ...last, content: `${textOf(last).trim()}\n\n${INSTRUCTION}` }]
}

/** Reads a right answer: its last line is `####` and one number, with nothing after it. */
function readGold(text: string): number | undefined {
  const [, number] = text.trimEnd().match(/####[ \t]*\$?(-?\d[\d,]*(?:\.\d+)?)\.?$/) ?? []
  return toNumber(number)
}

/** Extracts the number after the first `####`. */
export function extractStrict(text: string): number | undefined {
  return toNumber(text.match(/#### *\$?(-?[\d.,]+)/)?.[1])
}

/** Extracts the last number in the text. */
export function extractFlexible(text: string): number | undefined {
  return toNumber(text.match(/-?\$?\d[\d,]*(?:\.\d+)?/g)?.at(-1))
}

function toNumber(text: string | undefined): number | undefined {
  const value = Number(text?.replace(/[$,]/g, '').replace(/\.$/, ''))
  return Number.isFinite(value) && text !== undefined && /\d/.test(text) ? value : undefined
}

function isSame(value: number | undefined, target: unknown): boolean {
  return value !== undefined && Math.abs(value - (target as number)) < 1e-6
}
