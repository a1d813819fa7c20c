/** The question of a row: in one of several fields, with a system prompt and earlier turns beside it. */
import { type Message, textOf } from '../../core/provider/engine.ts'
import { readMessages } from '../messages.ts'
import { type Fields, wrong } from '../rows/row.ts'
import { isFields, isGiven, isSet, pick } from './form.ts'
import { readTranscript, readTurns } from './turns.ts'

/** A row has exactly one of these fields, but see `chooseField`. */
const QUESTIONS = ['messages', 'query', 'prompt', 'instruction', 'question'] as const
/** Taken if none of those is there. */
const OTHERS = ['conversations', 'conversation', 'problem', 'input', 'context']
const TEXTS = ['query', 'prompt', 'instruction', 'question', 'problem', 'input']
const SYSTEMS = ['system', 'system_prompt']

/** What a row asks, and the answer that follows it in the same list of turns, if it has one. */
export interface Asked {
  messages: Message[]
  answer?: Message
  /** Whether the row has its prompt as text and, with the answer, as messages. */
  isShared: boolean
}

/**
 * Reads what a row asks. If its turns end with the assistant, the last one is the answer, not a part of the question.
 * @param keepsBegun whether a last turn of the assistant is a reply that the model continues, as in a request
 * @throws RowProblem if the row has no question, several, or one that cannot be read
 */
export function readAsked(row: Fields, keepsBegun = false): Asked {
  const { field, isShared } = chooseField(row)
  const value = row[field]
  const isText = typeof value === 'string' && TEXTS.includes(field)
  if (isText && value.trim() === '') throw wrong(`\`${field}\` to hold text`, value)
  const turns = isText ? readTranscript(value + aboutOf(row, field)) : readList(value, field)
  const { asked, answer } = isShared
    ? upToQuestion(turns, row.prompt as string)
    : keepsBegun
      ? { asked: turns, answer: undefined }
      : splitAnswer(turns, field)
  const messages = [...readSystem(row, asked), ...readHistory(row, isText), ...asked]
  return { messages, isShared, ...(answer && { answer }) }
}

function readList(value: unknown, field: string): Message[] {
  const orText = TEXTS.includes(field) ? 'text or ' : ''
  return readTurns(value, field, (expected, got) =>
    wrong(expected.replace(/(?=a list of messages$)/, orText), got),
  )
}

/**
 * The field with the question. Some data sets have the prompt as text, and again with its answer as `messages`: the messages
 * up to that question are asked.
 */
function chooseField(row: Fields): { field: string; isShared: boolean } {
  const given: string[] = QUESTIONS.filter((field) => isGiven(row[field]))
  const field = given[0] ?? OTHERS.find((other) => isGiven(row[other]))
  if (field === undefined) throw wrong(`one of the fields ${QUESTIONS.join(', ')}`, fieldsOf(row))
  const isShared = given.join() === 'messages,prompt' && typeof row.prompt === 'string'
  if (given.length > 1 && !isShared) throw wrong(`only one of the fields ${QUESTIONS.join(', ')}`, given)
  return { field, isShared }
}

/** The names of a row's fields, if it has some. */
export function fieldsOf(row: Fields): unknown {
  return Object.keys(row).length === 0 ? row : Object.keys(row)
}

function upToQuestion(turns: Message[], prompt: string): { asked: Message[]; answer?: Message } {
  const at = turns.findIndex(({ role }) => role === 'user')
  const first = turns[at]
  if (!first || textOf(first).trim() !== prompt.trim())
    throw wrong('`prompt` to be the first user message of `messages`, or only one of both', prompt)
  const next = turns[at + 1]
  return { asked: turns.slice(0, at + 1), ...(next?.role === 'assistant' && { answer: next }) }
}

function splitAnswer(turns: Message[], field: string): { asked: Message[]; answer?: Message } {
  const last = turns.at(-1)
  if (last?.role !== 'assistant') return { asked: turns }
  const asked = turns.slice(0, -1)
  if (!asked.some(({ role }) => role === 'user')) throw wrong(`\`${field}\` to hold a question`, last.role)
  return { asked, answer: last }
}

/** Instruction data have the text that an instruction is about in a field of its own. */
function aboutOf(row: Fields, field: string): string {
  const [name, about] = field === 'instruction' ? pick(row, ['input', 'context']) : []
  if (!isSet(about)) return ''
  if (typeof about !== 'string') throw wrong(`\`${name}\` to be text`, about)
  return `\n\n${about}`
}

/** The system prompt of a row, before turns that have none. */
export function readSystem(row: Fields, asked: Message[]): Message[] {
  const [name, system] = pick(row, SYSTEMS)
  if (!isSet(system)) return []
  const text = Array.isArray(system) ? textOf({ role: 'system', content: system }) : system
  if (typeof text !== 'string') throw wrong(`\`${name}\` to be text`, system)
  if (asked.some(({ role }) => role === 'system' || role === 'developer'))
    throw wrong(`a system message in \`${name}\` or in the messages, not in both`, system)
  return [{ role: 'system', content: text }]
}

/** Turns before an instruction: pairs of question and answer, or messages. */
function readHistory({ history }: Fields, isText: boolean): Message[] {
  if (!isSet(history)) return []
  if (!isText)
    throw wrong('`history` with a prompt or an instruction; messages hold their own turns', history)
  if (!Array.isArray(history) || !history.every(isPair)) return readMessages(history, 'history', wrong)
  return history.flatMap(([question, answer]): Message[] => [
    { role: 'user', content: question },
    { role: 'assistant', content: answer },
  ])
}

function isPair(turn: unknown): turn is [string, string] {
  return Array.isArray(turn) && turn.length === 2 && turn.every((text) => typeof text === 'string')
}

/** Fields with one answer, the first of which counts. */
const ANSWERS = ['target', 'completion', 'output', 'response', 'answer', 'solution', 'generation', 'answers']

/** The one answer of a row; undefined if it has none. @throws RowProblem for an answer that is no text */
export function readAnswer(row: Fields): string | undefined {
  const [name, value] = pick(row, ANSWERS)
  if (typeof value === 'string') return value
  if (typeof value === 'number') return String(value)
  if (isFields(value) && typeof value.content === 'string') return value.content
  if (isGiven(value)) return textOf(readAssistant(value, name))
  const { answer } = readAsked(row)
  return answer && textOf(answer)
}

function readAssistant(value: unknown, name: string): Message {
  const last = Array.isArray(value) ? readMessages(value, name, wrong).at(-1) : undefined
  if (last?.role === 'assistant') return last
  throw wrong(`\`${name}\` to be text, or messages that end with the assistant`, value)
}
