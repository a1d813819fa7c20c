/** Reads prompts from a file of rows: JSON lines, one JSON array, CSV, packed or not, or Parquet. */
import { stat } from 'node:fs/promises'
import type { Message, ResponseFormat } from '../core/provider/engine.ts'
import { DataError } from '../core/provider/errors.ts'
import { FileError, toFileError } from '../lib/file-error.ts'
import { toCallersError } from './file-errors.ts'
import { type PromptRow, readPromptRow } from './prompt-row.ts'
import { readWholeRecords } from './rows/read-records.ts'
import { RowProblem } from './rows/row.ts'
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
    await checkFile(file)
    for await (const { value, line, row = line } of readWholeRecords(file)) {
      const prompt = await readRow(value, { file, line, row })
      const earlier = lines.get(prompt.id)
      if (earlier !== undefined) {
        throw new DataError(file, line, `has the id "${prompt.id}" of line ${earlier}; give each row its own`)
      }
      lines.set(prompt.id, line)
      const asked = withFormat(prompt, responseFormat)
      yield system === undefined ? asked : { ...asked, messages: withSystem(asked.messages, system) }
    }
  } catch (error) {
    throw toCallersError(error)
  }
  if (lines.size === 0) throw new DataError(file, undefined, 'expected one prompt per line, got none')
}

async function readRow(value: unknown, at: { file: string; line: number; row: number }): Promise<PromptRow> {
  try {
    const prompt = readPromptRow(value, at.row)
    await checkFormat(prompt)
    return prompt
  } catch (error) {
    throw error instanceof RowProblem ? new DataError(at.file, at.line, error.message) : error
  }
}

function withFormat(prompt: PromptRow, responseFormat: ResponseFormat | undefined): PromptRow {
  return responseFormat && !prompt.responseFormat ? { ...prompt, responseFormat } : prompt
}

function withSystem(messages: Message[], content: string): Message[] {
  const isSystem = messages[0]?.role === 'system' || messages[0]?.role === 'developer'
  return isSystem ? messages : [{ role: 'system', content }, ...messages]
}

const NO_FILE = 'is a pipe or a device; expected a file: it is read more than once'

async function checkFile(file: string): Promise<void> {
  const stats = await stat(file).catch((error) => {
    throw toFileError(file, error)
  })
  if (!stats.isFile() && !stats.isDirectory()) throw new FileError(file, NO_FILE, { code: 'NOFILE' })
}
