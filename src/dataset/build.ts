/** Rows become a folder of examples, one pass over the sources; what is left out is written down with its reason. */
import { type Message, textOf } from '../core/engine.ts'
import { DataError } from '../core/errors.ts'
import { findUnusable } from '../core/proposals.ts'
import { hashParts, randomFrom } from '../core/seeds.ts'
import type { Template } from '../core/templates.ts'
import { type ChooseBy, chooseResponses } from './choose.ts'
import { cleanResponses, cleanText, type Reasons } from './clean.ts'
import { type FingerprintSet, findHits, hash64 } from './fingerprints.ts'
import { type Draft, makeExample, type TokenBudget } from './make-example.ts'
import { createDuplicateIndex } from './near-duplicates.ts'
import { createFolder, type ResultFolder } from './result-folder.ts'
import type { BadRow, SourceRow } from './row.ts'
import { createStatistics, type Statistics } from './statistics.ts'

/**
 * Where what is to be learned comes from: the source's own target, the best-scored response (which is then no
 * proposal), or a table by prompt text (`promptText`).
 */
export type Target = 'gold' | 'best' | Map<string, string>

/** The text of all turns, by which targets are found and duplicates known. */
export function promptText(prompt: Message[]): string {
  return prompt.map(textOf).join('\n')
}

export interface BuildOptions {
  rows: AsyncIterable<SourceRow | BadRow> | Iterable<SourceRow | BadRow>
  /** Written in each example. */
  source: string
  out: string
  overwrite?: boolean
  template: Template
  seed: number
  target: Target
  /** Proposals an example, at most; and at least, else the row is dropped. */
  proposals: number
  minProposals: number
  chooseBy: ChooseBy
  /** Proposals of this model are on-policy, beside those that the source says are. */
  onPolicyModel?: string
  budget?: TokenBudget
  /** Benchmarks of which no prompt may be there. */
  benchmarks: FingerprintSet[]
  /** Whether prompts that are nearly an earlier one are dropped; those that are one always are. */
  dropsNearDuplicates: boolean
  /** Names the language of a text where it is none that is wanted; see `createLanguageCheck`. */
  findOtherLanguage?: (text: string) => string | undefined
  /** Characters of all turns of the prompt. */
  maxPromptChars?: number
  /** Characters of the target. */
  minTargetChars?: number
  maxTargetChars?: number
  /** Share (0 to 1) of rows that also give a plain example, without proposals. */
  plainShare: number
  /** Writes `sft/`: the same rows, prompt to target. */
  hasSftTwin: boolean
  /** Share (0 to 1) of prompts that go to validation. */
  validationShare: number
  /** Share (0 to 1) of records that may be broken. */
  maxBadShare: number
  /** Writes data card and report into the unfinished folder. */
  writeCard: (counts: BuildCounts, folder: string) => void | Promise<void>
}

export interface BuildCounts {
  read: number
  bad: number
  train: number
  validation: number
  plain: number
  trimmed: number
  /** Rows by the reason why they were dropped. */
  dropped: Reasons
  /** Responses by the reason why they were not shown. */
  left: Reasons
  /** Proposals by model. */
  models: Reasons
  /** Rows dropped because a benchmark has their prompt, by benchmark. */
  benchmarks: Reasons
  statistics: Statistics
}

const FILES = ['train.jsonl', 'validation.jsonl', 'dropped.jsonl']
const TWIN = ['sft/train.jsonl', 'sft/validation.jsonl']

/**
 * Builds a folder. It appears under its name when it is complete.
 * @throws DataError where more records are broken than may be, UsageError where the folder is there already,
 * FileError where it cannot be written
 */
export async function buildDataset(options: BuildOptions): Promise<BuildCounts> {
  const folder = createFolder(options.out, {
    ...options,
    files: options.hasSftTwin ? [...FILES, ...TWIN] : FILES,
  })
  const selection = createSelection(options)
  const { counts } = selection
  try {
    const state = { ...selection, folder }
    let firstBad: BadRow | undefined
    for await (const row of options.rows) {
      counts.read++
      if ('problem' in row) {
        firstBad ??= row
        counts.bad++
        folder.write('dropped.jsonl', { row: row.place, reason: 'broken', detail: row.problem })
      } else await takeRow(row, state)
    }
    if (firstBad && counts.bad > options.maxBadShare * counts.read) throw tooManyBad(firstBad, counts)
    await options.writeCard(counts, folder.path)
    folder.finish()
    return counts
  } catch (error) {
    folder.remove()
    throw error
  }
}

type SelectOptions = Omit<BuildOptions, 'target'> & { target: Target | 'later' }

/**
 * The drafts that a build would make of these rows if each had a target: what an engine is to label. The options are
 * those of the build; rows that are broken or dropped are passed over, for the build tells of them.
 */
export async function* selectDrafts(options: Omit<BuildOptions, 'target'>): AsyncGenerator<Draft> {
  const selection = createSelection<SelectOptions>({ ...options, target: 'later' })
  for await (const row of options.rows) {
    if ('problem' in row) continue
    try {
      yield await toDraft(row, selection)
    } catch (error) {
      if (!(error instanceof Drop)) throw error
    }
  }
}

/** What is remembered of the rows so far. */
interface Selection<Options = SelectOptions> {
  options: Options
  counts: BuildCounts
  statistics: ReturnType<typeof createStatistics>
  seen: ReturnType<typeof createDuplicateIndex>
  /** Hashes of the prompts, word for word. */
  exact: Set<bigint>
  ids: Map<string, number>
}

interface State extends Selection<BuildOptions> {
  folder: ResultFolder
}

function createSelection<Options>(options: Options): Selection<Options> {
  const statistics = createStatistics()
  const counts: BuildCounts = {
    ...{ read: 0, bad: 0, train: 0, validation: 0, plain: 0, trimmed: 0 },
    ...{ dropped: {}, left: {}, models: {}, benchmarks: {}, statistics },
  }
  const seen = createDuplicateIndex()
  return { options, counts, statistics, seen, exact: new Set(), ids: new Map() }
}

class Drop extends Error {
  readonly detail: unknown
  constructor(reason: string, detail?: unknown) {
    super(reason)
    this.detail = detail
  }
}

async function takeRow(row: SourceRow, state: State): Promise<void> {
  const { counts, folder } = state
  try {
    await writeExamples(await toDraft(row, state), state)
  } catch (error) {
    if (!(error instanceof Drop)) throw error
    count(counts.dropped, error.message)
    folder.write('dropped.jsonl', { row: row.id, reason: error.message, detail: error.detail })
  }
}

async function toDraft(row: SourceRow, state: Selection): Promise<Draft> {
  const { options, counts } = state
  const text = promptText(row.prompt)
  const hits = findHits(text, options.benchmarks)
  for (const name of hits) count(counts.benchmarks, name)
  if (hits.length > 0) throw new Drop('benchmark', hits)
  if (text.length > (options.maxPromptChars ?? Infinity))
    throw new Drop('the prompt is too long', text.length)
  checkLanguage('prompt', text, options)
  const { target, responses } = findTarget(row, options)
  const cleaned = cleanResponses(responses, target)
  for (const [reason, n] of Object.entries(cleaned.left)) count(counts.left, reason, n)
  if (cleaned.responses.length < options.minProposals) {
    throw new Drop('too few proposals', { usable: cleaned.responses.length, left: cleaned.left })
  }
  if (target === undefined && options.target !== 'later') throw new Drop('no target')
  checkDuplicate(row.id, text, state)
  const random = randomFrom(hashParts(options.seed, 'choose', row.id))
  const { proposals: most, chooseBy: by } = options
  const chosen = chooseResponses(cleaned.responses, { count: most, by, random })
  const proposals = chosen.map((r) => (r.model === options.onPolicyModel ? { ...r, onPolicy: true } : r))
  const { source } = options
  return { id: nameRow(row.id, state), conversation: row.prompt, proposals, target: target ?? '', source }
}

/** The target, checked, where there is one, and what may be shown beside it. */
function findTarget(
  row: SourceRow,
  options: SelectOptions,
): { target?: string; responses: SourceRow['responses'] } {
  const { target: from, minTargetChars = 1, maxTargetChars = Infinity } = options
  const best = from === 'best' ? findBest(row) : undefined
  const given = best?.text ?? (from === 'gold' ? row.target : undefined)
  const found = from instanceof Map ? from.get(promptText(row.prompt)) : given
  if (found === undefined) return { responses: row.responses }
  const target = cleanText(found)
  const unusable = findUnusable(target)
  if (unusable) throw new Drop(`the target is ${unusable}`)
  if (target.length < minTargetChars) throw new Drop('the target is too short', target.length)
  if (target.length > maxTargetChars) throw new Drop('the target is too long', target.length)
  checkLanguage('target', target, options)
  return { target, responses: row.responses.filter((r) => r !== best) }
}

function checkLanguage(what: 'prompt' | 'target', text: string, { findOtherLanguage }: SelectOptions): void {
  const other = findOtherLanguage?.(text)
  if (other !== undefined) throw new Drop(`the ${what} is in another language`, other)
}

/** The first of the best-scored that can be used. */
function findBest({ responses }: SourceRow) {
  const scored = responses.filter((r) => r.score !== undefined)
  const sorted = scored.sort((a, b) => (b.score ?? 0) - (a.score ?? 0))
  return sorted.find((r) => findUnusable(cleanText(r.text)) === undefined)
}

function checkDuplicate(id: string, text: string, { seen, exact, options }: Selection): void {
  const whole = hash64(text)
  if (exact.has(whole)) throw new Drop('duplicate prompt')
  exact.add(whole)
  const twin = options.dropsNearDuplicates ? seen.add(id, text) : undefined
  if (twin !== undefined) throw new Drop('near-duplicate prompt', twin)
}

/** An id that a row had before gets a number behind it. */
function nameRow(id: string, { ids }: Selection): string {
  const times = (ids.get(id) ?? 0) + 1
  ids.set(id, times)
  return times === 1 ? id : `${id}#${times}`
}

async function writeExamples(draft: Draft, { options, counts, folder, statistics }: State): Promise<void> {
  const { template, budget, seed } = options
  const example = await makeExample(draft, template, budget)
  if (!example) throw new Drop('too many tokens')
  const draw = (what: string) => randomFrom(hashParts(seed, what, JSON.stringify(draft.conversation)))()
  const split = draw('split') < options.validationShare ? 'validation' : 'train'
  folder.write(`${split}.jsonl`, example)
  counts[split]++
  statistics.add(draft)
  if (example.proposals.some((p) => p.trimmedTo !== undefined)) counts.trimmed++
  for (const { model } of example.proposals) count(counts.models, model)
  const isPlain = draw('plain') < options.plainShare
  if (!isPlain && !options.hasSftTwin) return
  const plain = await makeExample({ ...draft, id: `${draft.id}:plain`, proposals: [] }, template, budget)
  if (plain && isPlain) {
    folder.write(`${split}.jsonl`, plain)
    counts[split]++
    counts.plain++
  }
  if (plain && options.hasSftTwin) folder.write(`sft/${split}.jsonl`, { ...plain, id: draft.id })
}

function count(reasons: Reasons, reason: string, n = 1): void {
  reasons[reason] = (reasons[reason] ?? 0) + n
}

function tooManyBad({ place, problem }: BadRow, { bad, read }: BuildCounts): DataError {
  const [, file = place, line] = /^(.*):(\d+)$/.exec(place) ?? []
  const number = line === undefined ? undefined : Number(line)
  return new DataError(
    file,
    number,
    `${problem}. ${bad} of ${read} records are broken; --max-bad sets how many may be`,
  )
}
