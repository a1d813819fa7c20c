/** The prompts of a run's journal, each with its layers and its answer. All are kept in memory. */

import type { Plan } from '../core/plan.ts'
import { DataError } from '../core/provider/errors.ts'
import type { Completion, Failure, LayerResult } from '../core/result.ts'
import {
  type AnswerRecord,
  type HeaderRecord,
  type JournalRecord,
  journalRecord,
  type PromptRecord,
} from '../files/journal-records.ts'
import { readJsonl } from '../lib/jsonl.ts'

export interface JournalPrompt {
  id: string
  messages: PromptRecord['messages']
  layers: LayerResult[]
  /** Absent where it has none yet, or failed. */
  answer?: Extract<AnswerRecord, { answer: string }>
}

export interface JournalContent {
  file: string
  plan: Plan
  header: HeaderRecord
  prompts: JournalPrompt[]
}

/**
 * Reads a journal that `aft run` wrote, complete or not.
 * @throws DataError with the line that is none of a journal, FileError where the file cannot be read
 */
export async function readJournal(file: string): Promise<JournalContent> {
  let header: HeaderRecord | undefined
  const prompts = new Map<string, JournalPrompt>()
  for await (const { value, line } of readJsonl(file, { tornTail: 'skip' })) {
    const { data, error } = journalRecord.safeParse(value)
    const issue = error?.issues[0]
    if (issue) {
      throw new DataError(
        file,
        line,
        `expected a line of a journal; ${issue.path.join('.') || 'it'}: ${issue.message}`,
      )
    }
    const record = data as JournalRecord
    if (record.type === 'header') header = record
    else if (record.type === 'prompt')
      prompts.set(record.id, { id: record.id, messages: record.messages, layers: [] })
    else addRecord(prompts.get(record.prompt), record)
  }
  if (!header) throw new DataError(file, undefined, 'expected a journal of `aft run`, got no header')
  return { file, plan: header.plan, header, prompts: [...prompts.values()] }
}

function addRecord(
  prompt: JournalPrompt | undefined,
  record: Exclude<JournalRecord, HeaderRecord | PromptRecord>,
): void {
  if (!prompt) return
  if (record.type === 'answer') {
    if ('answer' in record) prompt.answer = record
    else prompt.layers = [] // a prompt that failed is done anew
    return
  }
  while (prompt.layers.length <= record.layer) prompt.layers.push({ completions: [], failures: [] })
  const layer = prompt.layers[record.layer] as LayerResult
  if (record.type === 'completion') layer.completions.push(record as Completion)
  if (record.type === 'failure') layer.failures.push(record as Failure)
}
