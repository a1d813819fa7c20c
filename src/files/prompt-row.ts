/** One row of a prompt file: which question it asks, and what it says of the answer. Nothing of that is dropped silently. */
import type { Prompt } from '../core/plan.ts'
import { type ReasoningEffort, reasoningEfforts, type Sampling } from '../core/provider/engine.ts'
import type { OwnSettings } from '../plans/own-settings.ts'
import { requestOf, unsupported } from './forms/batch.ts'
import { isFields, isGiven, isSet } from './forms/form.ts'
import { formOf } from './forms/forms.ts'
import { wrong } from './rows/row.ts'

/** A prompt of a file; `dataset` is the part of a benchmark that its row names. */
export interface PromptRow extends Prompt {
  dataset?: string
  /** Sampling and seed that hold for this prompt only. */
  own?: OwnSettings
}

type Row = Record<string, unknown>

/** Settings of a row, by the names of the wire. */
const SAMPLING: Record<string, keyof Sampling> = {
  temperature: 'temperature',
  top_p: 'topP',
  top_k: 'topK',
  min_p: 'minP',
  frequency_penalty: 'frequencyPenalty',
  presence_penalty: 'presencePenalty',
  max_tokens: 'maxTokens',
  max_completion_tokens: 'maxTokens',
}

/**
 * Reads a row of any form (`forms/forms.ts`), with tools and sampling of its own.
 * @param line from 1; names a row without id
 * @throws RowProblem with the field that is wrong or not supported
 */
export function readPromptRow(given: unknown, line: number): PromptRow {
  if (!isFields(given)) throw wrong('an object', given)
  const value = given
  const row = requestOf(value)
  refuseOthers(row)
  const { tools, tool_choice, parallel_tool_calls, response_format, stop, prompt_cache_key } = row
  const { dataset } = value
  const messages = formOf(value).ask(value)
  const own = readOwn(row)
  return {
    id: readId(value, line),
    messages,
    ...(isGiven(stop) && { stop: readStop(stop) }),
    ...(isGiven(prompt_cache_key) && { passed: { prompt_cache_key } }),
    ...(isGiven(tools) && { tools: tools as Prompt['tools'] }),
    ...(isGiven(tool_choice) && { toolChoice: tool_choice as Prompt['toolChoice'] }),
    ...(isGiven(parallel_tool_calls) && { parallelToolCalls: parallel_tool_calls === true }),
    ...(isGiven(response_format) && { responseFormat: readFormat(response_format) }),
    ...(typeof dataset === 'string' && { dataset }),
    ...(own && { own }),
  }
}

function refuseOthers(row: Row): void {
  if (isSet(row.n) && row.n !== 1) throw wrong('`n` to be 1: a run gives one answer per row', row.n)
  const found = unsupported.find((field) => isSet(row[field]))
  if (found) throw wrong(`no \`${found}\`: a run does not support it`, row[found])
}

function readId({ id, custom_id, prompt_id, prompt, messages }: Row, line: number): string {
  const isShared = isGiven(messages) && typeof prompt === 'string'
  const given = custom_id ?? id ?? (isShared ? prompt_id : undefined)
  if (given === undefined || given === null) return String(line - 1)
  if (typeof given === 'string' || typeof given === 'number') return String(given)
  throw wrong(`\`${custom_id === undefined ? 'id' : 'custom_id'}\` to be a string or a number`, given)
}

function readOwn(row: Row): OwnSettings | undefined {
  const sampling: Partial<Sampling> = {}
  for (const [field, name] of Object.entries(SAMPLING)) {
    const value = row[field]
    if (!isGiven(value)) continue
    const isWhole = name === 'maxTokens' || name === 'topK'
    const isRight =
      typeof value === 'number' && (isWhole ? Number.isInteger(value) && value > 0 : value >= -2)
    if (!isRight) throw wrong(`\`${field}\` to be a ${isWhole ? 'whole number from 1' : 'number'}`, value)
    sampling[name] = value as never
  }
  const { seed, reasoning_effort: effort } = row
  if (isGiven(effort)) {
    if (!reasoningEfforts.some((known) => known === effort))
      throw wrong(`\`reasoning_effort\` to be one of ${reasoningEfforts.join(', ')}`, effort)
    sampling.reasoning = effort as ReasoningEffort
  }
  if (isGiven(seed) && !Number.isInteger(seed)) throw wrong('`seed` to be a whole number', seed)
  const own: OwnSettings = {
    ...(Object.keys(sampling).length > 0 && { sampling }),
    ...(isGiven(seed) && { seed: Math.abs(seed as number) }),
  }
  return Object.keys(own).length > 0 ? own : undefined
}

function readStop(stop: unknown): string[] {
  const stops = typeof stop === 'string' ? [stop] : stop
  if (Array.isArray(stops) && stops.every((s) => typeof s === 'string')) return stops
  throw wrong('`stop` to be a string or a list of strings', stop)
}

function readFormat(format: unknown): Prompt['responseFormat'] {
  const { type, json_schema: given } = isFields(format) ? format : {}
  if (type === 'text' || type === 'json_object') return { type }
  if (type !== 'json_schema')
    throw wrong('`response_format.type` to be text, json_object or json_schema', type ?? format)
  if (!isFields(given)) throw wrong('`response_format.json_schema` to be an object', given)
  if (isGiven(given.schema) && !isFields(given.schema))
    throw wrong('`response_format.json_schema.schema` to be a JSON schema', given.schema)
  return format as Prompt['responseFormat']
}
