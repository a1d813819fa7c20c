/**
 * Decides what is evaluated next (continuous batching). All requests of an engine share its sequences: each step
 * writes one token of every open completion in one batch, then reads some chunks of the prompts that wait. No sequence is
 * idle while a completion waits for one.
 */

import type { NativeModel } from './native.ts'
import { CHUNK, MAX_CHUNKS, type Sequence, SequencePool, type Task } from './sequence-pool.ts'
import type { CoreGauge } from './threads.ts'

/** A prompt and the completions that follow it. */
export interface Job {
  /** Reads the prompt. Its `onLogits` puts the completions into `waiting`. */
  reader: Task
  /** The most sequences that this job can use. */
  width: number
  /** Tokens of the prompt and the longest completion. */
  length: number
  /** Lower goes first; equals go in order of arrival. */
  priority: number
  /** Completions that have their first token and no sequence yet. */
  waiting: Task[]
  /** Its open tasks: the reader until the prompt is read, then completions. */
  open: Set<Task>
  pool?: SequencePool
  /** Called when the native library failed; the job is removed by then. */
  onFailure(error: unknown): void
}

/** Limits of a scheduler. */
export interface SchedulerOptions {
  /** The most completions decoded at once. */
  sequences: number
  /** The most bytes that the cache of a pool may take. */
  memoryBytes: number
  contextLength: number
  /** Says how many threads are worth having. */
  cores: CoreGauge
}

/** Runs the jobs of one model. A class because it must be closed. */
export class Scheduler {
  readonly #model: NativeModel
  readonly #options: SchedulerOptions
  /** Only the last takes new jobs; the others are disposed of when their last completion ends. */
  #pools: SequencePool[] = []
  /** In the order in which they are served. */
  #jobs: Job[] = []
  #running: Promise<void> | undefined
  /** Why it was closed. */
  #closed: { reason: unknown } | undefined
  #evaluatedBefore = 0

  constructor(model: NativeModel, options: SchedulerOptions) {
    this.#model = model
    this.#options = options
  }

  /** Tokens evaluated so far, of prompts and completions. */
  get evaluated(): number {
    return this.#pools.reduce((sum, pool) => sum + pool.evaluated, this.#evaluatedBefore)
  }

  /** Adds a job after those of the same priority. */
  submit(job: Job): void {
    if (this.#closed) {
      job.onFailure(this.#closed.reason)
      return
    }
    const after = this.#jobs.findIndex(({ priority }) => priority > job.priority)
    this.#jobs.splice(after < 0 ? this.#jobs.length : after, 0, job)
    this.#running ??= this.#run()
  }

  /** Removes a job. What is being evaluated now is finished and dropped. */
  remove(job: Job): void {
    const at = this.#jobs.indexOf(job)
    if (at >= 0) this.#jobs.splice(at, 1)
    job.open.clear()
    job.waiting.length = 0
  }

  /** Fails what is open with `reason`, and frees the memory. */
  async close(reason: unknown): Promise<void> {
    this.#closed = { reason }
    this.#fail(this.#jobs, reason)
    await this.#running
    for (const pool of this.#pools.splice(0)) await pool.dispose()
  }

  async #run(): Promise<void> {
    // Requests made in the same turn of the event loop start together.
    await new Promise(setImmediate)
    if (this.evaluated > 0) this.#options.cores.resume()
    while (this.#jobs.length > 0 && !this.#closed) {
      try {
        await this.#step()
      } catch (error) {
        // After an error the content of the cache is unknown.
        this.#fail(this.#jobs, error)
        for (const pool of this.#pools.splice(0)) await this.#drop(pool)
      }
    }
    this.#running = undefined
  }

  async #step(): Promise<void> {
    this.#releaseEnded()
    await this.#replacePools()
    await this.#assignSequences()
    const before = this.evaluated
    for (const pool of this.#pools) {
      await pool.closeGaps(this.#free(pool))
      const ready = pool.ready()
      if (ready.length > 0) await pool.evaluate(ready)
      this.#releaseEnded()
      const unread = pool.unread((task) => this.#jobs.findIndex((job) => job.open.has(task)))
      if (unread.sequences.length > 0) await pool.evaluate(unread.sequences, unread.chunks)
    }
    if (this.evaluated === before) await new Promise(setImmediate)
  }

  /** Frees the sequences of tasks that have ended, and removes jobs without open tasks. */
  #releaseEnded(): void {
    const open = new Set(this.#jobs.flatMap((job) => [...job.open]))
    for (const pool of this.#pools)
      for (const sequence of pool.sequences)
        if (sequence.task && !open.has(sequence.task)) sequence.task = undefined
    this.#jobs = this.#jobs.filter((job) => job.open.size > 0)
  }

  /** Gives free sequences to jobs in order: each reserves as many as it will need, also while its prompt is read. */
  async #assignSequences(): Promise<void> {
    const left = new Map(this.#pools.map((pool) => [pool, pool.idle.length]))
    let reading = this.#jobs.filter((job) => job.open.has(job.reader) && job.pool).length
    for (const job of this.#jobs) {
      const pool = job.pool ?? this.#current
      if (!pool || pool.size < job.length) continue
      const granted = Math.min(left.get(pool) ?? 0, wantedBy(job))
      left.set(pool, (left.get(pool) ?? 0) - granted)
      if (job.pool) await this.#startWaiting(job, pool, granted)
      else if (granted > 0 && reading < MAX_CHUNKS && !this.#isBeingRead(job, pool)) {
        const free = this.#free(pool, job)
        if (free.length === 0) continue
        job.pool = pool
        await pool.place(job.reader, free)
        reading++
      }
    }
  }

  async #startWaiting(job: Job, pool: SequencePool, most: number): Promise<void> {
    for (let started = 0; started < most && job.waiting[0]; started++) {
      const free = this.#free(pool, job)
      if (free.length === 0) return
      await pool.place(job.waiting.shift() as Task, free)
    }
  }

  /** Whether a prompt that is being read will soon provide more of this one's beginning than the cache holds now. */
  #isBeingRead(job: Job, pool: SequencePool): boolean {
    const known = pool.reusable(job.reader)
    return this.#jobs.some(
      (other) =>
        other.pool === pool && other.open.has(other.reader) && sharedPrefix(other.reader, job.reader) > known,
    )
  }

  /** Idle sequences, except the only holders of a prompt that other jobs than `job` still need. */
  #free(pool: SequencePool, job?: Job): Sequence[] {
    const waiting = this.#jobs.filter(
      (other) => other !== job && other.pool === pool && other.waiting.length > 0,
    )
    const kept = waiting.map(({ reader }) => {
      const holders = pool.sequences.filter((sequence) => holds(sequence, reader))
      return holders.some(({ task }) => task) ? undefined : holders[0]
    })
    return pool.idle.filter((sequence) => !kept.includes(sequence))
  }

  get #current(): SequencePool | undefined {
    return this.#pools.at(-1)
  }

  /** Opens a larger pool if the last one is too small for the jobs that wait, and disposes of pools that are done. */
  async #replacePools(): Promise<void> {
    const waiting = this.#jobs.filter((job) => !job.pool)
    const current = this.#current
    const wanted = waiting.length > 0 ? this.#choosePoolSize(waiting) : undefined
    const isGrown =
      wanted && !(current && current.size >= wanted.need && current.sequences.length >= wanted.sequences)
    for (const pool of this.#pools.slice()) {
      if (!pool.isIdle || (pool === current && !isGrown)) continue
      if (this.#jobs.some((job) => job.pool === pool)) continue
      this.#pools.splice(this.#pools.indexOf(pool), 1)
      await this.#drop(pool)
    }
    if (isGrown) await this.#openPool(wanted, waiting)
  }

  #choosePoolSize(waiting: Job[]): { need: number; size: number; sequences: number } {
    const need = Math.max(...waiting.map((job) => job.length))
    const width = this.#jobs.reduce((sum, job) => sum + (job.pool ? job.open.size : job.width), 0)
    const size = Math.max(need, Math.min(this.#options.contextLength, roundUp(need, SIZES)))
    const fitting = Math.floor(this.#options.memoryBytes / (size * this.#model.bytesPerToken))
    const sequences = Math.max(1, Math.min(fitting, this.#options.sequences, roundUp(width, WIDTHS)))
    return { need, size, sequences }
  }

  async #openPool({ size, sequences }: { size: number; sequences: number }, waiting: Job[]): Promise<void> {
    const batchSize = Math.max(CHUNK * MAX_CHUNKS, sequences)
    try {
      const { native, ...context } = await this.#model.createContext({ sequences, size, batchSize })
      this.#pools.push(new SequencePool(native, { sequences, size, ...context, cores: this.#options.cores }))
    } catch (error) {
      if (sequences > 1) await this.#openPool({ size, sequences: sequences >> 1 }, waiting)
      else this.#fail(waiting, error)
    }
  }

  async #drop(pool: SequencePool): Promise<void> {
    this.#evaluatedBefore += pool.evaluated
    await pool.dispose()
  }

  #fail(jobs: Job[], error: unknown): void {
    for (const job of [...jobs]) {
      this.remove(job)
      job.onFailure(error)
    }
  }
}

/** Sizes of a sequence, in tokens, and numbers of sequences: few steps, so that pools are seldom replaced. */
const SIZES = [512, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 12288, 16384, 24576, 32768, 65536, 131072]
const WIDTHS = [2, 5, 8, 16, 24, 32, 48, 64, 128, 256]

const roundUp = (value: number, steps: number[]) => steps.find((step) => step >= value) ?? value

/** Sequences that a job can use now or when its prompt is read, without the one that reads. */
function wantedBy(job: Job): number {
  if (!job.pool) return job.width
  return job.open.has(job.reader) ? job.width - 1 : job.waiting.length
}

const holds = ({ tokens, length, promptLength }: Sequence, reader: Task) =>
  length >= reader.promptLength &&
  promptLength === reader.promptLength &&
  reader.tokens.every((token, i) => token === tokens[i])

/** Tokens at the beginning that two tasks share: whole chunks, or the whole prompt. */
function sharedPrefix(a: Task, b: Task): number {
  let shared = 0
  while (shared < a.promptLength && shared < b.logitsFrom && a.tokens[shared] === b.tokens[shared]) shared++
  return shared >= b.logitsFrom && a.promptLength === b.promptLength ? shared : shared - (shared % CHUNK)
}
