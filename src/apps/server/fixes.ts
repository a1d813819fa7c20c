/** Turns answers that a reader corrected into training examples, in the operator's file. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Message } from '../../core/provider/engine.ts'
import { makeExample } from '../../data/make-example.ts'
import type { Example } from '../../files/rows/row.ts'
import { makePlan } from '../../plans/strategies.ts'
import { findTemplate } from '../../plans/wordings.ts'
import { parseBody } from './api-error.ts'
import { appendLine } from './append-line.ts'
import type { Parts } from './parts.ts'

const fixSchema = z.strictObject({
  messages: z
    .array(
      z.strictObject({
        role: z.enum(['system', 'developer', 'user', 'assistant']),
        content: z.string().min(1),
      }),
    )
    .min(1)
    .refine((messages) => messages.at(-1)?.role === 'user', 'expected the last message to be a user'),
  /** In the order in which the aggregator saw them. */
  proposals: z.array(z.strictObject({ text: z.string().min(1), model: z.string() })),
  /** The engine whose answer was corrected. */
  model: z.string(),
  completion: z.string().trim().min(1),
  /** Id of the template that the answer was made with. */
  template: z.string().optional(),
})

/**
 * Appends a corrected aggregation as a line of `train.jsonl`.
 * @throws ApiError 400 with the wrong field, 413, 503 and 507 (see `appendLine`); FileError if the file cannot be written
 */
export async function appendFix(
  file: string,
  body: unknown,
  { offer, wordings }: Pick<Parts, 'offer' | 'wordings'>,
): Promise<Example> {
  const fix = parseBody(fixSchema, body)
  const { messages, proposals, model, completion } = fix
  const { given, trained } = wordings
  const template = findTemplate(fix.template ?? makePlan(offer.base).template, [
    given,
    ...Object.values(trained),
  ])
  const id = createHash('sha256')
    .update(JSON.stringify([messages, proposals, completion]))
    .digest('hex')
    .slice(0, 16)
  const draft = {
    id: `fix-${id}`,
    conversation: messages as Message[],
    proposals: proposals.map((proposal) => ({ ...proposal, onPolicy: proposal.model === model })),
    target: completion,
    source: 'fixes',
  }
  const example = (await makeExample(draft, template)) as Example
  appendLine(file, `${JSON.stringify(example)}\n`)
  return example
}
