/**
 * One native context and its sequences. A task occupies a sequence, has tokens evaluated there, and gets the logits it
 * asked for. Its tokens stay in the cache until the sequence is needed, for prompts with the same beginning.
 */
import type { NativeContext } from './native.ts'
import { type CoreGauge, decodeWithShare } from './threads.ts'

/** What occupies a sequence: a prompt being read, a completion being written, or a text being scored. */
export interface Task {
  /** All tokens; new ones are added at the end, and earlier ones never change. */
  tokens: number[]
  /** Tokens of the prompt at the beginning of `tokens`. */
  promptLength: number
  /** Logits are wanted from this position on. */
  logitsFrom: number
  /** Tokens evaluated for this task so far. */
  evaluated: number
  /** Gets the rows of logits just evaluated, of consecutive positions from `position`. */
  onLogits(context: NativeContext, rows: Uint32Array, position: number): Promise<void>
}

/** One sequence of the native context, and what its cache holds. */
export interface Sequence {
  readonly id: number
  /** Its cells hold the first `length` of `tokens`; the first `promptLength` of them were read as a prompt. */
  tokens: readonly number[]
  length: number
  promptLength: number
  task?: Task | undefined
}

/** Prompts are read in whole chunks of so many tokens, and their last part alone. */
export const CHUNK = 64
/**
 * Chunks that are read in one batch, of one prompt or of several: four together take a quarter less time than one by one.
 * An abort waits for at most one batch.
 */
export const MAX_CHUNKS = 4

/** Behind fewer tokens the library does not split keys: it looks at 256 cells at a time, and at 512 or more it splits. */
const FEWEST_SPLIT = 256

/** What a pool is made of. */
export interface PoolOptions {
  sequences: number
  /** Tokens per sequence. */
  size: number
  dispose: () => Promise<void>
  cores: CoreGauge
  /** Whether the library splits the keys of a token that is decoded alone between its threads. */
  splitsKeys: boolean
}

/** The sequences of one native context. A class because it must be disposed of. */
export class SequencePool {
  readonly size: number
  readonly sequences: Sequence[]
  /** Tokens evaluated, of prompts and completions. */
  evaluated = 0
  readonly #native: NativeContext
  readonly #threads: number
  readonly #cores: CoreGauge
  readonly #splitsKeys: boolean
  readonly dispose: () => Promise<void>

  constructor(native: NativeContext, options: PoolOptions) {
    const { sequences, size, dispose, cores, splitsKeys } = options
    this.#native = native
    this.#splitsKeys = splitsKeys
    this.#threads = native.getThreads()
    this.#cores = cores
    this.size = size
    this.dispose = dispose
    this.sequences = Array.from({ length: sequences }, (_, id) => ({
      id,
      tokens: [],
      length: 0,
      promptLength: 0,
    }))
  }

  /** Sequences without a task. */
  get idle(): Sequence[] {
    return this.sequences.filter((sequence) => !sequence.task)
  }

  /** Whether no sequence has a task. */
  get isIdle(): boolean {
    return this.sequences.every((sequence) => !sequence.task)
  }

  /** Leading tokens of a task that some sequence holds, evaluated as the task itself would. */
  reusable(task: Task): number {
    return mostShared(this.sequences, task)[1]
  }

  /** Puts a task on one of `free` (at least one), and reuses as much of its beginning as some sequence holds. */
  async place(task: Task, free: Sequence[]): Promise<Sequence> {
    const [source, shared] = mostShared(this.sequences, task)
    let [place, kept] = mostShared(free, task)
    if (shared - kept > copyCost(task, this.size)) {
      place = free[0] as Sequence
      await this.#copy(source, place)
      kept = shared
    }
    this.#truncate(place, kept)
    place.tokens = task.tokens
    place.promptLength = task.promptLength
    place.task = task
    return place
  }

  /**
   * Moves tasks so that those with one token to evaluate are neighbors: at each gap between sequence numbers the
   * library splits the batch and reads the weights once more. Prompts that are read go behind them.
   * @param free sequences whose cells nobody needs
   */
  async closeGaps(free: Sequence[]): Promise<void> {
    const usable = new Set(free)
    for (;;) {
      const [first, last] = [this.ready().at(0), this.ready().at(-1)]
      if (!first || !last) return
      const between = this.sequences.slice(first.id + 1, last.id)
      const gap = between.find((sequence) => usable.has(sequence) || isUnstarted(sequence))
      if (gap) {
        await this.#exchange(last, gap)
        usable.delete(gap)
        if (!last.task) usable.add(last)
        continue
      }
      const reading = between.find((sequence) => remaining(sequence) > 1)
      const behind = this.sequences.findLast((sequence) => sequence.id > last.id && usable.has(sequence))
      if (!reading || !behind) return
      await this.#exchange(reading, behind)
      usable.delete(behind)
      usable.add(reading)
    }
  }

  /** Moves the task of `source` with its cells to `target`, and what `target` had, a prompt not yet begun, to `source`. */
  async #exchange(source: Sequence, target: Sequence): Promise<void> {
    const unstarted = target.task
    await this.#copy(source, target)
    target.task = source.task
    source.task = unstarted
    if (!unstarted) return
    this.#truncate(source, 0)
    source.tokens = unstarted.tokens
    source.promptLength = unstarted.promptLength
  }

  /** Sequences whose task has one token to evaluate. */
  ready(): Sequence[] {
    return this.sequences.filter((sequence) => remaining(sequence) === 1)
  }

  /**
   * The next prompts to read, and how many chunks of each: whole chunks in one batch, the last part of a prompt alone, for
   * the same numbers each time.
   */
  unread(order: (task: Task) => number): { sequences: Sequence[]; chunks: number } {
    const isUnread = (sequence: Sequence) => remaining(sequence) > 1
    const next = this.sequences.filter(isUnread).sort((a, b) => order(a.task as Task) - order(b.task as Task))
    if (next[0] && chunkOf(next[0]) < CHUNK) return { sequences: [next[0]], chunks: 1 }
    const sequences = next.filter((sequence) => chunkOf(sequence) === CHUNK).slice(0, MAX_CHUNKS)
    // As many of each: the library would split an uneven batch.
    const chunks = Math.min(Math.floor(MAX_CHUNKS / sequences.length), ...sequences.map(wholeChunks))
    return { sequences, chunks }
  }

  /** Evaluates so many chunks of each sequence's task, or its one token, in one batch. */
  async evaluate(sequences: Sequence[], chunks = 1): Promise<void> {
    let parts: Part[] = []
    let rows: Uint32Array[] = []
    await decodeWithShare(this.#cores, async (free) => {
      const most = Math.min(this.#threads, free)
      const { company, threads } = this.#chooseCompany(sequences, most)
      parts = [...sequences, ...company].sort((a, b) => a.id - b.id).map((of) => partOf(of, chunks))
      this.#native.initBatch(parts.reduce((sum, { tokens }) => sum + tokens.length, 0))
      rows = parts.map(({ sequence: { id, length }, tokens, logitsAt }) =>
        this.#native.addToBatch(id, length, tokens, logitsAt),
      )
      if (this.#threads > 1) this.#native.setThreads(threads)
      await this.#native.decodeBatch()
      for (const sequence of company) this.#truncate(sequence, sequence.length++)
    })
    const given = parts.map(async ({ sequence, tokens }, i) => {
      const { task } = sequence
      if (!task) return
      sequence.length += tokens.length
      task.evaluated += tokens.length
      this.evaluated += tokens.length
      const wanted = rows[i] as Uint32Array
      if (wanted.length > 0) await task.onLogits(this.#native, wanted, sequence.length - wanted.length)
    })
    await Promise.all(given)
  }

  /**
   * The library splits the keys of a token that is decoded alone between its threads, so its logits would depend on the
   * load of the machine. In company it does not: a token is added to an idle neighbor, and removed again.
   */
  #chooseCompany(sequences: Sequence[], most: number): { company: Sequence[]; threads: number } {
    const [alone] = sequences
    const isSplit = this.#splitsKeys && most > 1 && sequences.length === 1 && this.sequences.length > 1
    if (!alone || !isSplit || alone.length < FEWEST_SPLIT || chunkOf(alone) > 1)
      return { company: [], threads: most }
    const { id } = alone
    const neighbors = [this.sequences[id + 1], this.sequences[id - 1]]
    const company = neighbors.filter((other) => other && !other.task).slice(0, 1) as Sequence[]
    return { company, threads: company.length > 0 ? most : 1 }
  }

  async #copy(source: Sequence, target: Sequence): Promise<void> {
    await this.#native.copySequenceStateFromOtherSequence(target.id, source.id)
    const { tokens, length, promptLength } = source
    Object.assign(target, { tokens, length, promptLength })
  }

  #truncate(sequence: Sequence, length: number): void {
    if (sequence.length > length && !this.#native.removeTokenCellsFromSequence(sequence.id, length, -1)) {
      // Recurrent models keep no cells to cut: their state is all or nothing.
      this.#native.removeTokenCellsFromSequence(sequence.id, -1, -1)
      length = 0
    }
    sequence.length = length
  }
}

/** What one sequence adds to a batch. */
interface Part {
  sequence: Sequence
  tokens: Uint32Array
  /** Offsets into `tokens`. */
  logitsAt: Uint32Array
}

/** The next chunks of a sequence's task, or its one token. Without a task it is one token that nobody reads. */
function partOf(sequence: Sequence, chunks: number): Part {
  const { task, length } = sequence
  if (!task) return { sequence, tokens: Uint32Array.of(0), logitsAt: new Uint32Array() }
  const count = chunks > 1 ? chunks * CHUNK : chunkOf(sequence)
  const from = Math.max(0, task.logitsFrom - length)
  const logitsAt = Uint32Array.from({ length: Math.max(0, count - from) }, (_, i) => from + i)
  return { sequence, tokens: Uint32Array.from(task.tokens.slice(length, length + count)), logitsAt }
}

const remaining = ({ task, length }: Sequence) => (task ? task.tokens.length - length : 0)

/** The size of the next chunk. Chunks end at multiples of CHUNK, so that results do not depend on where a task begins. */
function chunkOf(sequence: Sequence): number {
  const { length, task } = sequence
  if (!task) return 0
  const isPrompt = length < task.promptLength
  return Math.min((isPrompt ? task.promptLength : task.tokens.length) - length, CHUNK - (length % CHUNK))
}

/** Whole chunks that are left of a prompt; of a text that is scored they are read one by one, for their many logits. */
function wholeChunks({ length, task }: Sequence): number {
  return task ? Math.max(1, Math.floor((task.promptLength - length) / CHUNK)) : 0
}

/** Whether it has a prompt of which nothing is read. */
const isUnstarted = (sequence: Sequence) => sequence.length === 0 && remaining(sequence) > 1

/**
 * How many of a task's first tokens a sequence holds, evaluated in the same chunks as the task itself would. A
 * completion needs all of its prompt; a task that reads a prompt needs the logits of the end again.
 */
function sharedLength({ tokens, length, promptLength }: Sequence, task: Task): number {
  const most = Math.min(length, promptLength, task.promptLength)
  let shared = 0
  while (shared < most && tokens[shared] === task.tokens[shared]) shared++
  const isWhole = shared === promptLength && shared === task.promptLength
  if (isWhole && task.logitsFrom >= shared) return shared
  // Two tokens of the end: one alone may be computed in another way, with other results.
  const end = shared - Math.min(2, shared % CHUNK)
  if (isWhole && end % CHUNK > 0 && end <= task.logitsFrom) return end
  const usable = Math.min(shared, task.logitsFrom)
  return usable - (usable % CHUNK)
}

/** The first sequence that holds most of a task's beginning, and how many tokens that is. */
function mostShared(sequences: Sequence[], task: Task): [sequence: Sequence, length: number] {
  const lengths = sequences.map((sequence) => sharedLength(sequence, task))
  const most = Math.max(...lengths)
  return [sequences[lengths.indexOf(most)] as Sequence, most]
}

/** Up to this many tokens, reading again is faster than a copy, which copies all memory of a sequence. */
function copyCost({ logitsFrom, promptLength }: Task, size: number): number {
  const isCompletion = logitsFrom >= promptLength
  return isCompletion ? 0 : Math.min(CHUNK, size / 128)
}
