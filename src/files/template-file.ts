/** Reads a template from a file, so that a checkpoint can be used with the wording that it was trained with. */
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { DataError } from '../core/provider/errors.ts'
import type { Template } from '../core/templates.ts'
import { toFileError } from '../lib/file-error.ts'
import { toCallersError } from './file-errors.ts'
import { parseJsonFile } from './json-file.ts'

const holding = (mark: string) =>
  z.string().refine((text) => text.includes(mark), { params: { expected: `a string that holds ${mark}` } })

/** A mark with another name would be shown to the model as it is written. */
const item = holding('{{text}}').refine((text) => !/\{\{(?!(text|number)\}\})\w+\}\}/.test(text), {
  params: { expected: 'a string with no other marks than {{number}} and {{text}}' },
})

const templateShape = z.strictObject({
  id: z.string().min(1),
  proposerSystem: z.string(),
  aggregatorSystem: holding('{{proposals}}'),
  proposal: item,
  separator: z.string(),
  keepUserSystem: z.boolean(),
  cutMark: z.string().optional(),
  withoutTools: z.string().optional(),
  judgeSystem: holding('{{candidates}}').optional(),
}) satisfies z.ZodType<Template>

/**
 * Reads a template: a JSON object with the fields of `Template`.
 * @throws UsageError if the file cannot be read, DataError if it is not JSON or a field is wrong
 * @example
 * const template = await readTemplate('template.json')
 * const { answer: text } = await answer('Why is the sky blue?', { engine, template })
 */
export async function readTemplate(file: string): Promise<Template> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw toCallersError(toFileError(file, error))
  })
  const value = parseJsonFile(file, text)
  const result = templateShape.safeParse(value)
  if (result.success) return result.data
  throw new DataError(file, undefined, describeIssue(result.error.issues[0] as z.core.$ZodIssue, value))
}

/** The first problem, as `expected FIELD to be …, got …`. */
function describeIssue(issue: z.core.$ZodIssue, value: unknown): string {
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(templateShape.shape).join(', ')
    return `there is no field \`${issue.keys[0]}\` in a template; there are: ${known}`
  }
  const field = issue.path[0] as string | undefined
  const place = field ? `\`${field}\`` : 'the template'
  const got = JSON.stringify(field ? (value as Record<string, unknown>)[field] : value)
  return `expected ${place} to be ${expectedBy(issue)}, got ${got === undefined ? 'nothing' : got.slice(0, 80)}`
}

function expectedBy(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') return `${issue.expected === 'object' ? 'an' : 'a'} ${issue.expected}`
  if (issue.code === 'custom') return String(issue.params?.expected)
  return 'a string that is not empty'
}
