/** Prepares and reads proposals that a model writes for prompts, as a chat model or as a base model with demonstrations. */
import { type Message, textOf } from '../core/provider/engine.ts'
import { DataError, UsageError } from '../core/provider/errors.ts'
import type { Template } from '../core/provider/template.ts'
import { formOf } from '../files/forms/forms.ts'
import { type PromptRow, readPrompts } from '../files/prompts.ts'
import { readRecords } from '../files/rows/read-records.ts'
import { asFields, asText, type Response, RowProblem } from '../files/rows/row.ts'
import { createSpool, type Spool } from '../lib/spool.ts'
import { paperTemplate } from '../plans/wordings.ts'
import { cutLeak, type Demonstration, demonstrationStops, renderDemonstrations } from './demonstrations.ts'
import { journal } from './sources/journal.ts'
import { readPrompt } from './sources/responses.ts'

/** The template for a base model: raw text has no system turn. */
export const baseTemplate: Template = {
  ...paperTemplate,
  id: 'aft-base-1',
  proposerSystem: '',
  keepUserSystem: false,
}

/** A prompt with its responses, as a row of the format `responses`. */
export interface ProposedRow {
  id: string
  messages: Message[]
  responses: Response[]
}

/** What raw text cannot have, by the names of rows. */
const NOT_OF_A_BASE = { tools: 'tools', responseFormat: 'response_format', stop: 'stop' }

/**
 * Reads the prompts of a file for a base model: demonstrations, then the last user turn.
 * @throws UsageError for a prompt with tools, a format or stop strings: raw text has none, or its own
 */
export async function* readForBase(
  file: string,
  demonstrations?: Demonstration[],
): AsyncGenerator<PromptRow> {
  for await (const { id, messages, own, ...more } of readPrompts(file)) {
    const found = Object.keys(more).find((name) => name in NOT_OF_A_BASE) as 'tools' | undefined
    if (found)
      throw new UsageError(
        `${file}: the prompt "${id}" has \`${NOT_OF_A_BASE[found]}\`, which a base model cannot take`,
      )
    const question = textOf(messages.findLast((m) => m.role === 'user') ?? { role: 'user', content: '' })
    const content = renderDemonstrations(question, demonstrations)
    yield { id, messages: [{ role: 'user', content }], stop: demonstrationStops, ...(own && { own }) }
  }
}

/**
 * Reads demonstrations from a file: rows with a question (or a prompt) and an answer.
 * @throws DataError with file and line for a row without them
 */
export async function readDemonstrations(from: string): Promise<Demonstration[]> {
  const read: Demonstration[] = []
  for await (const { file, value, line, problem } of readRecords([from])) {
    try {
      if (problem !== undefined) throw new RowProblem(problem)
      const row = asFields(value)
      const question = readPrompt(row).map(textOf).join('\n')
      read.push({ question, answer: asText(formOf(row).target?.(row), 'answer') })
    } catch (error) {
      throw error instanceof RowProblem ? new DataError(file, line, error.message) : error
    }
  }
  return read
}

/**
 * Reads the prompts of a file with their responses from a journal. Prompts without an answer are left out.
 * @param onCut called for each response of a base model that was cut because the model wrote more than its answer
 */
export async function* readProposed(
  file: string,
  { journal: from, isBase, onCut }: { journal: string; isBase: boolean; onCut: () => void },
): AsyncGenerator<ProposedRow> {
  const made = await spoolResponses(from, (response) => {
    const text = isBase ? cutLeak(response.text) : response.text
    if (text !== response.text && text !== response.text.trim()) onCut()
    return { ...response, text }
  })
  try {
    for await (const { id, messages } of readPrompts(file)) {
      const responses = made.get(id)
      if (responses) yield { id, messages, responses }
    }
  } finally {
    made.close()
  }
}

async function spoolResponses(
  from: string,
  clean: (response: Response) => Response,
): Promise<Spool<Response[]>> {
  const spool = createSpool<Response[]>(`${from}.spool.tmp`)
  try {
    for await (const row of journal.read(readRecords([from]))) {
      if (!('problem' in row)) spool.put(row.id, row.responses.map(clean))
    }
    return spool
  } catch (error) {
    spool.close()
    throw error
  }
}
