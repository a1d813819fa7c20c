/** Opens every engine that a plan names, here or by the workers of a queue. */
import { enginesOf, type Plan } from '../../core/plan.ts'
import { UsageError } from '../../core/provider/errors.ts'
import { isModel } from '../../engines/ai-sdk/is-model.ts'
import type { Config } from '../../engines/config.ts'
import { engineFlagNames } from '../../engines/engine-options.ts'
import type { OpenedEngines, OpenOptions } from '../../engines/open.ts'
import type { QueueOptions } from '../../run/queue/queue-options.ts'
import { findConfig } from './find-config.ts'
import { flagName } from './plan-flags.ts'

/**
 * Opens engines, by the names that the plan uses, with a function that closes them all.
 * @throws UsageError for an unknown name, or a missing key or file. Engines that were opened before are closed.
 */
export async function openPlan(plan: Plan, options: OpenOptions): Promise<OpenedEngines> {
  const { openEngines } = await import('../../engines/open.ts')
  return openEngines(enginesOf(plan), options)
}

/** The flags that send a run to a queue. */
export interface QueueFlags {
  queue?: string
  run?: string
}

/**
 * Opens the engines of a run or an evaluation; with --queue their stand-ins, because only workers open them.
 * @throws UsageError for an unknown name, a missing key or file, and a flag that only a worker can follow
 */
export async function openForRun(
  names: string[],
  { queue: address, run }: QueueFlags,
  { onNote, ...options }: OpenOptions & { onNote: (note: string) => void },
): Promise<OpenedEngines & { queue?: QueueOptions }> {
  if (address === undefined) {
    if (run !== undefined) throw new UsageError('--run is the name of a run in a queue: it needs --queue')
    const { openEngines } = await import('../../engines/open.ts')
    return openEngines(names, options)
  }
  const settings = options as Record<string, unknown>
  const given = engineFlagNames.filter((name) => settings[name] !== undefined)
  if (given.length > 0) {
    const flags = given.map(flagName).join(', ')
    throw new UsageError(`${flags}: with --queue the workers open the models; give it to \`aft work\``)
  }
  const file = typeof options.config === 'string' ? options.config : undefined
  const config = typeof options.config === 'object' ? options.config : await findConfig(file)
  const { makeStandIns } = await import('../../run/queue/stand-ins.ts')
  const engines = await makeStandIns(names, config, file)
  return { engines, close: async () => {}, queue: { address, run, onNote } }
}

/** Completions that the embedded engine takes at a time. For a server, --concurrency decides. */
const EMBEDDED_PLACES = 24

/** How many completions engines take at a time, at least that of an embedded one each. */
export function countPlaces(
  names: string[],
  { concurrency = 0 }: Pick<OpenOptions, 'concurrency'>,
  { engines: entries = {} }: Config,
): number {
  const places = names.map((name) => {
    const entry = entries[name]
    return (typeof entry === 'object' && !isModel(entry) && entry.concurrency) || 0
  })
  return names.length * Math.max(EMBEDDED_PLACES, concurrency, ...places)
}
