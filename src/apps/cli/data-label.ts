/**
 * `aft data label`: an aggregator writes the target of each row. A row's responses are put into the journal as a first
 * layer that has ended, so that the run goes on from there as from any other interrupted one.
 */
import { readFileSync } from 'node:fs'
import { Command, Option } from 'commander'
import { DataError } from '../../core/errors.ts'
import type { CompletionRecord } from '../../core/records.ts'
import { makePlan } from '../../core/strategies.ts'
import { defaultTemplate } from '../../core/templates.ts'
import { cleanResponses } from '../../dataset/clean.ts'
import { listFiles, readRecords } from '../../dataset/read-records.ts'
import type { Response, SourceRow } from '../../dataset/row.ts'
import { journal } from '../../dataset/source-journal.ts'
import { findSource, sources } from '../../dataset/sources.ts'
import { toCallersError } from '../../inference/file-errors.ts'
import {
  openRunJournal,
  type PromptLine,
  type RunIdentity,
  type RunJournal,
} from '../../inference/journal.ts'
import { addSamplingFlags, type SamplingFlags, sampleInto, writeRows } from './data-sampling.ts'

/** Responses must be usable, and ids differ. */
type Labelled = Pick<SourceRow, 'id' | 'prompt' | 'responses'>

interface LabelFlags extends SamplingFlags {
  format: string
}

/** The subcommand. */
export function labelCommand(): Command {
  const command = new Command('label')
    .description('Have a model write the aggregation of each row.')
    .argument('<sources...>', 'rows with responses')
    .addOption(
      new Option('--format <format>', 'what a record is').choices(Object.keys(sources)).default('responses'),
    )
  return addSamplingFlags(command).action((paths: string[], flags: LabelFlags) =>
    label(paths, flags).catch((error) => {
      throw toCallersError(error)
    }),
  )
}

async function label(paths: string[], flags: LabelFlags): Promise<void> {
  const rows = await readRows(paths, flags)
  const targets = await labelRows(rows, flags)
  if (!targets) return
  const labelled = rows.filter(({ id }) => targets.has(id))
  writeRows(
    flags.output,
    labelled.map(({ id, prompt, responses }) => ({
      id,
      messages: prompt,
      responses,
      target: targets.get(id),
    })),
  )
}

/**
 * Has an aggregator write the target of each row, shown its responses in their order; what it wrote is in
 * `FILE.journal`, and is not asked for again. Targets by id; nothing where not every row was tried.
 */
export async function labelRows(
  rows: Labelled[],
  flags: SamplingFlags,
  template = defaultTemplate,
): Promise<Map<string, string> | undefined> {
  const { model, maxTokens, temperature, seed } = flags
  const width = Math.max(1, ...rows.map((row) => row.responses.length))
  const sampling = { maxTokens, temperature, seed, template: template.id }
  const plan = makePlan({ proposers: [model], width, depth: 1, ...sampling })
  const prompts = rows.map(({ id, prompt }) => ({ id, messages: prompt }))
  const begin = (engines: Record<string, string>) => seedJournal(rows, { plan, template, engines }, flags)
  if (!(await sampleInto(flags, { prompts, plan, template }, begin))) return undefined
  const targets = new Map<string, string>()
  for await (const row of journal.read(readRecords([`${flags.output}.journal`]))) {
    if (!('problem' in row) && row.target !== undefined) targets.set(row.id, row.target)
  }
  return targets
}

/** Rows with what can be shown of their responses; those without any are left out, and said. */
async function readRows(paths: string[], { format }: LabelFlags): Promise<SourceRow[]> {
  const source = findSource(format)
  const rows: SourceRow[] = []
  const ids = new Set<string>()
  let without = 0
  for await (const row of source.read(readRecords(paths.flatMap(listFiles), source))) {
    if ('problem' in row) throw new DataError(row.place, undefined, row.problem)
    if (ids.has(row.id)) throw new DataError(paths.join(', '), undefined, `two rows have the id "${row.id}"`)
    ids.add(row.id)
    const { responses } = cleanResponses(row.responses)
    if (responses.length > 0) rows.push({ ...row, responses })
    else without++
  }
  if (without > 0) console.error(`${without} rows have no usable response and are left out`)
  return rows
}

async function seedJournal(
  rows: Labelled[],
  run: Pick<RunIdentity, 'plan' | 'template' | 'engines'>,
  { output, restart }: SamplingFlags,
): Promise<void> {
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
  const identity = { ...run, version }
  const seeded = await openRunJournal(`${output}.journal`, identity, { onLine: () => {}, restart })
  try {
    for (const row of rows) seedRow(row, seeded)
  } finally {
    seeded.close()
  }
}

/** Appends what is missing of a row's first layer. */
function seedRow({ id, prompt, responses }: Labelled, seeded: RunJournal): void {
  const item: PromptLine = { type: 'prompt', id, messages: prompt }
  if (seeded.isDone(id)) return
  if (seeded.compare(item) === 'new') seeded.append(item)
  const parts = seeded.parts(id)
  if (parts.some((line) => line.type === 'layer' && line.layer === 0)) return
  const has = new Set(parts.map((line) => line.type === 'completion' && line.index))
  for (const [index, response] of responses.entries()) {
    if (!has.has(index)) seeded.append(toCompletion(id, index, response))
  }
  seeded.append({ type: 'layer', prompt: id, layer: 0, shown: responses.map((_, index) => index) })
}

/** It took nothing: it was there. */
function toCompletion(prompt: string, index: number, { text, model }: Response): CompletionRecord {
  return {
    ...{ type: 'completion', prompt, layer: 0, index, voice: 0, engine: model, seed: 0, ms: 0, text },
    finishReason: 'stop',
    usage: { calls: 0, inputTokens: 0, prefilledTokens: 0, outputTokens: 0 },
  }
}
