/** Reads prompts from a file of rows: JSON lines, or one JSON array. */
import { open, readFile } from 'node:fs/promises'
import type { Prompt } from '../core/plan.ts'
import type { Message } from '../core/provider/engine.ts'
import { DataError } from '../core/provider/errors.ts'
import { FileError, toFileError } from '../lib/file-error.ts'
import { readJsonl } from '../lib/jsonl.ts'
import { describeWrong, toCallersError } from './file-errors.ts'
import { readMessages } from './messages.ts'

/** A prompt of a file; `dataset` is the part of a benchmark that its row names. */
export interface PromptRow extends Prompt {
  dataset?: string
}

/**
 * Yields the prompts of a file in order; a file of JSON lines is not kept in memory. A row is `{prompt}`,
 * `{instruction}`, `{messages}` or `{query: [messages]}`. Its `id` is optional: the default is its line number, from 0.
 * @param system system prompt for the conversations that have none
 * @throws UsageError if the file cannot be read, DataError with the line that is no prompt or repeats an id
 */
export async function* readPrompts(file: string, system?: string): AsyncGenerator<PromptRow> {
  const lines = new Map<string, number>()
  try {
    for await (const { value, line } of (await startsArray(file)) ? readArray(file) : readJsonl(file)) {
      const wrong: Wrong = (expected, got) => new DataError(file, line, describeWrong(expected, got))
      const prompt = readRow(value, line, wrong)
      const earlier = lines.get(prompt.id)
      if (earlier !== undefined) {
        throw new DataError(file, line, `has the id "${prompt.id}" of line ${earlier}; give each row its own`)
      }
      lines.set(prompt.id, line)
      yield system === undefined ? prompt : { ...prompt, messages: withSystem(prompt.messages, system) }
    }
  } catch (error) {
    throw toCallersError(error)
  }
  if (lines.size === 0) throw new DataError(file, undefined, 'expected one prompt per line, got none')
}

function withSystem(messages: Message[], content: string): Message[] {
  const isSystem = messages[0]?.role === 'system' || messages[0]?.role === 'developer'
  return isSystem ? messages : [{ role: 'system', content }, ...messages]
}

const NO_FILE = 'is a pipe or a device; expected a file: it is read more than once'

/** Whether the first character is a `[`. */
async function startsArray(file: string): Promise<boolean> {
  try {
    await using handle = await open(file)
    const stats = await handle.stat()
    if (!stats.isFile() && !stats.isDirectory()) throw new FileError(file, NO_FILE, { code: 'NOFILE' })
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(1024), length: 1024, position: 0 })
    return /^\uFEFF?\s*\[/.test(buffer.toString('utf8', 0, bytesRead))
  } catch (error) {
    throw toFileError(file, error)
  }
}

/** Rows of an array, numbered from 1 as lines are. */
async function* readArray(file: string): AsyncGenerator<{ value: unknown; line: number }> {
  let rows: unknown[]
  try {
    rows = JSON.parse((await readFile(file, 'utf8')).replace(/^\uFEFF/, ''))
  } catch (error) {
    throw new FileError(file, `expected a JSON array: ${(error as Error).message}`)
  }
  for (const [i, value] of rows.entries()) yield { value, line: i + 1 }
}

/** A row has exactly one of these fields. */
const QUESTIONS = ['messages', 'query', 'prompt', 'instruction'] as const

type Row = Record<string, unknown>
/** Makes the error that names the row. */
type Wrong = (expected: string, got: unknown) => DataError

function readRow(value: unknown, line: number, wrong: Wrong): PromptRow {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong('an object', value)
  const row = value as Row
  const { tools, tool_choice, response_format, stop, dataset } = row
  return {
    id: readId(row, line, wrong),
    messages: readConversation(row, wrong),
    ...(stop !== undefined && { stop: readStop(stop, wrong) }),
    ...(tools !== undefined && { tools: tools as Prompt['tools'] }),
    ...(tool_choice !== undefined && { toolChoice: tool_choice as Prompt['toolChoice'] }),
    ...(response_format !== undefined && { responseFormat: response_format as Prompt['responseFormat'] }),
    ...(typeof dataset === 'string' && { dataset }),
  }
}

function readId({ id }: Row, line: number, wrong: Wrong): string {
  if (id === undefined || id === null) return String(line - 1)
  if (typeof id === 'string' || typeof id === 'number') return String(id)
  throw wrong('`id` to be a string or a number', id)
}

function readConversation(row: Row, wrong: Wrong): Message[] {
  const given = QUESTIONS.filter((field) => row[field] !== undefined && row[field] !== null)
  const field = given[0]
  if (field === undefined || given.length > 1) {
    throw wrong(`one of ${QUESTIONS.join(', ')}`, field === undefined ? Object.keys(row) : given)
  }
  const value = row[field]
  if (typeof value === 'string' && (field === 'prompt' || field === 'instruction')) {
    if (value.trim() === '') throw wrong(`\`${field}\` to hold text`, value)
    return [{ role: 'user', content: value + inputOf(row) }]
  }
  return readMessages(value, field, wrong)
}

/** In Alpaca's format the text that an instruction is about is in the field `input`. */
function inputOf({ instruction, input }: Row): string {
  return instruction !== undefined && typeof input === 'string' && input !== '' ? `\n\n${input}` : ''
}

function readStop(stop: unknown, wrong: Wrong): string[] {
  const stops = typeof stop === 'string' ? [stop] : stop
  if (Array.isArray(stops) && stops.every((s) => typeof s === 'string')) return stops
  throw wrong('`stop` to be a string or a list of strings', stop)
}
