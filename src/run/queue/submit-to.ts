/** Connects a run to its queue. */
import { hash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { hostname } from 'node:os'
import { basename } from 'node:path'
import { UsageError } from '../../core/provider/errors.ts'
import { connectQueue, type QueueServer } from './connect.ts'
import { keysOf, type RunMeta, readMeta } from './keys.ts'
import type { QueueOptions } from './queue-options.ts'
import { Submitter, type SubmitterOptions } from './submit.ts'

/** Connects, and takes what workers did since the journal's last run. @throws as `connectQueue` does, and UsageError if the run is that of another journal */
export async function submitTo<Line extends object, Meta extends { header: object }>(
  { address, run, window, onNote = () => {} }: QueueOptions,
  given: Omit<SubmitterOptions<Line>, 'server' | 'run' | 'window' | 'onNote' | 'meta'> & {
    meta: Meta
  },
): Promise<Submitter<Line>> {
  const server = await connectQueue(address, { onNote })
  try {
    for (const warning of server.warnings) onNote(`warning: ${warning}`)
    const journal = `${hostname()}:${realpathSync(given.journal.file)}`
    const name = run ?? nameOf(journal)
    onNote(`the run ${name} is on redis ${server.place}`)
    const meta = { ...given.meta, journal }
    const isKnown = await isSame(server, name, meta)
    const isNew = given.isNew || !isKnown
    const submitter = new Submitter({ ...given, isNew, server, run: name, meta, onNote, window })
    await submitter.begin()
    return submitter
  } catch (error) {
    server.close()
    throw error
  }
}

/**
 * Whether the queue has this run, as the journal has it.
 * @throws UsageError if the run is that of another journal
 */
async function isSame({ redis, place }: QueueServer, run: string, meta: RunMeta): Promise<boolean> {
  const text = await redis.get(keysOf(run).meta)
  if (text === null) return true
  const { journal, header } = readMeta(text, `run ${run}`)
  if (journal !== meta.journal) {
    throw new UsageError(
      `the run ${run} on redis ${place} belongs to ${journal}; give another name with --run`,
    )
  }
  return JSON.stringify(header) === JSON.stringify(meta.header)
}

/** A name that another journal does not have. That of an evaluation has its folder. */
function nameOf(journal: string): string {
  const file = (journal.endsWith('/journal.jsonl') ? journal.slice(0, -'/journal.jsonl'.length) : journal)
    .replace(/\.journal$/, '')
    .replace(/\.jsonl?$/, '')
  return `${basename(file)
    .replace(/[^\w-]+/g, '-')
    .slice(0, 60)}-${hash('sha1', journal).slice(0, 8)}`
}
