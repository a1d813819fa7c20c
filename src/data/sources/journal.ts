/** Journals of this program. The answer is the target; the responses are the proposals that it was made from. */
import {
  createJournalPrompts,
  findShown,
  type JournalPrompt,
  takeRecord,
} from '../../files/journal-prompts.ts'
import type { JournalRecord } from '../../files/journal-records.ts'
import {
  asMessages,
  attempt,
  type BadRow,
  type RawRecord,
  RowProblem,
  type Source,
  type SourceRow,
} from '../../files/rows/row.ts'

/** The source `journal`. Only prompts without an answer so far are kept in memory. */
export const journal: Source = {
  about: 'a journal of `aft run`, `aft data propose` or `aft data label`',
  async *read(records: AsyncIterable<RawRecord>): AsyncIterable<SourceRow | BadRow> {
    const { parseRecord } = await import('../../files/journal-records.ts')
    const takeLine = (value: object) => takeRecord(open, toRecord(value, parseRecord))
    const open = createJournalPrompts()
    const places = new Map<string, string>()
    for await (const record of records) {
      const taken = attempt(record, takeLine)
      if (taken && 'problem' in taken) yield taken
      else if (taken) {
        const row = toRow(taken, open.header?.plan.layers.length)
        if (!row) places.set(taken.id, places.get(taken.id) ?? `${record.file}:${record.line}`)
        else {
          if (row.responses.length > 0) yield row
          open.prompts.delete(taken.id)
          places.delete(taken.id)
        }
      }
    }
    for (const { id, layers } of open.prompts.values()) {
      if (!layers[0]?.completions.length) continue
      yield { place: places.get(id) ?? id, problem: `the prompt "${id}" has no answer yet` }
    }
  },
}

function toRecord(value: object, parse: (value: object) => JournalRecord): JournalRecord {
  try {
    const line = parse(value)
    if (line.type === 'prompt') asMessages(line.messages, 'messages')
    return line
  } catch (error) {
    throw error instanceof RowProblem ? error : new RowProblem((error as Error).message)
  }
}

/** Makes a row; undefined while there is no answer. If the answer was chosen, not aggregated, all candidates are responses. */
function toRow(prompt: JournalPrompt, depth?: number): SourceRow | undefined {
  const { id, messages, layers, end } = prompt
  if (!end || !('answer' in end)) return undefined
  const shown = findShown(prompt, depth)
  const candidates = layers[0]?.completions.toSorted((a, b) => a.index - b.index) ?? []
  const responses = (shown.length > 0 ? shown : candidates).map(({ text, engine: model }) => ({
    text,
    model,
  }))
  return { id, prompt: messages, responses, target: end.answer }
}
