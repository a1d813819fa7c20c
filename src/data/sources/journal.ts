/** Journals of this program: first-layer completions are the responses, the answer is the target. */
import type { Message } from '../../core/provider/engine.ts'
import {
  asFields,
  asMessages,
  asText,
  attempt,
  type BadRow,
  type RawRecord,
  type Response,
  type Source,
  type SourceRow,
} from '../../files/rows/row.ts'

interface Open {
  prompt: Message[]
  /** By member; an attempt made again takes the earlier one's place. */
  responses: Map<number, Response>
}

export const journal: Source = {
  about: 'a journal of `aft run`, `aft data propose` or `aft data label`',
  async *read(records: AsyncIterable<RawRecord>): AsyncIterable<SourceRow | BadRow> {
    const open = new Map<string, Open>()
    for await (const record of records) {
      const row = attempt(record, (line) => takeLine(line, open))
      if (row && 'problem' in row) yield row
      else if (row && row.responses.length > 0) yield row
    }
    for (const [id, { responses }] of open) {
      if (responses.size > 0) yield { place: `prompt ${id}`, problem: 'has no answer yet' }
    }
  },
}

/** Only prompts that were not answered yet are kept. */
function takeLine(line: Record<string, unknown>, open: Map<string, Open>): SourceRow | undefined {
  if (line.type === 'prompt') {
    open.set(asText(line.id, 'id'), { prompt: asMessages(line.messages, 'messages'), responses: new Map() })
    return undefined
  }
  const id = String(line.prompt)
  const entry = open.get(id)
  if (!entry) return undefined
  const { index, text, engine, layer } = line
  if (line.type === 'completion' && layer === 0 && typeof text === 'string') {
    const model = typeof engine === 'string' ? engine : 'unknown'
    entry.responses.set(Number(index), { text, model })
  }
  if (line.type !== 'answer' || typeof line.answer !== 'string') return undefined
  open.delete(id)
  const responses = [...entry.responses].sort(([a], [b]) => a - b).map(([, response]) => response)
  return { id, prompt: entry.prompt, responses, target: asFields(line).answer as string }
}
