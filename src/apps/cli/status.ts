/** `aft status`: how far the runs of a queue are. */
import { Command } from 'commander'
import { UsageError } from '../../core/provider/errors.ts'
import { connectQueue } from '../../run/queue/connect.ts'
import { type RunStatus, readQueueStatus, removeRun } from '../../run/queue/status.ts'
import { joinFacts, showTime } from './progress.ts'
import { sanitize, stringifySafely } from './render/sanitize.ts'
import { addSharedFlags, sharedFlag } from './shared-flags.ts'

interface StatusFlags {
  queue: string
  run?: string
  remove?: string
  json?: boolean
}

const help = `
Examples:
  $ aft status --queue redis://10.0.0.5:6379/0
  $ aft status --queue redis://10.0.0.5:6379/0 --remove answers-1f2e3d4c`

/** Makes the command `aft status`. */
export function statusCommand(): Command {
  const command = new Command('status')
    .description('Say how far the runs of a queue are, and what their workers do.')
    .addOption(sharedFlag('queue').makeOptionMandatory())
    .addOption(sharedFlag('run'))
    .option(
      '--remove <name>',
      'remove a run from the queue whose submitter does not come back; its journal stays',
    )
    .addHelpText('after', help)
  return addSharedFlags(command, ['json']).action(status)
}

async function status({ queue, run, remove, json }: StatusFlags): Promise<void> {
  const server = await connectQueue(queue)
  try {
    if (remove !== undefined && !(await removeRun(server, remove)))
      throw new UsageError(`there is no run ${remove} on redis ${server.place}`)
    const runs = await readQueueStatus(server, run)
    if (run !== undefined && runs.length === 0)
      throw new UsageError(`there is no run ${run} on redis ${server.place}`)
    if (json) console.log(stringifySafely({ runs }))
    else console.log(sanitize(runs.length === 0 ? 'no runs' : runs.map(describeRun).join('\n\n')))
  } finally {
    server.close()
  }
}

const count = (n: number) => n.toLocaleString('en-US')

/** Describes a run in lines. */
export function describeRun({
  run,
  state,
  submitter,
  waiting,
  working,
  workers,
  perSecond,
  secondsLeft,
}: RunStatus): string {
  const cost = state?.cost ? `, $${state.cost.toFixed(state.cost < 1 ? 4 : 2)}` : ''
  const facts = state
    ? [
        `${count(state.answered)} of ${count(state.prompts)} answered`,
        state.degraded > 0 && `${count(state.degraded)} degraded`,
        state.failed > 0 && `${count(state.failed)} failed`,
        state.completions > 0 &&
          `${count(state.made)} of ${count(Math.max(state.made, state.completions))} completions`,
        `${perSecond.toFixed(1)} completions/s`,
        state.completions > 0 && `${count(state.inputTokens + state.outputTokens)} tokens${cost}`,
        secondsLeft !== undefined && `${showTime(secondsLeft * 1000)} left`,
      ]
    : []
  return [
    run,
    `  submitter ${submitter}${submitter === 'at work' ? '' : '; the same command resumes'}`,
    ...(facts.length > 0 ? [`  ${joinFacts(facts)}`] : []),
    `  ${count(waiting)} prompts wait, workers have ${count(working)}`,
    ...workers.map(
      (w) =>
        `  worker ${w.host} ${w.pid}: ${joinFacts([`${w.running} of ${w.active} prompts`, `${w.perSecond.toFixed(1)}/s`, `${count(w.answered)} answered`, w.failed > 0 && `${count(w.failed)} failed`])}`,
    ),
    ...(workers.length === 0 ? ['  no worker; start one with: aft work --queue …'] : []),
  ].join('\n')
}
