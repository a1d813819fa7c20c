/**
 * `aft data label`: an aggregator writes the target of each row. A row's responses are put into the journal as a first
 * layer that has ended, so that the run goes on from there as from any other interrupted one.
 */
import { Command, Option } from 'commander'
import { DataError } from '../../../core/provider/errors.ts'
import { makePlan } from '../../../core/strategies.ts'
import { defaultTemplate } from '../../../core/templates.ts'
import { cleanResponses } from '../../../data/clean.ts'
import { findSource, sources } from '../../../data/sources/sources.ts'
import { toCallersError } from '../../../files/file-errors.ts'
import type { CompletionRecord } from '../../../files/journal-records.ts'
import { listFiles, readRecords } from '../../../files/rows/read-records.ts'
import type { Response, SourceRow } from '../../../files/rows/row.ts'
import {
  openRunJournal,
  type PromptLine,
  type RunIdentity,
  type RunJournal,
} from '../../../files/run-journal.ts'
import { readTemplate } from '../../../files/template-file.ts'
import type { Spool } from '../../../lib/spool.ts'
import { readVersion } from '../../../lib/version.ts'
import { addSamplingFlags, type SamplingFlags, sampleInto, spoolRows, writeRows } from './sampling.ts'

/** Responses must be usable, and ids differ. */
export type Labelled = Pick<SourceRow, 'id' | 'prompt' | 'responses'>

interface LabelFlags extends SamplingFlags {
  format: string
  template?: string
}

/** The subcommand. */
export function labelCommand(): Command {
  const command = new Command('label')
    .description('Have a model write the aggregation of each row.')
    .argument('<sources...>', 'rows with responses')
    .addOption(
      new Option('--format <format>', 'what a record is').choices(Object.keys(sources)).default('responses'),
    )
  command.option('--template <file>', 'wording of the roles, a JSON file')
  return addSamplingFlags(command).action((paths: string[], flags: LabelFlags) =>
    label(paths, flags).catch((error) => {
      throw toCallersError(error)
    }),
  )
}

async function label(paths: string[], flags: LabelFlags): Promise<void> {
  let without = 0
  const kept: SourceRow[] | undefined = paths.includes('-') ? [] : undefined
  for await (const row of readRows(paths, flags, () => without++)) kept?.push(row)
  if (without > 0) console.error(`${without} rows have no usable response and are left out`)
  const rows = () => kept ?? readRows(paths, flags)
  const template = flags.template ? await readTemplate(flags.template) : defaultTemplate
  const targets = await labelRows(rows, flags, template)
  if (!targets) return
  async function* labelled() {
    for await (const { id, prompt, responses } of rows()) {
      const target = targets?.get(id)
      if (target !== undefined) yield { id, messages: prompt, responses, target }
    }
  }
  try {
    await writeRows(flags.output, labelled())
  } finally {
    targets.close()
  }
}

/** Reads the same rows again each time. */
type ReadRows = () => Iterable<Labelled> | AsyncIterable<Labelled>

/**
 * Has an aggregator write the target of each row, shown its responses in their order; what it wrote is in
 * `FILE.journal`, and is not asked for again. Targets by id, to be closed; nothing where not every row was tried.
 */
export async function labelRows(
  rows: ReadRows,
  flags: SamplingFlags,
  template = defaultTemplate,
): Promise<Spool<string> | undefined> {
  const { model, maxTokens, temperature, seed } = flags
  let width = 1
  for await (const { responses } of rows()) width = Math.max(width, responses.length)
  const sampling = { maxTokens, temperature, seed, template: template.id }
  const plan = makePlan({ proposers: [model], width, depth: 1, ...sampling })
  async function* prompts() {
    for await (const { id, prompt } of rows()) yield { id, messages: prompt }
  }
  const begin = (engines: Record<string, string>) => seedJournal(rows, { plan, template, engines }, flags)
  if (!(await sampleInto(flags, { prompts, plan, template }, begin))) return undefined
  return spoolRows(flags.output, (row) => row.target)
}

/** Rows with what can be shown of their responses; those without any are left out, and told. */
async function* readRows(
  paths: string[],
  { format }: LabelFlags,
  onEmpty?: () => void,
): AsyncGenerator<SourceRow> {
  const source = findSource(format)
  const ids = new Set<string>()
  for await (const row of source.read(readRecords(paths.flatMap(listFiles), source))) {
    if ('problem' in row) throw new DataError(row.place, undefined, row.problem)
    if (ids.has(row.id)) throw new DataError(paths.join(', '), undefined, `two rows have the id "${row.id}"`)
    ids.add(row.id)
    const { responses } = cleanResponses(row.responses)
    if (responses.length > 0) yield { ...row, responses }
    else onEmpty?.()
  }
}

async function seedJournal(
  rows: ReadRows,
  run: Pick<RunIdentity, 'plan' | 'template' | 'engines'>,
  { output, restart }: SamplingFlags,
): Promise<void> {
  const identity = { ...run, version: readVersion() }
  const seeded = await openRunJournal(`${output}.journal`, identity, { onLine: () => {}, restart })
  try {
    let waiting = 0
    for await (const row of rows()) {
      seedRow(row, seeded)
      // lines wait for the event loop, which a loop over rows in memory never goes back to
      if (++waiting % 256 === 0) seeded.flush()
    }
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
    type: 'completion',
    prompt,
    layer: 0,
    index,
    voice: 0,
    engine: model,
    seed: 0,
    ms: 0,
    text,
    finishReason: 'stop',
    usage: { calls: 0, inputTokens: 0, prefilledTokens: 0, outputTokens: 0 },
  }
}
