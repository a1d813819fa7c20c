/** Rows with two answers, one of them preferred: of TRL, H4, argilla, LLaMA-Factory, OpenAI, the Chatbot Arena, Anthropic's HH. */
import { type Message, textOf } from '../../core/provider/engine.ts'
import { readMessages } from '../messages.ts'
import { type Fields, type Response, wrong } from '../rows/row.ts'
import { type Form, isFields, isGiven, pick, toResponse } from './form.ts'
import { readAsked, readSystem } from './question.ts'
import { readTranscript, readTurns } from './turns.ts'

/** How the two sides are named, the preferred one first where the name says it. */
const PAIRS = [
  ['chosen', 'rejected'],
  ['preferred_output', 'non_preferred_output'],
  ['conversation_a', 'conversation_b'],
] as const

/** The form of preferences. */
export const preference: Form = {
  name: 'preference',
  fields: '{prompt?, chosen, rejected}: texts or messages',
  fits: (row) => findPair(row) !== undefined,
  ask: (row) => readPreference(row).messages,
  responses: (row) => readPreference(row).responses,
  target: (row) => (typeof row.target === 'string' ? row.target : undefined),
}

function findPair(row: Fields): readonly [string, string] | undefined {
  return PAIRS.find((names) => names.every((name) => isGiven(row[name])))
}

interface Side {
  /** The turns before the answer; none if the row has its question elsewhere. */
  before: Message[]
  text: string
}

function readPreference(row: Fields): { messages: Message[]; responses: Response[] } {
  const pair = findPair(row) ?? PAIRS[0]
  const sides = pair.map((name) => readSide(row[name], name)) as [Side, Side]
  const [{ before }, other] = sides
  if (JSON.stringify(before) !== JSON.stringify(other.before))
    throw wrong(
      `\`${pair[0]}\` and \`${pair[1]}\` to differ in their last turn only`,
      textOf(other.before.at(-1) ?? { role: 'user', content: '' }),
    )
  const responses = pair.map((name, i) => describe(row, name, (sides[i] as Side).text))
  if (responses.every(({ score }) => score === undefined)) scoreByName(row, pair, responses)
  return { messages: before.length > 0 ? [...readSystem(row, before), ...before] : askBeside(row), responses }
}

/** OpenAI's form has the question in `input.messages`. */
function askBeside(row: Fields): Message[] {
  const { input } = row
  return readAsked(isFields(input) && isGiven(input.messages) ? { messages: input.messages } : row).messages
}

function readSide(value: unknown, name: string): Side {
  if (typeof value === 'string') {
    const turns = readTranscript(value)
    return turns.length > 1 ? splitLast(turns, name) : { before: [], text: value }
  }
  return splitLast(readTurns(isFields(value) ? [value] : value, name), name)
}

function splitLast(turns: Message[], name: string): Side {
  const last = turns.at(-1)
  if (last?.role !== 'assistant') throw wrong(`\`${name}\` to end with the assistant`, last?.role)
  return { before: readMessagesOrNone(turns.slice(0, -1), name), text: textOf(last) }
}

const readMessagesOrNone = (turns: Message[], name: string) =>
  turns.length === 0 ? turns : readMessages(turns, name, wrong)

function describe(row: Fields, name: string, text: string): Response {
  const letter = name.at(-2) === '_' ? name.at(-1) : undefined
  const model = pick(row, [`${name}-model`, `${name}_model`, ...(letter ? [`model_${letter}`] : [])])
  return toResponse(
    text,
    model,
    pick(row, [`score_${name}`, `${name}_score`, `${name}-rating`, `${name}_rating`]),
  )
}

/** Without scores, what was preferred has 1 and the other one 0. */
function scoreByName({ winner }: Fields, [first]: readonly [string, string], responses: Response[]): void {
  const scores = first !== 'conversation_a' ? [1, 0] : ARENA[String(winner)]
  for (const [i, response] of responses.entries()) {
    if (scores) response.score = scores[i] as number
  }
}

const ARENA: Record<string, number[]> = {
  model_a: [1, 0],
  model_b: [0, 1],
  tie: [1, 1],
  'tie (bothbad)': [0, 0],
}
