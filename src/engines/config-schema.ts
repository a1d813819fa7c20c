/** What a config may hold, and the errors for anything else. */
import { z } from 'zod'
import { holdsKey, UsageError } from '../core/provider/errors.ts'
import { explainIssue, inWords } from '../files/json-file.ts'
import { namesOf, optionFields } from '../files/option-fields.ts'
import { findClosest } from '../lib/closest.ts'
import { type OptionTable, type OptionValues, planOptions } from '../plans/options.ts'
import { isModel } from './ai-sdk/is-model.ts'
import { type EngineSettings, engineOptions } from './engine-options.ts'
import { namedServers, providers } from './named/table.ts'
import type { Price } from './price.ts'

const price = z.strictObject({ inputPerMTok: z.number().min(0), outputPerMTok: z.number().min(0) })

const engineSchema = z.strictObject({
  provider: z.enum([...Object.keys(namedServers), ...Object.keys(providers)]).optional(),
  model: z.string().min(1),
  ...optionFields(engineOptions),
  price: price.optional(),
  template: z.string().min(1).optional(),
})

function schemasOf(table: OptionTable) {
  const { seed, ...fields } = optionFields(table)
  const model = z.string().optional()
  return {
    defaults: z.strictObject({
      model,
      preset: z.string().optional(),
      template: z.string().optional(),
      seed,
      ...fields,
    }),
    preset: z.strictObject({ model, ...fields }),
  }
}

const configSchema = z.strictObject({
  engines: z.record(z.string(), z.unknown()).optional(),
  defaults: z.unknown().optional(),
  presets: z.record(z.string(), z.unknown()).optional(),
})

/**
 * An engine by its parts. `model` is any name that `openEngine` takes, or, with `provider` or `baseURL`, the server's own
 * name of the model. `template` is the one that the model was trained with: a built-in one, a file, or the folder of the
 * trained model. Keys are named by their environment variable only, `${NAME}` in `headers`. `price` is in US dollars a million tokens.
 */
export interface EngineConfig extends EngineSettings {
  provider?: string
  model: string
  price?: Price
  template?: string
}

/** Values of the flags that are not given. `model` is for every role; `template` is a file or a built-in one. */
export interface Defaults extends OptionValues {
  model?: string
  preset?: string
  template?: string
}

/** What a preset changes. `model` is for every role. */
export interface PresetConfig extends Omit<OptionValues, 'seed'> {
  model?: string
}

/** Says where a part of a config is, by its path: `aft.config.yaml:3: engines.fast.model`. */
export type Place = (path: PropertyKey[]) => string

/** The places in a file whose lines are not known. */
function placesIn(file: string): Place {
  return (path) => [file, path.join('.')].filter(Boolean).join(': ')
}

/**
 * Checks what a file or a caller gave, and returns it.
 * @throws UsageError that names place, what was expected and what came
 */
export function checkConfig(
  value: unknown,
  file: string | Place = 'config',
  table: OptionTable = planOptions,
): unknown {
  const place = typeof file === 'string' ? placesIn(file) : file
  const schemas = schemasOf(table)
  const { engines = {}, defaults = {}, presets = {} } = parse(configSchema, value, place, [])
  parse(schemas.defaults, defaults, place, ['defaults'])
  for (const [name, preset] of Object.entries(presets)) {
    checkName(name, place, ['presets', name])
    parse(schemas.preset, preset, place, ['presets', name])
  }
  for (const [name, entry] of Object.entries(engines)) {
    const path = ['engines', name]
    checkName(name, place, path)
    refuseKeys(entry, place, path)
    if (typeof entry === 'string' || typeof entry === 'function' || isModel(entry)) continue
    parse(engineSchema, entry, place, path)
  }
  return value
}

function checkName(name: string, place: Place, path: string[]): void {
  if (/^[\w.-]+$/.test(name)) return
  throw new UsageError(`${place(path)}: expected a name of letters, digits, ".", "_" and "-"`)
}

function parse<T extends z.ZodObject>(
  schema: T,
  value: unknown,
  place: Place,
  path: PropertyKey[],
): z.infer<T> {
  const result = schema.safeParse(value, inWords)
  if (result.success) return result.data
  const lines = result.error.issues.map((issue) => {
    const known = issue.path.length === 0 ? namesOf(schema) : []
    return `${place([...path, ...issue.path])}: ${explain(issue, valueAt(value, issue.path), known)}`
  })
  throw new UsageError(lines.join('\n'))
}

function explain(issue: z.core.$ZodIssue, got: unknown, known: string[]): string {
  if (issue.code === 'unrecognized_keys') {
    const near = findClosest(issue.keys[0] as string, known)
    const list = known.length > 0 ? `; there are ${known.join(', ')}` : ''
    const unknown = `unknown field ${issue.keys.join(', ')}${near ? `; did you mean ${near}?` : list}`
    return issue.keys.some((key) => /key$|token|secret|password/i.test(key))
      ? `${unknown}. ${KEY_ADVICE}`
      : unknown
  }
  if (issue.path.at(-1) === 'apiKeyEnv') return `expected the name of an environment variable. ${KEY_ADVICE}`
  return explainIssue(issue, got)
}

const KEY_ADVICE = `Keys belong in the environment, never in a file: give the variable's name, such as apiKeyEnv: "OPENAI_API_KEY", or "\${NAME}" in headers`

function valueAt(value: unknown, path: PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key],
    value,
  )
}

function refuseKeys(entry: unknown, place: Place, path: string[]): void {
  if (typeof entry === 'string') {
    if (holdsKey(entry)) throw new UsageError(`${place(path)}: holds a key. ${KEY_ADVICE}`)
  } else if (typeof entry === 'object' && entry !== null && !isModel(entry)) {
    for (const [key, inner] of Object.entries(entry)) refuseKeys(inner, place, [...path, key])
  }
}
