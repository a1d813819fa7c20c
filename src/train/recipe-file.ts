/** Reads a recipe: a YAML file, and settings of the command line, which win. Errors have file and line. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { LineCounter, parse, parseDocument } from 'yaml'
import type { z } from 'zod'
import { DataError, UsageError } from '../core/provider/errors.ts'
import { describeIssue, inWords } from '../files/json-file.ts'
import { readText } from '../files/read-text.ts'
import { findClosest } from '../lib/closest.ts'
import { formerFields, type Recipe, recipeSchema, withPresentNames } from './recipe.ts'

const known = Object.keys(recipeSchema.shape)

/**
 * Reads a recipe and fills in defaults. Paths relative to the recipe's folder become absolute.
 * @param settings `knob=value`, with the value as YAML
 * @throws UsageError if the file cannot be read or a setting is wrong, DataError with the line that is wrong
 */
export function readRecipe(file: string, settings: string[] = []): Recipe {
  const text = readRecipeText(file)
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const lineOf = (offset: number | undefined) =>
    offset === undefined ? undefined : lines.linePos(offset).line
  const [error] = document.errors
  if (error) throw new DataError(file, lineOf(error.pos[0]), `expected YAML: ${error.message}`)
  const given = document.toJS() as unknown
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new DataError(file, 1, 'expected a recipe: lines such as `base: smollm2`')
  }
  const set = Object.fromEntries(settings.map(readSetting))
  const { $schema: _, ...fields } = { ...given, ...set } as Record<string, unknown>
  const result = recipeSchema.safeParse(fields, inWords)
  if (result.success) return resolvePaths(result.data, file, set)
  const { issues } = result.error
  // A name that is not known explains another one that is missing.
  const issue = (issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]) as z.core.$ZodIssue
  const key = String(issue.path[0] ?? ('keys' in issue ? issue.keys[0] : ''))
  const problem = describe(issue, key, fields)
  if (key in set) throw new UsageError(`--set ${key}: ${problem}`)
  const node = document.getIn([key], true) as { range?: [number, number, number] } | undefined
  throw new DataError(file, lineOf(node?.range?.[0]), problem)
}

/** Reads the recipe in a run's folder, one of version 0.1.0 too. */
export function readRunRecipe(folder: string): Recipe {
  const file = path.join(folder, 'recipe.yaml')
  const fields = withPresentNames(parse(readRecipeText(file)))
  const { data, error } = recipeSchema.safeParse(fields, inWords)
  if (data) return data
  const [issue] = error.issues as [z.core.$ZodIssue]
  throw new DataError(file, undefined, `expected the recipe of a run; ${describeIssue(issue, fields)}`)
}

function readRecipeText(file: string): string {
  try {
    return readText(file)
  } catch (cause) {
    const hint = existsSync(path.join('recipes', `${file}.yaml`)) ? `; is recipes/${file}.yaml meant?` : ''
    throw new UsageError(`${(cause as Error).message}; expected a recipe${hint}`, {
      cause,
    })
  }
}

function readSetting(text: string): [string, unknown] {
  const at = text.indexOf('=')
  if (at < 1) throw new UsageError(`--set: expected field=value, such as max_steps=30, got "${text}"`)
  const value = text.slice(at + 1)
  try {
    return [text.slice(0, at), parse(value)]
  } catch {
    return [text.slice(0, at), value]
  }
}

function describe(issue: z.core.$ZodIssue, key: string, fields: Record<string, unknown>): string {
  if (issue.code === 'unrecognized_keys') {
    const near = formerFields[key] ?? findClosest(key, known)
    const hint = formerFields[key]
      ? `the name is now \`${near}\``
      : near
        ? `did you mean \`${near}\`?`
        : "TRL's other arguments go under `trl:`"
    return `there is no \`${key}\`; ${hint}`
  }
  if (fields[key] === undefined) return `\`${key}\` is missing`
  return describeIssue(issue, fields)
}

/** Resolves paths: from the recipe's folder if the recipe has them, from here if the command line has them. */
function resolvePaths(recipe: Recipe, file: string, set: Record<string, unknown>): Recipe {
  const beside = (key: 'data' | 'base' | 'chat_template_path') => {
    const value = recipe[key]
    if (value === undefined || key in set) return value
    const [scheme, rest] = value.startsWith('gguf:') ? ['gguf:', value.slice(5)] : ['', value]
    const isPath = key === 'data' || scheme !== '' || /^\.{0,2}[\\/]|\.(jinja|j2)$/.test(value)
    return isPath ? `${scheme}${path.resolve(path.dirname(file), rest)}` : value
  }
  return {
    ...recipe,
    data: beside('data'),
    base: beside('base') as string,
    chat_template_path: beside('chat_template_path'),
  }
}
