/** Reads how far the runs of a queue are, for a person or a page. */
import { setTimeout as delay } from 'node:timers/promises'
import { EngineError } from '../../core/provider/errors.ts'
import { connectQueue, type QueueServer } from './connect.ts'
import {
  keysOf,
  QUEUE,
  RUNS,
  type RunKeys,
  readState,
  readWorker,
  SILENT_MS,
  type SubmitterState,
  type WorkerState,
} from './keys.ts'

/** A run of a queue. */
export interface RunStatus {
  run: string
  /** Undefined if no submitter has written it yet. */
  state?: SubmitterState
  /** How the submitter is: at work, ended with a reason, or not heard of. */
  submitter: 'at work' | 'silent' | 'interrupted' | 'held' | 'hopeless' | 'failed'
  /** Prompts that wait in the queue, and that workers have. */
  waiting: number
  working: number
  /** Those that were heard of lately. */
  workers: WorkerState[]
  perSecond: number
  /** Seconds until all is done at this rate; undefined without a rate. */
  secondsLeft?: number
}

/** Reads all runs, or one. */
export async function readQueueStatus(
  { redis }: QueueServer,
  only?: string,
  nowMs = Date.now(),
): Promise<RunStatus[]> {
  const names = (await redis.smembers(RUNS)).filter((name) => only === undefined || name === only).sort()
  return Promise.all(names.map((run) => readRun(redis, run, nowMs)))
}

async function readRun(redis: QueueServer['redis'], run: string, nowMs: number): Promise<RunStatus> {
  const keys = keysOf(run)
  const at = (name: string) => `${keys.prefix}:${QUEUE}:${name}`
  const [text, all, wait, paused, prioritized, working] = await Promise.all([
    redis.get(keys.state),
    redis.hgetall(keys.workers),
    redis.llen(at('wait')),
    redis.llen(at('paused')),
    redis.zcard(at('prioritized')),
    redis.llen(at('active')),
  ])
  const state = readState(text)
  const workers = Object.values(all)
    .flatMap((worker) => readWorker(worker) ?? [])
    .filter(({ at }) => nowMs - at < SILENT_MS)
    .sort((a, b) => a.host.localeCompare(b.host) || a.pid - b.pid)
  const perSecond = workers.reduce((sum, worker) => sum + worker.perSecond, 0)
  const left = state && Math.max(0, state.completions - state.made)
  const secondsLeft =
    left !== undefined && left > 0 && perSecond > 0 ? Math.round(left / perSecond) : state?.secondsLeft
  return {
    run,
    state,
    submitter: describeSubmitter(state, nowMs),
    waiting: wait + paused + prioritized,
    working,
    workers,
    perSecond,
    ...(secondsLeft !== undefined && { secondsLeft }),
  }
}

function describeSubmitter(state: SubmitterState | undefined, nowMs: number): RunStatus['submitter'] {
  const outcome = state?.outcome
  if (outcome === 'interrupted' || outcome === 'held' || outcome === 'hopeless' || outcome === 'failed')
    return outcome
  return state && nowMs - state.at < SILENT_MS ? 'at work' : 'silent'
}

/** A server that is gone is not waited for longer: a page asks again. */
const ANSWER_MS = 3_000

/** Connects to a queue that is only looked at. @throws as `connectQueue` does; `read` throws EngineError if it is gone */
export async function openQueueBoard(
  address: string,
): Promise<{ read: () => Promise<RunStatus[]>; close: () => void }> {
  const server = await connectQueue(address)
  const read = () => {
    const late = delay(ANSWER_MS, undefined, { ref: false }).then(() => {
      throw new EngineError('the queue', 'unreachable', 'Redis does not answer')
    })
    return Promise.race([readQueueStatus(server), late])
  }
  return { read, close: server.close }
}

/** Removes a run from the queue. Its journal stays. False if there is no such run. */
export async function removeRun({ redis, bullmq }: QueueServer, run: string): Promise<boolean> {
  const keys = keysOf(run)
  const found = await redis.srem(RUNS, run)
  await wipeRun({ redis, bullmq }, keys)
  return found === 1
}

/** Removes all keys of a run. Workers that are at it lose their locks, and so are not heard. */
export async function wipeRun(
  { redis, bullmq }: Pick<QueueServer, 'redis' | 'bullmq'>,
  keys: RunKeys,
): Promise<void> {
  const queue = new bullmq.Queue(QUEUE, { connection: redis, prefix: keys.prefix })
  queue.on('error', () => {})
  await queue.obliterate({ force: true, count: 10_000 })
  let cursor = '0'
  do {
    const [next, found] = await redis.scan(cursor, 'MATCH', `${keys.prefix}:*`, 'COUNT', 1_000)
    if (found.length > 0) await redis.unlink(...found)
    cursor = next
  } while (cursor !== '0')
}
