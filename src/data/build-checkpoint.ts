/** What a build needs to resume after it was killed: written now and then, into the unfinished folder. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { UsageError } from '../core/provider/errors.ts'
import type { BuildCounts } from '../files/build-counts.ts'
import type { BadRow } from '../files/rows/row.ts'
import { writeWhole } from '../lib/write-whole.ts'
import { type FolderState, STATE, unfinishedPath } from './result-folder.ts'
import type { SeenState } from './seen-rows.ts'

/** What the build is made from and with: the setting, or the state of a file, by a name for people. */
export type BuildIdentity = Record<string, unknown>

/** The state of a build after whole rows. */
export interface BuildCheckpoint {
  counts: BuildCounts
  firstBad?: BadRow
  seen: SeenState
  folder: FolderState
}

const FORMAT = 1
const fileOf = (out: string) => path.join(unfinishedPath(out), STATE, 'checkpoint.json')

/** Writes the checkpoint of the build of `out`. */
export function writeCheckpoint(out: string, identity: BuildIdentity, checkpoint: BuildCheckpoint): void {
  writeWhole(fileOf(out), `${JSON.stringify({ format: FORMAT, identity, ...checkpoint })}\n`)
}

/**
 * Reads the checkpoint of an interrupted build of `out`; undefined if there is none.
 * @throws UsageError if that build had other settings or other rows
 */
export function readCheckpoint(out: string, identity: BuildIdentity): BuildCheckpoint | undefined {
  const file = fileOf(out)
  if (!existsSync(file)) return undefined
  const { format, identity: earlier, ...checkpoint } = JSON.parse(readFileSync(file, 'utf8'))
  if (format !== FORMAT) return undefined
  const names = [...new Set([...Object.keys(identity), ...Object.keys(earlier)])]
  const show = (value: unknown) => JSON.stringify(value) ?? 'not set'
  const other = names.find((name) => show(identity[name]) !== show(earlier[name]))
  if (other === undefined) return checkpoint as BuildCheckpoint
  throw new UsageError(
    `${unfinishedPath(out)} is an interrupted build with another ${other}: ${show(earlier[other]).slice(0, 100)}, ` +
      `now ${show(identity[other]).slice(0, 100)}. Give the same flags and rows to resume it, or --restart to begin anew`,
  )
}
