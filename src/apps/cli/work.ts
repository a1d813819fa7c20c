/** `aft work`: answers prompts of the runs of a queue. */
import { Command, InvalidArgumentError, Option } from 'commander'
import { pickSettings } from '../../engines/engine-options.ts'
import type { OpenOptions } from '../../engines/open.ts'
import { readTaskWork } from '../../eval/sent-work.ts'
import { foldNotes } from '../../plans/notes.ts'
import { refuseKey } from '../../plans/option-kinds.ts'
import { connectQueue } from '../../run/queue/connect.ts'
import { type WorkProgress, workOnQueue } from '../../run/queue/work.ts'
import { findConfig } from './find-config.ts'
import { watchInterrupts } from './interrupt.ts'
import { keepMemorySmall } from './memory.ts'
import { countPlaces } from './open-plan.ts'
import { whole } from './option-types.ts'
import { createProgress, joinFacts } from './progress.ts'
import { sanitize } from './render/sanitize.ts'
import { addEngineFlags, addSharedFlags, type EngineFlags, sharedFlag } from './shared-flags.ts'

interface WorkFlags extends EngineFlags {
  queue: string
  run?: string
  model: Record<string, string>
  takeoverS: number
  progress: boolean
}

const help = `
The runs and their prompts come from the queue. Addresses and keys of models come from this machine: from its config and its
environment. A model that is an address is asked at that address, unless --model gives another one. With --run the worker works on
that run only and ends with it; without, it works on all runs until it is stopped.

Examples:
  $ aft work --queue redis://10.0.0.5:6379/0
  $ aft work --queue redis://10.0.0.5:6379/0 --model llama=http://127.0.0.1:8000/v1#llama --concurrency 256`

/** Makes the command `aft work`. */
export function workCommand(): Command {
  const command = new Command('work')
    .description('Answer the prompts of a queue that `aft run --queue` fills.')
    .addOption(sharedFlag('queue').makeOptionMandatory())
    .addOption(sharedFlag('run'))
    .addOption(
      new Option(
        '-m, --model <name>',
        'NAME=MODEL: open MODEL if a run names NAME; may be given several times',
      )
        .argParser(addModel)
        .default({}, 'what the run names'),
    )
    .addOption(
      whole(
        '--takeover-s <seconds>',
        'after this time without a sign of life the prompts of a worker are given to others',
        2,
        86_400,
      ).default(60),
    )
    .addHelpText('after', help)
  return addEngineFlags(addSharedFlags(command, ['config', 'progress'])).action(work)
}

function addModel(text: string, before: Record<string, string>): Record<string, string> {
  // A run's name of a model may be an address with "=" in its query. The new one begins after the last "=" before a scheme.
  const found = /^(.+)=(\w+:.+)$/.exec(text) ?? /^([^=]+)=(.+)$/.exec(text)
  if (!found)
    throw new InvalidArgumentError('expected NAME=MODEL, such as llama=http://127.0.0.1:8000/v1#llama')
  const [, name = '', model = ''] = found
  refuseKey(model)
  return { ...before, [name]: model }
}

async function work(flags: WorkFlags): Promise<void> {
  keepMemorySmall()
  const { queue, run, model, takeoverS } = flags
  const config = await findConfig(flags.config)
  const signal = watchInterrupts()
  const reporter = flags.progress ? createProgress<WorkProgress>(process.stderr, viewWork) : undefined
  const onNote = (note: string) => (reporter?.writeAbove ?? console.error)(sanitize(note))
  const settings: OpenOptions = { ...pickSettings(flags), config, signal, onProgress: reporter?.pull }
  const server = await connectQueue(queue, { onNote })
  try {
    for (const warning of server.warnings) onNote(`warning: ${warning}`)
    onNote(`works for the queue on redis ${server.place}`)
    const end = await workOnQueue({
      server,
      run,
      readWork: readTaskWork,
      open: (names) => openMapped(names, model, settings),
      lockMs: takeoverS * 1000,
      signal,
      onNote,
      onEvent: foldNotes(onNote),
      onProgress: reporter?.update,
    })
    reporter?.close()
    console.error(`${describeWork(end)}`)
    if (signal.aborted) throw signal.reason
  } finally {
    reporter?.close()
    server.close()
  }
}

/** Opens the models of a plan, those of --model under the names that the plan has for them. */
async function openMapped(names: string[], models: Record<string, string>, settings: OpenOptions) {
  const { openEngines } = await import('../../engines/open.ts')
  const modelOf = (name: string) => (Object.hasOwn(models, name) ? (models[name] as string) : name)
  const { engines, close } = await openEngines(names.map(modelOf), settings)
  const named = Object.fromEntries(
    names.map((name) => [name, engines[modelOf(name)] as (typeof engines)[string]]),
  )
  const config = typeof settings.config === 'object' ? settings.config : {}
  return { engines: named, places: countPlaces(names.map(modelOf), settings, config), close }
}

function viewWork(state: WorkProgress, elapsedMs: number) {
  const perSecond = state.completions / Math.max(1, elapsedMs / 1000)
  const facts = [
    describeWork(state),
    `${perSecond.toFixed(1)}/s`,
    state.runs.length > 0 ? state.runs.join(', ') : 'no run yet',
  ]
  return { share: 0, facts: joinFacts(facts) }
}

function describeWork({ answered, failed, completions }: WorkProgress): string {
  const count = (n: number) => n.toLocaleString('en-US')
  return joinFacts([
    `${count(answered)} answered`,
    failed > 0 && `${count(failed)} failed`,
    `${count(completions)} completions`,
  ])
}
