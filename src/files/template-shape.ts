/** What a template's file holds, and the templates that a trained model's card names. */
import { z } from 'zod'
import { DataError } from '../core/provider/errors.ts'
import { hashTemplate, type Template } from '../core/provider/template.ts'
import { builtInTemplates } from '../plans/wordings.ts'
import type { Checkpoint } from './checkpoint.ts'
import { describeIssue, inWords } from './json-file.ts'

const holding = (mark: string) =>
  z.string().refine((text) => text.includes(mark), `expected text that holds ${mark}`)

/** A mark with another name would be shown to the model as it is written. */
const item = holding('{{text}}').refine(
  (text) => !/\{\{(?!(text|number)\}\})\w+\}\}/.test(text),
  'expected text with no other marks than {{number}} and {{text}}',
)

const templateShape = z.strictObject({
  id: z.string().min(1),
  place: z.enum(['system', 'tail']).optional(),
  proposerSystem: z.string(),
  aggregatorSystem: holding('{{proposals}}'),
  proposal: item,
  separator: z.string(),
  keepUserSystem: z.boolean(),
  cutMark: z.string().optional(),
  withoutTools: z.string().optional(),
  judgeSystem: holding('{{candidates}}').optional(),
}) satisfies z.ZodType<Template>

/** Checks a template. @throws DataError that names the field that is wrong */
export function parseTemplate(value: unknown, file: string): Template {
  const { data, error } = templateShape.safeParse(value, inWords)
  if (data) return data
  const issue = error?.issues[0] as z.core.$ZodIssue
  const known = `; a template has ${Object.keys(templateShape.shape).join(', ')}`
  const problem = describeIssue(issue, value) + (issue.code === 'unrecognized_keys' ? known : '')
  throw new DataError(file, undefined, problem)
}

/**
 * The template that a trained model's card names: a built-in one, or the wording in the card.
 * @returns undefined if the card names none, or only one that is not to be had
 * @throws DataError if the wording in the card is wrong
 */
export function templateOfCard({ templates }: Checkpoint, file: string): Template | undefined {
  for (const { id, sha256, wording } of templates) {
    const own = wording === undefined ? [] : [parseTemplate(wording, file)]
    const found = [...builtInTemplates, ...own].find((template) => {
      return template.id === id && (sha256 === undefined || hashTemplate(template) === sha256)
    })
    if (found) return found
  }
  return undefined
}
