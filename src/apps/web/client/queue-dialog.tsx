/** How far the runs of a queue are: workers, rates, failures, money and the time left. */
import { useEffect, useState } from 'preact/hooks'
import type { RunStatus } from '../../../run/queue/status.ts'
import { readQueue } from './api.ts'
import { Modal } from './modal.tsx'
import { count, formatCost, Problem } from './text.tsx'

const POLL_MS = 2_000

/** Shows all runs, and keeps them up to date while it is open. */
export function QueueDialog({ onClose }: { onClose: () => void }) {
  const [runs, setRuns] = useState<RunStatus[]>()
  const [problem, setProblem] = useState('')
  useEffect(() => {
    const stop = new AbortController()
    const look = async () => {
      try {
        setRuns(await readQueue(stop.signal))
        setProblem('')
      } catch (error) {
        if (!stop.signal.aborted) setProblem((error as Error).message)
      }
    }
    void look()
    const timer = setInterval(look, POLL_MS)
    return () => {
      clearInterval(timer)
      stop.abort()
    }
  }, [])
  return (
    <Modal title="Queue" onClose={onClose}>
      <Problem text={problem} />
      {runs?.length === 0 && <p class="soft">No run is in the queue.</p>}
      {runs?.map((run) => (
        <Run key={run.run} {...run} />
      ))}
    </Modal>
  )
}

function Run({ run, submitter, state, waiting, working, perSecond, secondsLeft, workers }: RunStatus) {
  const facts = [
    state && `${state.answered.toLocaleString('en')} of ${count(state.prompts, 'prompt')} answered`,
    state && state.degraded > 0 && `${state.degraded} degraded`,
    state && state.failed > 0 && `${state.failed} failed`,
    `${perSecond.toFixed(1)} completions per second`,
    state && state.made > 0 && count(state.inputTokens + state.outputTokens, 'token'),
    formatCost(state?.cost),
    secondsLeft !== undefined && `${formatLeft(secondsLeft)} left`,
  ]
  return (
    <section class="queue-run" aria-label={run}>
      <h3>{run}</h3>
      {state && <progress max={Math.max(1, state.prompts)} value={state.answered} aria-label="answered" />}
      <p>{facts.filter(Boolean).join(' · ')}</p>
      <p class="soft">
        Submitter {submitter}. {count(waiting, 'prompt')} in the queue, {working.toLocaleString('en')} with
        workers.
      </p>
      {workers.length === 0 ? <p class="soft">No worker.</p> : <Workers workers={workers} />}
    </section>
  )
}

function Workers({ workers }: Pick<RunStatus, 'workers'>) {
  return (
    <div class="scroll">
      <table class="totals-table">
        <thead>
          <tr>
            {['worker', 'prompts', 'answered', 'failed', 'per second'].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {workers.map(({ host, pid, running, active, answered, failed, perSecond: rate }) => (
            <tr key={`${host} ${pid}`}>
              <th scope="row">
                {host} {pid}
              </th>
              <td>{`${running} of ${active}`}</td>
              <td>{answered.toLocaleString('en')}</td>
              <td>{failed.toLocaleString('en')}</td>
              <td>{rate.toFixed(1)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function formatLeft(seconds: number): string {
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
