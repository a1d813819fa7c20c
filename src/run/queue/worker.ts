/** The worker's side of a queue: answers prompts of one run, as a run alone does, and sends each line to the submitter. */
import { hostname } from 'node:os'
import type { Job as QueueJob, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import type { Engine } from '../../core/provider/engine.ts'
import {
  describeError,
  EngineError,
  type EngineErrorKind,
  type ErrorRecord,
} from '../../core/provider/errors.ts'
import type { AftEvent } from '../../core/result.ts'
import type { QueueServer } from './connect.ts'
import { hashOf, jobOf, QUEUE, type RunKeys, type RunMeta, type WorkerState } from './keys.ts'
import { createPauses, type Pauses } from './pauses.ts'
import { createRecorder, type Recorder, TakenOver } from './recorder.ts'
import type { SentWork } from './sent-work.ts'

/** What a worker on a run stands on. */
export interface WorkerOptions {
  server: QueueServer
  keys: RunKeys
  meta: RunMeta
  work: SentWork
  /** By the names of the work. */
  engines: Record<string, Engine>
  /** Prompts at a time. */
  active: number
  /** Milliseconds after which the prompts of a worker that fell silent are another's. */
  lockMs: number
  onEvent?: (event: AftEvent) => void
  onNote: (note: string) => void
  /** Called if this worker cannot work at all: its key, its bill or its model's name is wrong. */
  onFault: (error: EngineError) => void
}

/**
 * Deaths that a prompt survives. One that was at hand each time may be their cause; the submitter then ends it with that
 * reason.
 */
const MAX_DEATHS = 25
const BEAT_MS = 1_000
/** How long a worker whose server is gone leaves the queue to others. */
const AWAY_MS = 5_000
/** So often a prompt may find no server. After that it may be the cause, and fails. */
const MAX_STARTS = 100
/** What is wrong with this worker, not with the prompt. Another worker may answer it. */
const FAULTS: string[] = ['unreachable', 'auth', 'billing', 'not-found']

/** The prompt is given back, because this worker cannot ask its server. */
class GivenBack extends Error {
  readonly record: ErrorRecord
  constructor(record: ErrorRecord) {
    super(record.message)
    this.record = record
  }
}
const RATE_BEATS = 10

/** A worker on one run. A class because it must be closed. */
export class RunWorker {
  readonly #options: WorkerOptions
  readonly #redis: Redis
  readonly #worker: Worker
  readonly #pauses: Pauses
  readonly #running = new Map<string, { stop: AbortController; recorder: Recorder }>()
  readonly #stop = new AbortController()
  readonly #id = `${hostname()}-${process.pid}`
  readonly #metaHash: string
  readonly #timer: NodeJS.Timeout
  readonly #made: number[] = []
  #position = 0
  #isAway = false
  readonly #said = new Set<string>()
  #serverRun: string | undefined
  readonly #counts = { answered: 0, failed: 0, completions: 0 }

  constructor(options: WorkerOptions) {
    const { server, keys, meta, active, lockMs } = options
    this.#options = options
    this.#redis = server.redis
    this.#metaHash = hashOf(meta)
    this.#pauses = createPauses(server.redis, keys, options.engines)
    this.#worker = new server.bullmq.Worker(QUEUE, (job, token) => this.#work(job, token ?? ''), {
      connection: server.redis,
      prefix: keys.prefix,
      concurrency: active,
      lockDuration: lockMs,
      stalledInterval: lockMs / 2,
      maxStalledCount: MAX_DEATHS,
      runRetryDelay: BEAT_MS,
      removeOnFail: { count: 10_000 },
    })
    this.#worker.on('error', (error) => this.#onError(error))
    this.#worker.on('lockRenewalFailed', (jobs) => {
      for (const job of jobs) this.#running.get(job)?.stop.abort(new TakenOver())
    })
    this.#redis.on('ready', this.#onBack)
    this.#timer = setInterval(() => void this.#beat().catch(() => {}), BEAT_MS)
    this.#onBack()
    void this.#beat().catch(() => {})
  }

  /** Whether the run is still the one that this worker knows. */
  isOf(meta: RunMeta): boolean {
    return hashOf(meta) === this.#metaHash
  }

  /** What it did so far. */
  get counts(): Readonly<{ answered: number; failed: number; completions: number }> {
    return this.#counts
  }

  /** Ends: what is in flight is aborted, and its prompts go back to the queue. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#redis.off('ready', this.#onBack)
    this.#stop.abort(new TakenOver('this worker ends'))
    for (const { stop } of this.#running.values()) stop.abort(this.#stop.signal.reason)
    await this.#worker.close()
    await this.#redis.hdel(this.#options.keys.workers, this.#id).catch(() => 0)
  }

  async #work(job: QueueJob, token: string): Promise<void> {
    const { bullmq, redis } = this.#options.server
    const { keys } = this.#options
    if (this.#stop.signal.aborted || (job.data as { meta?: string }).meta !== this.#metaHash) {
      await job.moveToWait(token)
      throw new bullmq.WaitingError()
    }
    const id = job.id ?? ''
    const parts = await redis.lrange(keys.parts(id), 0, -1)
    if (parts[0]?.startsWith('end ')) return // its worker died between the last line and the end of the job
    const stop = new AbortController()
    const recorder = createRecorder(redis, { keys, job: id, token }, (reason) => stop.abort(reason))
    const recorded = parts.map(this.#options.work.readLine)
    this.#running.set(id, { stop, recorder })
    try {
      await this.#answer(job, { recorder, signal: stop.signal, recorded })
    } catch (error) {
      const isBack = error instanceof GivenBack
      if (!this.#stop.signal.aborted && !isBack) throw error
      if (isBack) this.#leaveToOthers(error.record)
      await job.moveToWait(token)
      throw new bullmq.WaitingError()
    } finally {
      this.#running.delete(id)
    }
  }

  async #answer(
    job: QueueJob,
    { recorder, signal, recorded }: { recorder: Recorder; signal: AbortSignal; recorded: object[] },
  ): Promise<void> {
    const { work, engines, active, onEvent } = this.#options
    const { item } = job.data as { item?: { id: string } }
    if (typeof item?.id !== 'string' || jobOf(item.id) !== job.id)
      throw new Error('expected a job with the id of its prompt')
    const end: { error?: ErrorRecord } = await work.work(item, {
      engines: this.#pauses.gate(engines, signal),
      position: this.#position++,
      active,
      recorded,
      record: recorder.record,
      signal,
      onCompletion: () => this.#counts.completions++,
      onEvent: (event) => {
        this.#pauses.note(event)
        onEvent?.(event)
      },
    })
    const { error } = end
    if (error && FAULTS.includes(error.kind) && job.attemptsStarted < MAX_STARTS) throw new GivenBack(error)
    await recorder.end(end)
    this.#counts[error ? 'failed' : 'answered']++
  }

  /** Takes no prompt for a while; for good if only a person can mend what is wrong. */
  #leaveToOthers({ kind, message, engine = 'the model' }: ErrorRecord): void {
    if (this.#isAway) return
    this.#isAway = true
    void this.#worker.pause(true)
    if (kind !== 'unreachable') {
      this.#options.onFault(new EngineError(engine, kind as EngineErrorKind, message))
      return
    }
    this.#options.onNote(`${message} This worker leaves its prompts to others and tries again.`)
    const back = () => {
      this.#isAway = false
      if (!this.#stop.signal.aborted) this.#worker.resume()
    }
    setTimeout(back, AWAY_MS).unref()
  }

  /** After an outage: a server that began anew may have lost its last second. What is known is sent again. */
  readonly #onBack = () => {
    const resend = async () => {
      const before = this.#serverRun
      this.#serverRun = /^run_id:(\w+)/m.exec(await this.#redis.info('server'))?.[1]
      if (before !== undefined && before !== this.#serverRun)
        for (const { recorder } of this.#running.values()) recorder.sendAgain()
    }
    resend().catch(() => {})
  }

  async #beat(): Promise<void> {
    if (this.#redis.status !== 'ready') return
    const { keys, active } = this.#options
    const { completions } = this.#counts
    this.#made.push(completions)
    if (this.#made.length > RATE_BEATS + 1) this.#made.shift()
    const seconds = ((this.#made.length - 1) * BEAT_MS) / 1000
    const state: WorkerState = {
      host: hostname(),
      pid: process.pid,
      active,
      running: this.#running.size,
      ...this.#counts,
      perSecond: seconds > 0 ? (completions - (this.#made[0] ?? 0)) / seconds : 0,
      at: Date.now(),
    }
    await this.#redis.hset(keys.workers, this.#id, JSON.stringify(state))
    await this.#redis.expire(keys.workers, 60)
    await this.#pauses.refresh()
  }

  #onError(error: Error): void {
    // A lost lock ends its own job; a lost connection is said once by the connection.
    const { code } = error as NodeJS.ErrnoException
    if (code !== undefined || error.name !== 'Error' || this.#redis.status !== 'ready') return
    const { message } = describeError(error)
    const kind = message.replace(/[\w-]*\d[\w-]*/g, '')
    if (this.#said.has(kind)) return
    this.#said.add(kind)
    this.#options.onNote(`queue: ${message}`)
  }
}
