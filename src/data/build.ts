/** Builds a folder of examples in one pass over the rows. Dropped rows are written down with their reasons. */
import { DataError } from '../core/provider/errors.ts'
import type { BuildCounts, Reasons } from '../files/build-counts.ts'
import type { BadRow, SourceRow } from '../files/rows/row.ts'
import {
  chooseDraft,
  type Drop,
  type Examined,
  type ExamineOptions,
  examineRow,
  type Target,
} from './examine-row.ts'
import { hash64 } from './fingerprints.ts'
import type { Draft } from './make-example.ts'
import { createDuplicateIndex, signText } from './near-duplicates.ts'
import { beginLine, type Rendered, type RenderOptions, renderRow } from './render-row.ts'
import { createFolder, type ResultFolder } from './result-folder.ts'
import { createStatistics } from './statistics.ts'

export { promptText, type Target } from './examine-row.ts'

/** What to build, and from which rows. */
export interface BuildOptions extends ExamineOptions, RenderOptions {
  rows: AsyncIterable<SourceRow | BadRow> | Iterable<SourceRow | BadRow>
  target: Target
  out: string
  /** Replaces an existing data set. */
  restart?: boolean
  /** Drops prompts that nearly equal an earlier one. Equal prompts are always dropped. */
  dropsNearDuplicates: boolean
  /** Share (0 to 1) of records that may be broken. */
  maxBadShare: number
  /** Writes the data card and the report into the unfinished folder. */
  writeCard: (counts: BuildCounts, folder: string) => void | Promise<void>
}

/** A row from another thread. Only what depends on the order of the rows is left to do. */
export interface Ready extends Pick<Examined, 'hits' | 'left' | 'drop'> {
  id: string
  /** Absent if the row is dropped. */
  mark?: PromptMark
  /** Absent if the row is dropped or has too many tokens. */
  rendered?: Rendered<Uint8Array>
}

const FILES = ['train.jsonl', 'validation.jsonl', 'dropped.jsonl']
const TWIN = ['sft/train.jsonl', 'sft/validation.jsonl']

/**
 * Builds a folder of examples. The folder gets its name only when it is complete.
 * @throws DataError if more records are broken than `maxBadShare` allows, UsageError if the folder exists and `restart`
 * is not set, FileError if it cannot be written
 */
export async function buildDataset(
  options: Omit<BuildOptions, 'rows'> & { rows: BuildOptions['rows'] | AsyncIterable<Ready | BadRow> },
): Promise<BuildCounts> {
  const folder = createFolder(options.out, {
    ...options,
    files: options.hasSftTwin ? [...FILES, ...TWIN] : FILES,
  })
  const statistics = createStatistics()
  const counts: BuildCounts = {
    read: 0,
    bad: 0,
    train: 0,
    validation: 0,
    plain: 0,
    trimmed: 0,
    dropped: {},
    left: {},
    models: {},
    benchmarks: {},
    statistics,
  }
  try {
    const state = { ...createSelection(), options, counts, statistics, folder }
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

/**
 * Selects the drafts that a build with these options would make if each row had a target. An engine then labels them.
 * Broken and dropped rows are skipped; the build reports them.
 */
export async function* selectDrafts(options: Omit<BuildOptions, 'target'>): AsyncGenerator<Draft> {
  const selection = createSelection()
  for await (const row of options.rows) {
    if ('problem' in row) continue
    const examined = examineRow(row, { ...options, target: 'later' })
    if (examined.drop || findTwin(row.id, markPrompt(examined.text, options), selection)) continue
    yield { ...chooseDraft(row, examined, { ...options, target: 'later' }), id: nameRow(row.id, selection) }
  }
}

/** What the build remembers of earlier rows. */
interface Selection {
  seen: ReturnType<typeof createDuplicateIndex>
  /** Hashes of the exact prompts. */
  exact: Set<bigint>
  ids: Map<string, number>
}

interface State extends Selection {
  options: Omit<BuildOptions, 'rows'>
  counts: BuildCounts
  statistics: ReturnType<typeof createStatistics>
  folder: ResultFolder
}

function createSelection(): Selection {
  return { seen: createDuplicateIndex(), exact: new Set(), ids: new Map() }
}

async function takeRow(row: SourceRow | Ready, state: State): Promise<void> {
  const { counts, options, folder } = state
  const examined = 'left' in row ? row : examineRow(row, options)
  for (const name of examined.hits) count(counts.benchmarks, name)
  for (const [reason, n] of Object.entries(examined.left)) count(counts.left, reason, n)
  const drop =
    examined.drop ??
    findTwin(row.id, 'text' in examined ? markPrompt(examined.text, options) : examined.mark, state)
  if (drop) return dropRow(row.id, drop, state)
  const id = nameRow(row.id, state)
  const rendered =
    'text' in examined
      ? await renderRow(chooseDraft(row as SourceRow, examined, options), options)
      : examined.rendered
  if (!rendered) return dropRow(row.id, { reason: 'too many tokens' }, state)
  for (const line of rendered.lines) folder.append(line.file, beginLine(id, line), line.rest)
  counts[rendered.split] += rendered.isPlain ? 2 : 1
  if (rendered.isPlain) counts.plain++
  if (rendered.isTrimmed) counts.trimmed++
  for (const model of rendered.models) count(counts.models, model)
  state.statistics.add(rendered.measures)
}

function dropRow(row: string, { reason, detail }: Drop, { counts, folder }: State): void {
  count(counts.dropped, reason)
  folder.write('dropped.jsonl', { row, reason, detail })
}

/** Recognizes a prompt that comes again. */
export interface PromptMark {
  whole: bigint
  /** Present if near-duplicates are dropped. */
  signature?: Uint32Array
}

/** Makes the mark of a prompt's text. */
export function markPrompt(
  text: string,
  { dropsNearDuplicates }: { dropsNearDuplicates: boolean },
): PromptMark {
  return { whole: hash64(text), ...(dropsNearDuplicates && { signature: signText(text) }) }
}

/** Returns the reason to drop a prompt if an earlier row has it. Otherwise it remembers the prompt. */
function findTwin(id: string, mark: PromptMark | undefined, { exact, seen }: Selection): Drop | undefined {
  if (!mark) return undefined
  if (exact.has(mark.whole)) return { reason: 'duplicate prompt' }
  exact.add(mark.whole)
  const twin = mark.signature && seen.add(id, mark.signature)
  return twin === undefined ? undefined : { reason: 'near-duplicate prompt', detail: twin }
}

/** Makes an id unique: if an earlier row has it, a number is added at the end. */
function nameRow(id: string, { ids }: Selection): string {
  const times = (ids.get(id) ?? 0) + 1
  ids.set(id, times)
  return times === 1 ? id : `${id}#${times}`
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
