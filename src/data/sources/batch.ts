/** Requests of a batch and their results, joined by `custom_id`. Requests stay in memory until the files end. */
import type { Message } from '../../core/provider/engine.ts'
import { batchRequest, readResult } from '../../files/forms/batch.ts'
import { formOf } from '../../files/forms/forms.ts'
import {
  asId,
  attempt,
  type BadRow,
  checkQuestion,
  type Fields,
  type RawRecord,
  type Response,
  type Source,
  type SourceRow,
  wrong,
} from '../../files/rows/row.ts'

interface Line {
  id: string
  place: string
  prompt?: Message[]
  responses?: Response[]
}

/** The source `batch`. Several results of one request are several responses, in the order of the files. */
export const batch: Source = {
  about: 'requests and results of a batch API (OpenAI, Mistral, Anthropic), joined by custom_id',
  async *read(records: AsyncIterable<RawRecord>): AsyncIterable<SourceRow | BadRow> {
    const prompts = new Map<string, Message[]>()
    const results = new Map<string, { place: string; responses: Response[] }>()
    for await (const record of records) {
      const line = attempt(record, (row) => readLine(row, `${record.file}:${record.line}`))
      if ('problem' in line) yield line
      else if (!line.prompt) addTo(results, line)
      else if (!prompts.has(line.id)) prompts.set(line.id, line.prompt)
      else yield { place: line.place, problem: `a second request has the custom_id "${line.id}"` }
    }
    for (const [id, { place, responses }] of results) {
      const prompt = prompts.get(id)
      if (!prompt)
        yield { place, problem: `expected a request with the custom_id "${id}" in one of the files` }
      else yield { id, prompt, responses }
    }
  },
}

function addTo(
  results: Map<string, { place: string; responses: Response[] }>,
  { id, place, responses = [] }: Line,
): void {
  const known = results.get(id)
  if (known) known.responses.push(...responses)
  else results.set(id, { place, responses })
}

function readLine(row: Fields, place: string): Line {
  if (row.custom_id == null)
    throw wrong('`custom_id`, as requests and results of a batch have it', Object.keys(row))
  const id = asId(row.custom_id, place, 'custom_id')
  if (formOf(row) === batchRequest)
    return { id, place, prompt: checkQuestion(batchRequest.ask(row), 'messages') }
  return { id, place, responses: readResult(row) }
}
