/** Shortens rows that are too long: all proposals of a row are cut in the middle to one length. Completions stay whole. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createReadStream, writeFileSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import type { Message } from '../core/provider/engine.ts'
import { DataError } from '../core/provider/errors.ts'
import { findTrim, LEAST_CHARS, trimMiddle } from '../lib/text.ts'
import { trainerFolder } from './environment.ts'
import { environmentOf, TrainingError } from './launch.ts'

/** Options of shortening. */
export interface TrimOptions {
  python: string
  /** The files that the trainer reads. */
  config: string
  request: string
  /** File for the shortened messages. */
  out: string
  /** All files of rows, with the same names as in the request. */
  files: string[]
  /** Most tokens of a row. */
  maxLength: number
  isOffline: boolean
  isOnCpu: boolean
  signal: AbortSignal
}

/** The fields of a line of `train.jsonl` that shortening needs. */
export interface LongRow {
  prompt: Message[]
  completion: Message[]
  proposals?: { at?: number; span?: [number, number] }[]
}

interface Place {
  file: string
  line: number
  tokens: number
}

/** Exit code of `lengths.py` if it leaves the error to the preflight. */
const REFUSED = 3
const KEPT_CHARS = 1_000

/** Number of rows to shorten at the same time. */
const TOGETHER = 64

/**
 * Finds the rows that are longer than `maxLength`, and writes a line with the shortened message for each.
 * @returns the number of such rows
 * @throws DataError for a row that cannot be made to fit; after an abort, the signal's reason
 */
export async function trimRows(options: TrimOptions): Promise<number> {
  const { python, config, request, out, maxLength, signal } = options
  signal.throwIfAborted()
  const child = spawn(python, [path.join(trainerFolder, 'lengths.py'), config, request], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: environmentOf({ ...options, processes: 1 }),
  })
  const onAbort = () => void child.kill('SIGKILL')
  signal.addEventListener('abort', onAbort, { once: true })
  const counter = openCounter(child)
  try {
    const long = await counter.findLong()
    signal.throwIfAborted()
    const lines: string[] = []
    for await (const rows of inGroups(readLong(long, options.files))) {
      const shorter = await Promise.all(
        rows.map(async ({ place, row }) => {
          const text = await shorten(row, { ...place, maxLength, count: counter.count })
          return JSON.stringify({ place: `${place.file}:${place.line}`, text })
        }),
      )
      lines.push(...shorter)
    }
    writeFileSync(out, lines.map((line) => `${line}\n`).join(''))
    return lines.length
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', onAbort)
    child.stdin?.end()
    child.kill('SIGKILL')
  }
}

/**
 * Returns the text of the message that shows the row's proposals, with these cut so that the row has at most `maxLength` tokens.
 * @throws DataError if there is nothing to cut, or if cutting is not enough
 */
export async function shorten(
  { prompt, completion, proposals = [] }: LongRow,
  {
    file,
    line,
    tokens,
    maxLength,
    count,
  }: Place & { maxLength: number; count(m: Message[]): Promise<number> },
): Promise<string> {
  const refuse = (why: string) => {
    const advice = 'Raise max_length, or leave such rows out with --set too_long=drop'
    return new DataError(
      file,
      line,
      `has ${tokens} tokens, and max_length is ${maxLength}: ${why}. ${advice}`,
    )
  }
  const at = proposals[0]?.at ?? 0
  const shows = prompt[at]
  const spans = proposals.flatMap(({ span }) => (span ? [span] : []))
  if (proposals.length === 0) throw refuse('it has no proposals that could be cut')
  if (typeof shows?.content !== 'string' || spans.length < proposals.length) {
    throw refuse('it does not have the places of its proposals, so they cannot be cut; build the data again')
  }
  const text = shows.content
  const render = (limit: number) => replaceSpans(text, spans, (proposal) => trimMiddle(proposal, limit))
  const fits = async (limit: number) =>
    (await count([...prompt.with(at, { ...shows, content: render(limit) }), ...completion])) <= maxLength
  const limit = await findTrim(Math.max(...spans.map(([from, to]) => to - from)), fits)
  if (limit !== undefined && limit >= LEAST_CHARS) return render(limit)
  throw refuse(`it does not fit even if each proposal is cut to ${LEAST_CHARS} characters`)
}

function replaceSpans(text: string, spans: [number, number][], change: (part: string) => string): string {
  let at = 0
  const parts = spans.map(([from, to]) => {
    const before = text.slice(at, from)
    at = to
    return before + change(text.slice(from, to))
  })
  return parts.join('') + text.slice(at)
}

interface Waiting {
  messages: Message[]
  tell: (tokens: number) => void
  fail: (error: unknown) => void
}

/** Sends requests to `lengths.py`. Requests that come while it works on a line are sent together in the next line. */
function openCounter(child: ChildProcess) {
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]()
  const end = watchEnd(child)
  child.stdin?.on('error', () => {}) // the program has ended; reading the next line reports that
  let waiting: Waiting[] = []
  let isAsking = false
  const ask = async () => {
    if (isAsking) return
    isAsking = true
    while (waiting.length > 0) {
      const asked = waiting
      waiting = []
      try {
        child.stdin?.write(`${JSON.stringify(asked.map(({ messages }) => messages))}\n`)
        const { value, done } = await lines.next()
        if (done) throw await end.explain()
        for (const [i, tokens] of (JSON.parse(value) as number[]).entries()) asked[i]?.tell(tokens)
      } catch (error) {
        for (const { fail } of asked) fail(error)
      }
    }
    isAsking = false
  }
  return {
    findLong: () => readPlaces(lines, end),
    count(messages: Message[]): Promise<number> {
      return new Promise((tell, fail) => {
        waiting.push({ messages, tell, fail })
        void ask()
      })
    },
  }
}

interface End {
  /** Waits for the end and explains it. */
  explain(): Promise<TrainingError>
  /** True if the error is left to the preflight: Python does not run, or it rejects a row. */
  isForPreflight(): boolean
}

function watchEnd(child: ChildProcess): End {
  let said = ''
  child.stderr?.on('data', (text) => {
    said = `${said}${text}`.slice(-KEPT_CHARS)
  })
  let canRun = true
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve())
    child.once('error', () => {
      canRun = false
      resolve()
    })
  })
  return {
    async explain() {
      await ended
      const why = said.trim() || `Python ended by ${child.signalCode ?? `code ${child.exitCode}`}`
      return new TrainingError('other', `the lengths of the rows cannot be counted: ${why}`)
    },
    isForPreflight: () => !canRun || child.exitCode === REFUSED,
  }
}

/** Reads the places of rows that are too long, with their tokens; none if the error is left to the preflight. */
async function readPlaces(lines: AsyncIterator<string>, end: End): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  for (;;) {
    const { value, done } = await lines.next()
    if (done) {
      const error = await end.explain()
      if (end.isForPreflight()) return new Map()
      throw error
    }
    if (value === '') return found
    const { place, tokens } = JSON.parse(value) as { place: string; tokens: number }
    found.set(place, tokens)
  }
}

async function* readLong(long: Map<string, number>, files: string[]) {
  for (const file of files) {
    let line = 0
    for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
      line++
      const tokens = long.get(`${file}:${line}`)
      if (tokens !== undefined) yield { place: { file, line, tokens }, row: JSON.parse(text) as LongRow }
    }
  }
}

async function* inGroups<T>(items: AsyncIterable<T>): AsyncGenerator<T[]> {
  let group: T[] = []
  for await (const item of items) {
    group.push(item)
    if (group.length < TOGETHER) continue
    yield group
    group = []
  }
  if (group.length > 0) yield group
}
