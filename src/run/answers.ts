/** Writes the file of answers from the journal, in the order of the prompts. */
import { closeSync, openSync, renameSync, rmSync } from 'node:fs'
import { textOf } from '../core/provider/engine.ts'
import type { AnswerRecord } from '../files/journal-records.ts'
import type { PromptRow } from '../files/prompts.ts'
import type { RunJournal } from '../files/run-journal.ts'
import { syncFile, syncName } from '../lib/durable.ts'
import { toFileError } from '../lib/file-error.ts'
import { behindLinks, checkReplaceable, writeAll } from '../lib/write-whole.ts'

/** The forms of a file of answers. */
export type AnswerFormat = 'jsonl' | 'alpaca-eval'

/** Where the answers go, and in which form. */
export interface AnswerFile {
  file: string
  format: AnswerFormat
  /** Name of the model in the benchmark's rows. */
  generator: string
  /** Puts the prompt into each line of `jsonl`, after its id. */
  withPrompt?: boolean
}

/**
 * Writes how the prompts `ids` ended. `jsonl` has one line per prompt. `alpaca-eval` is the benchmark's JSON array; it
 * leaves out prompts that failed.
 * @throws FileError if it cannot be written; an existing file then stays unchanged
 */
export function writeAnswers(
  journal: RunJournal,
  ids: string[],
  { file: named, format, generator, withPrompt = false }: AnswerFile,
): void {
  const rows =
    format === 'jsonl'
      ? answerLines(journal, ids, withPrompt)
      : arrayPieces(outputsOf(journal, ids, generator))
  const file = behindLinks(named)
  const temporary = `${file}.tmp`
  checkReplaceable(named)
  try {
    writePieces(temporary, rows)
    renameSync(temporary, file)
    syncName(file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw toFileError(file, error)
  }
}

const FLUSH_CHARS = 1 << 18

function writePieces(file: string, pieces: Iterable<string>): void {
  const fd = openSync(file, 'w')
  try {
    let waiting = ''
    for (const piece of pieces) {
      waiting += piece
      if (waiting.length < FLUSH_CHARS) continue
      writeAll(fd, waiting)
      waiting = ''
    }
    writeAll(fd, waiting)
    syncFile(fd)
  } finally {
    closeSync(fd)
  }
}

function* answerLines(journal: RunJournal, ids: string[], withPrompt: boolean): Generator<string> {
  for (const id of ids) {
    const { item, end } = endOf(journal, id)
    // `at` is the line's place in the queue that it came through.
    const { type, prompt, at, ...answer } = end as AnswerRecord & { at?: string }
    yield `${JSON.stringify({ id, ...(withPrompt && askedIn(item)), ...answer })}\n`
  }
}

/** What was asked, as rows of prompts have it: a text if it is one turn, else all turns. */
function askedIn({ messages }: PromptRow): { prompt: string } | Pick<PromptRow, 'messages'> {
  const [turn] = messages
  const isText = messages.length === 1 && turn?.role === 'user' && typeof turn.content === 'string'
  return isText ? { prompt: turn.content as string } : { messages }
}

function* outputsOf(journal: RunJournal, ids: string[], generator: string) {
  for (const id of ids) {
    const { item, end } = endOf(journal, id)
    if ('error' in end) continue
    const instruction = textOf(item.messages.findLast((m) => m.role === 'user') ?? { role: 'user' })
    yield { dataset: item.dataset ?? 'none', instruction, output: end.answer, generator }
  }
}

function endOf(journal: RunJournal, id: string): { item: PromptRow; end: AnswerRecord } {
  const found = journal.ends(id)
  if (found?.item.type === 'prompt' && found.end.type === 'answer')
    return { item: found.item, end: found.end }
  throw new Error(`the journal has no end of the prompt "${id}"`)
}

function* arrayPieces(rows: Iterable<object>): Generator<string> {
  let before = '[\n'
  for (const row of rows) {
    yield before + JSON.stringify(row)
    before = ',\n'
  }
  yield before === '[\n' ? '[]\n' : '\n]\n'
}
