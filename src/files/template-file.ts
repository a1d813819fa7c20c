/** Reads a template by name, from a file, or from the folder of a trained model. */
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { z } from 'zod'
import { DataError, UsageError } from '../core/provider/errors.ts'
import { hashTemplate, type Template } from '../core/provider/template.ts'
import { builtInTemplates } from '../plans/wordings.ts'
import { type Checkpoint, checkpointFile, isCheckpoint, readRecord } from './checkpoint.ts'
import { parseJsonFile } from './json-file.ts'
import { readText } from './read-text.ts'

/** The file of a built data set that holds its template, if that is not built in. */
export const templateFile = 'template.json'

const holding = (mark: string) =>
  z.string().refine((text) => text.includes(mark), { params: { expected: `a string that holds ${mark}` } })

/** A mark with another name would be shown to the model as it is written. */
const item = holding('{{text}}').refine((text) => !/\{\{(?!(text|number)\}\})\w+\}\}/.test(text), {
  params: { expected: 'a string with no other marks than {{number}} and {{text}}' },
})

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

/**
 * Reads a template: a built-in one by its id, a JSON file with the fields of `Template`, or the folder of a trained model,
 * whose card names one.
 * @param folder that a path is relative to
 * @throws UsageError if the file cannot be read, DataError if it is not JSON or a field is wrong
 * @example
 * const template = await readTemplate('template.json')
 * const { answer: text } = await answer('Why is the sky blue?', { engine, template })
 */
export async function readTemplate(source: string, folder = '.'): Promise<Template> {
  const builtIn = builtInTemplates.find(({ id }) => id === source)
  if (builtIn) return builtIn
  const file = folder === '.' ? source : resolve(folder, source)
  if ((await stat(file).catch(() => undefined))?.isDirectory()) return readFolder(file)
  return parseTemplate(parseJsonFile(file, readTemplateText(file)), file)
}

function readTemplateText(file: string): string {
  try {
    return readText(file)
  } catch (error) {
    throw new UsageError(
      `${(error as Error).message}. Without a file there are the templates ${builtInNames()}`,
    )
  }
}

/** Checks a template. @throws DataError that names the field that is wrong */
export function parseTemplate(value: unknown, file: string): Template {
  const result = templateShape.safeParse(value)
  if (result.success) return result.data
  throw new DataError(file, undefined, describeIssue(result.error.issues[0] as z.core.$ZodIssue, value))
}

/**
 * The template that a trained model's card names: a built-in one, or the wording in the card.
 * @returns undefined if the card names none, or only one that is not to be had
 * @throws DataError if the wording in the card is wrong
 */
export function templateOfCard({ templates }: Checkpoint, file: string): Template | undefined {
  for (const { id, sha256, wording } of templates) {
    const known =
      wording === undefined ? builtInTemplates : [...builtInTemplates, parseTemplate(wording, file)]
    const found = known.find((template) => {
      return template.id === id && (sha256 === undefined || hashTemplate(template) === sha256)
    })
    if (found) return found
  }
  return undefined
}

function readFolder(folder: string): Template {
  const found = isCheckpoint(folder)
    ? templateOfCard(readRecord(folder), `${folder}/${checkpointFile}`)
    : undefined
  if (found) return found
  throw new UsageError(
    `${folder}: expected the JSON file of a template, one of ${builtInNames()}, or a trained model whose card holds its template`,
  )
}

function builtInNames(): string {
  return builtInTemplates.map(({ id }) => id).join(', ')
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
  if (issue.code === 'invalid_value') return `one of ${issue.values.join(', ')}`
  if (issue.code === 'custom') return String(issue.params?.expected)
  return 'a string that is not empty'
}
