/**
 * The submitter's side of a queue: puts prompts in, and takes the lines that workers made for them out, into the one journal.
 * Each line that came through the queue has `at`, its place in the stream. So a submitter that was killed knows from the
 * journal which line comes next.
 */
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises'
import type { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { describeError } from '../../core/provider/errors.ts'
import type { JournalFile } from '../../lib/journal-file.ts'
import type { Job } from '../../lib/resumable-map.ts'
import type { QueueServer } from './connect.ts'
import { Intake, unplaced } from './intake.ts'
import {
  hashOf,
  isAfter,
  jobOf,
  keysOf,
  prepareJob,
  QUEUE,
  RUNS,
  type RunKeys,
  type RunMeta,
  readWorker,
  SILENT_MS,
  type SubmitterCounts,
  type SubmitterState,
} from './keys.ts'
import type { LineRules } from './sent-work.ts'
import { wipeRun } from './status.ts'

/** What a submitter stands on. */
export interface SubmitterOptions<Line extends object> {
  server: QueueServer
  run: string
  journal: JournalFile<Line>
  lines: LineRules<Line>
  meta: RunMeta
  /** Place of the last line that the journal took from the stream; undefined if it took none. */
  cursor: string | undefined
  /** Whether what an earlier run left in the queue is thrown away: with a new journal it belongs to nothing. */
  isNew: boolean
  /** How far the run is. */
  state: () => SubmitterCounts
  /** Gets the lines of prompts that are not asked for at the moment, after they were written to the journal. */
  onStray: (line: Line) => void
  onNote: (note: string) => void
  /** Prompts in the queue at most; default twice as many as the workers take at a time. */
  window?: number
}

/** Prompts in the queue while no worker is known. */
const LEAST_WINDOW = 32
const TICK_MS = 1_000
/** Ticks after which all open prompts are offered again: one that Redis lost is back then. */
const TICKS_TO_RECONCILE = 60
const BATCH = 200
/** At the end, a server that does not answer is not waited for. */
const CLOSE_MS = 5_000
const DAY_S = 86_400

/** An open submitter. A class because it must be closed. */
export class Submitter<Line extends object> {
  readonly #options: SubmitterOptions<Line>
  readonly #keys: RunKeys
  readonly #redis: Redis
  readonly #reader: Redis
  readonly #queue: Queue
  readonly #metaHash: string
  readonly #intake: Intake<Line>
  #toAdd: string[] = []
  #adding: Promise<void> | undefined
  #reading: Promise<void> | undefined
  #cursor: string
  #places = 0
  #ticks = 0
  #timer: NodeJS.Timeout | undefined
  #isClosed = false
  readonly #startedAt = Date.now()

  /** Use `submitTo`. */
  constructor(options: SubmitterOptions<Line>) {
    const { server, run, meta, cursor = '0-0' } = options
    const keys = keysOf(run)
    this.#options = options
    this.#keys = keys
    this.#cursor = cursor
    this.#intake = new Intake(options)
    this.#redis = server.redis
    this.#reader = server.connectAgain()
    this.#metaHash = hashOf(meta)
    this.#queue = new server.bullmq.Queue(QUEUE, {
      connection: server.redis,
      prefix: keys.prefix,
      streams: { events: { maxLen: 100 } },
    })
    this.#queue.on('error', () => {}) // the connection says it once
  }

  /** Announces the run, reads what is there, then keeps reading. */
  async begin(): Promise<void> {
    if (this.#options.isNew) await this.#wipe()
    await this.#findPlace()
    while (await this.#readOnce()) {}
    await this.#announce()
    await this.#queue.resume()
    await this.#tick()
    this.#redis.on('ready', this.#onBack)
    this.#reading = this.#keepReading()
    this.#timer = setInterval(() => void this.#tick().catch(() => {}), TICK_MS)
  }

  /** Prompts that may be in the queue at a time. */
  window = (): number => this.#options.window ?? Math.max(LEAST_WINDOW, 2 * this.#places)

  /** Has a worker do the work of a prompt, and returns its last line. @throws the signal's reason */
  work(item: { id: string }, job: Job<Line>): Promise<Line> {
    const end = this.#intake.expect(item, job)
    this.#toAdd.push(item.id)
    this.#addSoon()
    return end
  }

  /** Ends the run if it is done; else no worker begins another prompt until a submitter is back. */
  async close(outcome: string): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#timer)
    this.#redis.off('ready', this.#onBack)
    const ended = outcome === 'done' ? this.#finish() : this.#suspend(outcome)
    await Promise.race([ended.catch(() => {}), delay(CLOSE_MS, undefined, { ref: false })])
    this.#reader.disconnect()
    await this.#reading
    this.#options.server.close()
  }

  async #finish(): Promise<void> {
    await this.#wipe()
    await this.#redis.set(this.#keys.ended, '1', 'EX', DAY_S)
  }

  async #suspend(outcome: string): Promise<void> {
    await this.#queue.pause()
    await this.#writeState(outcome)
  }

  async #wipe(): Promise<void> {
    await this.#redis.srem(RUNS, this.#options.run)
    await wipeRun(this.#options.server, this.#keys)
  }

  async #announce(): Promise<void> {
    await this.#redis.del(this.#keys.ended)
    await this.#redis.set(this.#keys.meta, JSON.stringify(this.#options.meta))
    await this.#redis.sadd(RUNS, this.#options.run)
  }

  /** After an outage: a server that lost its last second may have lost jobs, and counts lines from an earlier place. */
  readonly #onBack = () => {
    const recover = async () => {
      await this.#findPlace()
      await this.#announce()
      this.#offerAgain()
    }
    recover().catch(() => {})
  }

  async #findPlace(): Promise<void> {
    const info = (await this.#redis.xinfo('STREAM', this.#keys.lines).catch(() => [])) as unknown[]
    const last = info[info.indexOf('last-generated-id') + 1]
    if (typeof last !== 'string' || info.length === 0 || isAfter(this.#cursor, last)) this.#cursor = '0-0'
  }

  async #keepReading(): Promise<void> {
    while (!this.#isClosed) {
      try {
        await this.#readOnce(TICK_MS)
      } catch (error) {
        if (this.#isClosed) return
        if (this.#options.journal.broken.aborted) return
        this.#options.onNote(`reading the queue: ${describeError(error).message}`)
        await delay(TICK_MS, undefined, { ref: false })
      }
    }
  }

  /** Takes lines, waiting `blockMs` for the first. False if there is none. */
  async #readOnce(blockMs?: number): Promise<boolean> {
    const from = ['STREAMS', this.#keys.lines, this.#cursor] as const
    const found =
      blockMs === undefined
        ? await this.#reader.xread('COUNT', 1_000, ...from)
        : await this.#reader.xread('COUNT', 1_000, 'BLOCK', blockMs, ...from)
    const entries = found?.[0]?.[1] ?? []
    if (entries.length === 0) return false
    for (const [at, fields] of entries) {
      this.#cursor = at
      // The map writes an answer a turn later. A line may not be written before one that stands before it in the stream.
      if (this.#intake.take(fields[1] ?? '', at)) await nextTurn()
    }
    this.#options.journal.flush()
    const [ms, sequence] = this.#cursor.split('-')
    await this.#redis.xtrim(this.#keys.lines, 'MINID', `${ms}-${Number(sequence) + 1}`)
    return true
  }

  #offerAgain(): void {
    const waiting = new Set(this.#toAdd)
    this.#toAdd.push(...[...this.#intake.open.keys()].filter((id) => !waiting.has(id)))
    this.#addSoon()
  }

  #addSoon(): void {
    this.#adding ??= this.#addAll().finally(() => {
      this.#adding = undefined
    })
  }

  async #addAll(): Promise<void> {
    await nextTurn()
    while (this.#toAdd.length > 0 && !this.#isClosed) {
      const batch = this.#toAdd.splice(0, BATCH)
      try {
        await this.#add(batch)
      } catch (error) {
        if (this.#isClosed || this.#options.journal.broken.aborted) return
        this.#options.onNote(`adding to the queue: ${describeError(error).message}; trying again`)
        this.#toAdd.unshift(...batch)
        await delay(2 * TICK_MS, undefined, { ref: false })
      }
    }
  }

  /** Puts prompts into the queue. A prompt that is there stays as it is. */
  async #add(ids: string[]): Promise<void> {
    const { journal } = this.#options
    journal.flush() // a worker's line of a prompt that the journal does not have would be lost
    const prompts = ids.flatMap((id) => this.#intake.open.get(id) ?? [])
    const parts = prompts.map(({ item }) =>
      journal.parts(item.id).map((line) => JSON.stringify(unplaced(line))),
    )
    const isReady = await Promise.all(
      prompts.map(({ item }, i) =>
        prepareJob(this.#redis, this.#keys.parts(jobOf(item.id)), this.#cursor, parts[i] ?? []),
      ),
    )
    const jobs = prompts.flatMap(({ item }, i) => {
      // What was begun is finished before other prompts begin.
      const opts = { jobId: jobOf(item.id), removeOnComplete: true, lifo: (parts[i]?.length ?? 0) > 0 }
      return isReady[i] ? [{ name: 'prompt', data: { item, meta: this.#metaHash }, opts }] : []
    })
    if (jobs.length > 0) await this.#queue.addBulk(jobs)
  }

  async #tick(): Promise<void> {
    if (this.#redis.status !== 'ready') return
    const workers = Object.values(await this.#redis.hgetall(this.#keys.workers)).flatMap(
      (text) => readWorker(text) ?? [],
    )
    const known = workers.filter(({ at }) => Date.now() - at < SILENT_MS)
    this.#places = known.reduce((sum, { active }) => sum + active, 0)
    await this.#writeState()
    await this.#takeFailed()
    if (++this.#ticks % TICKS_TO_RECONCILE === 0) this.#offerAgain()
  }

  async #writeState(outcome?: string): Promise<void> {
    const times = { startedAt: this.#startedAt, at: Date.now(), outcome }
    const state: SubmitterState = { ...this.#options.state(), ...times }
    await this.#redis.set(this.#keys.state, JSON.stringify(state))
  }

  /** A job fails if its workers die too often, or cannot read it. Its prompt then ends with that reason. */
  async #takeFailed(): Promise<void> {
    for (const job of await this.#queue.getFailed(0, BATCH)) {
      const id = (job.data as { item?: { id?: string } }).item?.id ?? ''
      await job.remove()
      this.#intake.fail(id, job.failedReason)
    }
  }
}
