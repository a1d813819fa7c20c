/** What a queue knows of the work that goes through it: that of a run, or that of an evaluation. */
import type { Engine } from '../../core/provider/engine.ts'
import type { ErrorRecord } from '../../core/provider/errors.ts'
import type { AftEvent } from '../../core/result.ts'
import type { Job } from '../../lib/resumable-map.ts'
import type { RunMeta } from './keys.ts'

/** What a submitter knows of the lines of its journal. */
export interface LineRules<Line extends object> {
  /** Of two lines of an item with the same identity, the later one is dropped. */
  identityOf(line: Line): string
  /** Whether a worker that follows the run can have made it. */
  isPossible(line: Line): boolean
  /** The last line of an item whose worker could not finish it. */
  endWith(id: string, error: ErrorRecord): Line
}

/** What a worker gets for an item, in addition to the job of a resumable map. */
export interface ItemJob<Line extends object> extends Omit<Job<Line>, 'key'> {
  engines: Record<string, Engine>
  /** Prompts that this worker works on at a time. */
  active: number
  onEvent(event: AftEvent): void
  /** Called for each completion. */
  onCompletion(): void
}

/** What a worker does for a run. */
export interface SentWork {
  /** Names of the engines that it needs. */
  engines: string[]
  /** Prompts at a time that keep so many places busy. */
  active(places: number): number
  /** Reads a line of a prompt that another worker began. @throws Error that says what was expected */
  readLine(text: string): object
  /** Works on an item and returns its last line, with `error` if it failed. @throws Error if it is no item of the run */
  work(item: { id: string }, job: ItemJob<object>): Promise<object>
}

/** Reads what the work of a run is. @throws Error that says what was expected; undefined: it is another kind of work */
export type ReadWork = (meta: RunMeta, place: string) => SentWork | undefined
