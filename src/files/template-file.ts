/** Reads a template by name, from a file, or from the folder of a trained model. */
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { UsageError } from '../core/provider/errors.ts'
import type { Template } from '../core/provider/template.ts'
import { builtInTemplates } from '../plans/wordings.ts'
import { checkpointFile, isCheckpoint } from './find-checkpoint.ts'
import { parseJsonFile } from './json-file.ts'
import { readText } from './read-text.ts'

/** The file of a built data set that holds its template, if that is not built in. */
export const templateFile = 'template.json'

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
  const value = parseJsonFile(file, readTemplateText(file))
  return (await import('./template-shape.ts')).parseTemplate(value, file)
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

async function readFolder(folder: string): Promise<Template> {
  const found = isCheckpoint(folder) ? await readCardTemplate(folder) : undefined
  if (found) return found
  throw new UsageError(
    `${folder}: expected the JSON file of a template, one of ${builtInNames()}, or a trained model whose card holds its template`,
  )
}

/** The template of a trained model; undefined as `templateOfCard` says. Schemas are loaded with the first card. */
export async function readCardTemplate(folder: string): Promise<Template | undefined> {
  const { readRecord } = await import('./checkpoint.ts')
  const { templateOfCard } = await import('./template-shape.ts')
  return templateOfCard(readRecord(folder), `${folder}/${checkpointFile}`)
}

function builtInNames(): string {
  return builtInTemplates.map(({ id }) => id).join(', ')
}
