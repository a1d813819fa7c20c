/** Reads prompts from a file of rows: JSON lines or one JSON array, packed by gzip or not, or Parquet. */
import { open, readFile } from 'node:fs/promises'
import type { Message, ResponseFormat } from '../core/provider/engine.ts'
import { DataError } from '../core/provider/errors.ts'
import { FileError, toFileError } from '../lib/file-error.ts'
import { parseExact, readJsonl } from '../lib/jsonl.ts'
import { describeWrong, toCallersError } from './file-errors.ts'
import { type PromptRow, readPromptRow, type Wrong } from './prompt-row.ts'
import { idFields, isPacked, readWholeRecords } from './rows/read-records.ts'
import { checkFormat } from './schema-file.ts'

export type { PromptRow } from './prompt-row.ts'

/**
 * Yields the prompts of a file in order; a file of JSON lines is not kept in memory. A row is `{prompt}`,
 * `{instruction}`, `{messages}` or `{query: [messages]}`, or a line of a batch file (see `readPromptRow`). Its `id` is
 * optional: the default is its line number, from 0.
 * @param system system prompt for the conversations that have none
 * @param responseFormat format for the prompts that have none
 * @throws UsageError if the file cannot be read, DataError with the line that is no prompt or repeats an id
 */
export async function* readPrompts(
  file: string,
  system?: string,
  responseFormat?: ResponseFormat,
): AsyncGenerator<PromptRow> {
  const lines = new Map<string, number>()
  try {
    for await (const { value, line } of await openRows(file)) {
      const wrong: Wrong = (expected, got) => new DataError(file, line, describeWrong(expected, got))
      const prompt = readPromptRow(value, line, wrong)
      const earlier = lines.get(prompt.id)
      if (earlier !== undefined) {
        throw new DataError(file, line, `has the id "${prompt.id}" of line ${earlier}; give each row its own`)
      }
      lines.set(prompt.id, line)
      await checkFormat(prompt, wrong)
      const asked = withFormat(prompt, responseFormat)
      yield system === undefined ? asked : { ...asked, messages: withSystem(asked.messages, system) }
    }
  } catch (error) {
    throw toCallersError(error)
  }
  if (lines.size === 0) throw new DataError(file, undefined, 'expected one prompt per line, got none')
}

type Rows = AsyncIterable<{ value: unknown; line: number }>

async function openRows(file: string): Promise<Rows> {
  const isArray = await startsArray(file)
  if (isPacked(file)) return readWholeRecords(file)
  return isArray ? readArray(file) : readJsonl(file, { exact: idFields })
}

function withFormat(prompt: PromptRow, responseFormat: ResponseFormat | undefined): PromptRow {
  return responseFormat && !prompt.responseFormat ? { ...prompt, responseFormat } : prompt
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
    rows = parseExact((await readFile(file, 'utf8')).replace(/^\uFEFF/, ''), idFields) as unknown[]
  } catch (error) {
    throw new FileError(file, `expected a JSON array: ${(error as Error).message}`)
  }
  for (const [i, value] of rows.entries()) yield { value, line: i + 1 }
}
