/** Builds a folder of examples in one pass over the rows. Dropped rows are written down with their reasons. */
import { rmSync } from 'node:fs'
import path from 'node:path'
import { DataError } from '../core/provider/errors.ts'
import type { BuildCounts, Reasons } from '../files/build-counts.ts'
import type { BadRow, SourceRow } from '../files/rows/row.ts'
import { makeFolder } from '../lib/make-folder.ts'
import {
  type BuildCheckpoint,
  type BuildIdentity,
  readCheckpoint,
  writeCheckpoint,
} from './build-checkpoint.ts'
import { chooseDraft, type Drop, type ExamineOptions, examineRow, type Target } from './examine-row.ts'
import type { Draft } from './make-example.ts'
import { PART_ROWS, toPartRow } from './parts.ts'
import { beginLine, type Ready, type RenderOptions, renderRow } from './render-row.ts'
import { createFolder, type ResultFolder, STATE } from './result-folder.ts'
import { markPrompt, openSeenRows, type PromptMark, type SeenRows } from './seen-rows.ts'
import { createStatistics } from './statistics.ts'

export { promptText, type Target } from './examine-row.ts'

type Rows<Row> = AsyncIterable<Row> | Iterable<Row>

/** What to build, and from which rows. */
export interface BuildOptions extends ExamineOptions, RenderOptions {
  rows: Rows<SourceRow | BadRow>
  target: Target
  out: string
  /** Replaces an existing data set, or an interrupted build. */
  restart?: boolean
  /** Most bytes of a file of the result; a larger one becomes several. One file if absent. */
  shardBytes?: number
  /** Present if the build can be resumed: an interrupted build with the same one goes on from its last checkpoint. */
  identity?: BuildIdentity
  /** Bytes of the result between two checkpoints. */
  checkpointBytes?: number
  /** Called if the build resumes, with the rows that were read before. */
  onResume?: (rows: number) => void
  /** Drops prompts that nearly equal an earlier one. Equal prompts are always dropped. */
  dropsNearDuplicates: boolean
  /** The rows are a part of all: near-duplicates are left to the merge of the parts, which finds what it needs in `PART_ROWS`. */
  isPart?: boolean
  /** Share (0 to 1) of records that may be broken. */
  maxBadShare: number
  /** Writes the data card and the report into the unfinished folder. `namesOf` has the shards of a file. */
  writeCard: (
    counts: BuildCounts,
    folder: string,
    namesOf: (file: string) => string[],
  ) => void | Promise<void>
}

const FILES = ['train.jsonl', 'validation.jsonl', 'dropped.jsonl']
const TWIN = ['sft/train.jsonl', 'sft/validation.jsonl']

/** Rows that come from other threads or not; a function gets the number of rows to skip. */
type ReadyRows = Rows<SourceRow | Ready | BadRow> | ((skip: number) => Rows<SourceRow | Ready | BadRow>)

const CHECKPOINT_BYTES = 256e6

/**
 * Builds a folder of examples. The folder gets its name only when it is complete.
 * @throws DataError if more records are broken than `maxBadShare` allows, UsageError if the folder exists and `restart`
 * is not set, or if an interrupted build had another identity; FileError if it cannot be written
 */
export async function buildDataset(
  options: Omit<BuildOptions, 'rows'> & { rows: ReadyRows },
): Promise<BuildCounts> {
  const state = openBuild(options)
  const { counts, folder, seen } = state
  try {
    const skip = counts.read
    const { rows } = options
    for await (const row of typeof rows === 'function' ? rows(skip) : skipRows(rows, skip)) {
      counts.read++
      if ('problem' in row) {
        state.firstBad ??= row
        counts.bad++
        folder.write('dropped.jsonl', { row: row.place, reason: 'broken', detail: row.problem })
        if (options.isPart) folder.write(PART_ROWS, row)
      } else await takeRow(row, state)
      if (folder.bytes >= state.nextCheckpoint) saveBuild(state)
    }
    const { firstBad } = state
    if (firstBad && !options.isPart && counts.bad > options.maxBadShare * counts.read)
      throw tooManyBad(firstBad, counts)
    folder.sync() // the report shows the first examples
    await options.writeCard(counts, folder.path, folder.namesOf)
    seen.close()
    folder.finish()
    return counts
  } catch (error) {
    seen.close()
    if (state.isSaved && !(error instanceof DataError)) folder.leave()
    else folder.remove()
    throw error
  }
}

/** Begins the build, or opens it as it was at its last checkpoint. */
function openBuild(options: Omit<BuildOptions, 'rows'>): State {
  const { out, restart, identity, hasSftTwin, isPart, onResume } = options
  const from = identity && !restart ? readCheckpoint(out, identity) : undefined
  const files = [...FILES, ...(hasSftTwin ? TWIN : []), ...(isPart ? [PART_ROWS] : [])]
  const folder = createFolder(out, { ...options, files, from: from?.folder })
  const memory = path.join(folder.path, STATE)
  makeFolder(memory)
  const counts = from?.counts ?? startCounts()
  const statistics = createStatistics(counts.statistics)
  if (from) onResume?.(counts.read)
  return {
    options,
    folder,
    counts: { ...counts, statistics },
    statistics,
    seen: openSeenRows(memory, options.dropsNearDuplicates && !isPart, from?.seen),
    firstBad: from?.firstBad,
    isSaved: from !== undefined,
    nextCheckpoint: identity ? (options.checkpointBytes ?? CHECKPOINT_BYTES) : Infinity,
  }
}

const startCounts = (): Omit<BuildCounts, 'statistics'> & Partial<BuildCounts> => ({
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
})

function saveBuild(state: State): void {
  const { options, counts, firstBad, seen, folder } = state
  const { identity, out, checkpointBytes = CHECKPOINT_BYTES } = options
  if (!identity) return
  const checkpoint: BuildCheckpoint = { counts, firstBad, seen: seen.sync(), folder: folder.sync() }
  writeCheckpoint(out, identity, checkpoint)
  state.isSaved = true
  state.nextCheckpoint = folder.bytes + checkpointBytes
}

/** Leaves out the first rows: an earlier process has handled them. */
export async function* skipRows<Row>(rows: Rows<Row>, count: number): AsyncGenerator<Row> {
  let at = 0
  for await (const row of rows) if (at++ >= count) yield row
}

/**
 * Selects the drafts that a build with these options would make if each row had a target. An engine then labels them.
 * Broken and dropped rows are skipped; the build reports them.
 */
export async function* selectDrafts(options: Omit<BuildOptions, 'target'>): AsyncGenerator<Draft> {
  const memory = `${path.resolve(options.out)}.${STATE}`
  makeFolder(memory)
  const seen = openSeenRows(memory, options.dropsNearDuplicates)
  try {
    for await (const row of options.rows) {
      if ('problem' in row) continue
      const examined = examineRow(row, { ...options, target: 'later' })
      if (examined.drop) continue
      const taken = seen.take(row.id, markPrompt(examined.text, options))
      if ('drop' in taken) continue
      yield { ...chooseDraft(row, examined, { ...options, target: 'later' }), id: taken.id }
    }
  } finally {
    seen.close()
    rmSync(memory, { recursive: true, force: true })
  }
}

interface State {
  options: Omit<BuildOptions, 'rows'>
  counts: BuildCounts
  statistics: ReturnType<typeof createStatistics>
  folder: ResultFolder
  seen: SeenRows
  firstBad?: BadRow
  /** Whether there is a checkpoint. */
  isSaved: boolean
  /** Bytes of the folder at which the next one is written. */
  nextCheckpoint: number
}

async function takeRow(row: SourceRow | Ready, state: State): Promise<void> {
  const { counts, options, folder } = state
  const examined = 'left' in row ? row : examineRow(row, options)
  for (const name of examined.hits) count(counts.benchmarks, name)
  for (const [reason, n] of Object.entries(examined.left)) count(counts.left, reason, n)
  const { hits, left, drop } = examined
  const keep = (more: Partial<Ready>) => {
    if (options.isPart) folder.write(PART_ROWS, toPartRow({ id: row.id, hits, left, ...more }))
  }
  if (drop) {
    keep({ drop })
    return dropRow(row.id, drop, state)
  }
  const mark = 'text' in examined ? markPrompt(examined.text, options) : (examined.mark as PromptMark)
  const taken = state.seen.take(row.id, options.isPart ? { whole: mark.whole } : mark)
  if ('drop' in taken) {
    keep({ mark })
    return dropRow(row.id, taken.drop, state)
  }
  const rendered =
    'text' in examined
      ? await renderRow(chooseDraft(row as SourceRow, examined, options), options)
      : examined.rendered
  keep({ mark, rendered: rendered as Ready['rendered'] })
  if (!rendered) return dropRow(row.id, { reason: 'too many tokens' }, state)
  for (const line of rendered.lines) folder.append(line.file, beginLine(taken.id, line), line.rest)
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
