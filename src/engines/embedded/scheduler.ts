/**
 * Decides what is evaluated next. All requests of an engine share its sequences: each turn writes one token of
 * every open completion in one batch, then reads a chunk of the prompts that wait. No sequence is idle while a
 * completion waits for one.
 */
import { CHUNK, Lane, MOST_PROMPTS, type Sequence, type Task } from './sequence-pool.ts'
import type { NativeModel } from './native.ts'
import type { CoreGauge } from './threads.ts'

/** A prompt and the completions that want to follow it. */
export interface Job {
  /** Reads the prompt. Its `onLogits` puts the completions that go on into `waiting`. */
  reader: Task
  /** Sequences that this job wants at most. */
  width: number
  /** Tokens of the prompt and the longest completion. */
  length: number
  /** Lower goes first; equals go as they came. */
  priority: number
  /** Completions that have their first token and no sequence yet. */
  waiting: Task[]
  /** What is open of the job: the reader until the prompt is read, then completions. */
  open: Set<Task>
  lane?: Lane
  /** Told when the machine failed; the job is gone then. */
  onFailure(error: unknown): void
}

export interface SchedulerOptions {
  /** Completions decoded at once, at most. */
  sequences: number
  /** Bytes that the cells of a lane may take. */
  memoryBytes: number
  contextLength: number
  /** Says how many threads are worth having. */
  cores: CoreGauge
}

export class Scheduler {
  readonly #model: NativeModel
  readonly #options: SchedulerOptions
  /** Those that take no new jobs are gone when their last completion ends; the last takes them. */
  #lanes: Lane[] = []
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
    return this.#lanes.reduce((sum, lane) => sum + lane.evaluated, this.#evaluatedBefore)
  }

  submit(job: Job): void {
    if (this.#closed) {
      job.onFailure(this.#closed.reason)
      return
    }
    const after = this.#jobs.findIndex(({ priority }) => priority > job.priority)
    this.#jobs.splice(after < 0 ? this.#jobs.length : after, 0, job)
    this.#running ??= this.#run()
  }

  /** Forgets a job. What is being evaluated now ends first, and goes nowhere. */
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
    for (const lane of this.#lanes.splice(0)) await lane.dispose()
  }

  async #run(): Promise<void> {
    // Requests made in the same turn of the event loop are seen together.
    await new Promise(setImmediate)
    if (this.evaluated > 0) this.#options.cores.resume()
    while (this.#jobs.length > 0 && !this.#closed) {
      try {
        await this.#turn()
      } catch (error) {
        // After an error nobody knows what the cells hold.
        this.#fail(this.#jobs, error)
        for (const lane of this.#lanes.splice(0)) await this.#drop(lane)
      }
    }
    this.#running = undefined
  }

  async #turn(): Promise<void> {
    this.#sweep()
    await this.#makeRoom()
    await this.#admit()
    const before = this.evaluated
    for (const lane of this.#lanes) {
      await lane.closeGaps(this.#free(lane))
      const ready = lane.ready()
      if (ready.length > 0) await lane.evaluate(ready)
      this.#sweep()
      const unread = lane.unread((task) => this.#jobs.findIndex((job) => job.open.has(task)))
      if (unread.length > 0) await lane.evaluate(unread)
    }
    if (this.evaluated === before) await new Promise(setImmediate)
  }

  /** Frees the sequences of tasks that have ended, and forgets jobs without any. */
  #sweep(): void {
    const open = new Set(this.#jobs.flatMap((job) => [...job.open]))
    for (const lane of this.#lanes)
      for (const sequence of lane.sequences)
        if (sequence.task && !open.has(sequence.task)) sequence.task = undefined
    this.#jobs = this.#jobs.filter((job) => job.open.size > 0)
  }

  /** Gives free sequences to jobs in their order: each keeps as many as it will want, also while it is read. */
  async #admit(): Promise<void> {
    const left = new Map(this.#lanes.map((lane) => [lane, lane.idle.length]))
    let reading = this.#jobs.filter((job) => job.open.has(job.reader) && job.lane).length
    for (const job of this.#jobs) {
      const lane = job.lane ?? this.#current
      if (!lane || lane.size < job.length) continue
      const granted = Math.min(left.get(lane) ?? 0, wantedBy(job))
      left.set(lane, (left.get(lane) ?? 0) - granted)
      if (job.lane) await this.#startWaiting(job, lane, granted)
      else if (granted > 0 && reading < MOST_PROMPTS && !this.#isBeingRead(job, lane)) {
        const free = this.#free(lane, job)
        if (free.length === 0) continue
        job.lane = lane
        await lane.place(job.reader, free)
        reading++
      }
    }
  }

  async #startWaiting(job: Job, lane: Lane, most: number): Promise<void> {
    for (let started = 0; started < most && job.waiting[0]; started++) {
      const free = this.#free(lane, job)
      if (free.length === 0) return
      await lane.place(job.waiting.shift() as Task, free)
    }
  }

  /** Whether a prompt that is being read now will soon have more of this one's beginning than is there yet. */
  #isBeingRead(job: Job, lane: Lane): boolean {
    const known = lane.reusable(job.reader)
    return this.#jobs.some(
      (other) =>
        other.lane === lane && other.open.has(other.reader) && beginning(other.reader, job.reader) > known,
    )
  }

  /** Idle sequences, less those that alone hold a prompt that others than `job` still need. */
  #free(lane: Lane, job?: Job): Sequence[] {
    const waiting = this.#jobs.filter(
      (other) => other !== job && other.lane === lane && other.waiting.length > 0,
    )
    const kept = waiting.map(({ reader }) => {
      const holders = lane.sequences.filter((sequence) => holds(sequence, reader))
      return holders.some(({ task }) => task) ? undefined : holders[0]
    })
    return lane.idle.filter((sequence) => !kept.includes(sequence))
  }

  get #current(): Lane | undefined {
    return this.#lanes.at(-1)
  }

  /** Opens a lane where the last one is too small for the jobs that wait, and closes those that are done. */
  async #makeRoom(): Promise<void> {
    const waiting = this.#jobs.filter((job) => !job.lane)
    const current = this.#current
    const wanted = waiting.length > 0 ? this.#plan(waiting) : undefined
    const isGrown =
      wanted && !(current && current.size >= wanted.need && current.sequences.length >= wanted.sequences)
    for (const lane of this.#lanes.slice()) {
      if (!lane.isIdle || (lane === current && !isGrown)) continue
      if (this.#jobs.some((job) => job.lane === lane)) continue
      this.#lanes.splice(this.#lanes.indexOf(lane), 1)
      await this.#drop(lane)
    }
    if (isGrown) await this.#openLane(wanted, waiting)
  }

  #plan(waiting: Job[]): { need: number; size: number; sequences: number } {
    const need = Math.max(...waiting.map((job) => job.length))
    const width = this.#jobs.reduce((sum, job) => sum + (job.lane ? job.open.size : job.width), 0)
    const size = Math.max(need, Math.min(this.#options.contextLength, roundUp(need, SIZES)))
    const fitting = Math.floor(this.#options.memoryBytes / (size * this.#model.bytesPerToken))
    const sequences = Math.max(1, Math.min(fitting, this.#options.sequences, roundUp(width, WIDTHS)))
    return { need, size, sequences }
  }

  async #openLane({ size, sequences }: { size: number; sequences: number }, waiting: Job[]): Promise<void> {
    const batchSize = Math.max(CHUNK * MOST_PROMPTS, sequences)
    try {
      const { native, dispose } = await this.#model.createContext({ sequences, size, batchSize })
      this.#lanes.push(new Lane(native, { sequences, size, dispose, cores: this.#options.cores }))
    } catch (error) {
      if (sequences > 1) await this.#openLane({ size, sequences: sequences >> 1 }, waiting)
      else this.#fail(waiting, error)
    }
  }

  async #drop(lane: Lane): Promise<void> {
    this.#evaluatedBefore += lane.evaluated
    await lane.dispose()
  }

  #fail(jobs: Job[], error: unknown): void {
    for (const job of [...jobs]) {
      this.remove(job)
      job.onFailure(error)
    }
  }
}

/** Sizes of a sequence, in tokens, and numbers of sequences: few of them, so that lanes seldom are replaced. */
const SIZES = [512, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 12288, 16384, 24576, 32768, 65536, 131072]
const WIDTHS = [1, 5, 8, 16, 24, 32, 48, 64, 128, 256]

const roundUp = (value: number, steps: number[]) => steps.find((step) => step >= value) ?? value

/** Sequences that a job has use for now or when its prompt is read, less the one that reads. */
function wantedBy(job: Job): number {
  if (!job.lane) return job.width
  return job.open.has(job.reader) ? job.width - 1 : job.waiting.length
}

const holds = ({ tokens, length, promptLength }: Sequence, reader: Task) =>
  length >= reader.promptLength &&
  promptLength === reader.promptLength &&
  reader.tokens.every((token, i) => token === tokens[i])

/** Leading whole chunks, or the whole prompt, that two tasks have in common. */
function beginning(a: Task, b: Task): number {
  let shared = 0
  while (shared < a.promptLength && shared < b.logitsFrom && a.tokens[shared] === b.tokens[shared]) shared++
  return shared >= b.logitsFrom && a.promptLength === b.promptLength ? shared : shared - (shared % CHUNK)
}
