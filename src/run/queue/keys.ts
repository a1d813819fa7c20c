/** What a queue keeps in Redis: keys, shapes and the scripts that change several keys at once. */
import { hash } from 'node:crypto'
import type { Redis } from 'ioredis'
import { z } from 'zod'
import { UsageError } from '../../core/provider/errors.ts'

/** BullMQ's name of the queue of a run. */
export const QUEUE = 'prompts'
/** The set of the names of all runs. */
export const RUNS = 'aft:runs'
/** A worker that was not heard of for so long counts as gone. */
export const SILENT_MS = 30_000

/** The keys of a run. The braces keep them on one node of a cluster. */
export interface RunKeys {
  /** Prefix of BullMQ's keys. */
  prefix: string
  /** What workers have to know: `RunMeta`. */
  meta: string
  /** A stream of the lines that workers made. The submitter takes them from it. */
  lines: string
  /** A hash of `WorkerState` by worker. */
  workers: string
  /** `SubmitterState`. */
  state: string
  /** Present for a day after the run has ended. */
  ended: string
  /** Until when an engine asked for no request. */
  pause(engine: string): string
  /** A list of the lines of a prompt that has not ended; after its end the word `end` and the place of the last line. */
  parts(job: string): string
  /** BullMQ's lock of a job: who holds it may write. It is internal to BullMQ: a test watches it. */
  lock(job: string): string
}

/** Makes the keys of a run. @throws UsageError for a name that is none */
export function keysOf(run: string): RunKeys {
  if (!/^[\w.-]{1,100}$/.test(run)) {
    throw new UsageError(
      `--run: expected letters, digits, "-", "_" and ".", at most 100, got "${run.slice(0, 120)}"`,
    )
  }
  const prefix = `{aft:${run}}`
  return {
    prefix,
    meta: `${prefix}:meta`,
    lines: `${prefix}:lines`,
    workers: `${prefix}:workers`,
    state: `${prefix}:state`,
    ended: `${prefix}:ended`,
    pause: (engine) => `${prefix}:pause:${hash('sha1', engine).slice(0, 16)}`,
    parts: (job) => `${prefix}:parts:${job}`,
    lock: (job) => `${prefix}:${QUEUE}:${job}:lock`,
  }
}

/** A prompt's id as BullMQ takes it: no colon, no number. */
export function jobOf(id: string): string {
  return /^[\w-]{1,64}$/.test(id) ? `p-${id}` : `h-${hash('sha1', id)}`
}

/** What workers have to know of a run, and whose run it is. Its other fields are those of its kind of work. */
export interface RunMeta {
  /** The first line of the journal. */
  header: object
  /** `HOST:PATH` of the journal. Only its submitter may use the run. */
  journal: string
}

/** Reads the meta of a run. @throws Error that says what was expected */
export function readMeta(text: string, place: string): RunMeta {
  const meta = JSON.parse(text) as Partial<RunMeta> | null
  if (typeof meta?.header !== 'object' || meta.header === null || typeof meta.journal !== 'string')
    throw new Error(`${place}: expected the header of a journal`)
  return meta as RunMeta
}

/** Changes if the meta of a run does. */
export function hashOf(meta: RunMeta): string {
  return hash('sha256', JSON.stringify(meta)).slice(0, 16)
}

const workerShape = z.object({
  host: z.string().max(200),
  pid: z.number(),
  /** Prompts that it works on at a time, at most. */
  active: z.number(),
  /** Prompts that it works on now. */
  running: z.number(),
  answered: z.number(),
  failed: z.number(),
  completions: z.number(),
  /** Completions per second, of the last seconds. */
  perSecond: z.number(),
  /** When it was last heard of, in milliseconds since 1970. */
  at: z.number(),
})
const stateShape = z.object({
  prompts: z.number(),
  answered: z.number(),
  failed: z.number(),
  degraded: z.number(),
  completions: z.number(),
  made: z.number(),
  madeNow: z.number(),
  inputTokens: z.number(),
  outputTokens: z.number(),
  cost: z.number().optional(),
  startedAt: z.number(),
  at: z.number(),
  outcome: z.string().max(40).optional(),
  /** Where the number of all completions is not known. */
  secondsLeft: z.number().optional(),
})

/** What a worker says of itself. */
export type WorkerState = z.infer<typeof workerShape>
/** What the submitter says of the run. */
export type SubmitterState = z.infer<typeof stateShape>
/** The counts among it. */
export type SubmitterCounts = Omit<SubmitterState, 'startedAt' | 'at' | 'outcome'>

/** Reads a state; undefined if it is none. */
export const readWorker = (text: string | null): WorkerState | undefined => readAs(workerShape, text)
/** Reads a state; undefined if it is none. */
export const readState = (text: string | null): SubmitterState | undefined => readAs(stateShape, text)

function readAs<T>(shape: z.ZodType<T>, text: string | null): T | undefined {
  try {
    return shape.parse(JSON.parse(text ?? ''))
  } catch {
    return undefined
  }
}

/** The places of two lines in a stream, in order. */
export function isAfter(a: string, b: string): boolean {
  const [msA = 0, seqA = 0] = a.split('-').map(Number)
  const [msB = 0, seqB = 0] = b.split('-').map(Number)
  return msA > msB || (msA === msB && seqA > seqB)
}

/** Seconds that the end of a prompt is remembered, so that a job that was added twice is not answered twice. */
const REMEMBERED_S = 3_600

/**
 * Takes lines of a prompt from the holder of its lock, and from no other: a worker that was taken over is not heard.
 * KEYS lock, lines, parts; ARGV token, `end` or `part`, lines. Returns 0 if the lock is another's.
 */
const RECORD = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
local at
for i = 3, #ARGV do at = redis.call('XADD', KEYS[2], '*', 'l', ARGV[i]) end
if ARGV[2] == 'end' then
  redis.call('DEL', KEYS[3])
  redis.call('RPUSH', KEYS[3], 'end ' .. at)
  redis.call('EXPIRE', KEYS[3], ${REMEMBERED_S})
else
  for i = 3, #ARGV do redis.call('RPUSH', KEYS[3], ARGV[i]) end
end
return 1`

/**
 * Prepares a prompt to be worked on. KEYS parts; ARGV the two numbers of the place up to which the submitter has read, then
 * the lines that its journal has. Returns 0 if the prompt has ended, and its end is still to be read.
 */
const PREPARE = `
local first = redis.call('LINDEX', KEYS[1], 0)
if first and string.sub(first, 1, 4) == 'end ' then
  local ms, seq = string.match(first, 'end (%d+)-(%d+)')
  local readMs, readSeq = tonumber(ARGV[1]), tonumber(ARGV[2])
  if tonumber(ms) > readMs or (tonumber(ms) == readMs and tonumber(seq) > readSeq) then return 0 end
  redis.call('DEL', KEYS[1])
  first = false
end
if not first then
  for i = 3, #ARGV do redis.call('RPUSH', KEYS[1], ARGV[i]) end
end
return 1`

/** Records lines of a prompt. False if this worker no longer holds the prompt. */
export async function recordLines(
  redis: Redis,
  { keys, job, token }: { keys: RunKeys; job: string; token: string },
  lines: string[],
  role: 'part' | 'end',
): Promise<boolean> {
  const done = await call(
    redis,
    'aftRecord',
    RECORD,
    [keys.lock(job), keys.lines, keys.parts(job)],
    [token, role, ...lines],
  )
  return done === 1
}

/** Prepares a prompt. False if its end is already in the stream. */
export async function prepareJob(
  redis: Redis,
  parts: string,
  cursor: string,
  lines: string[],
): Promise<boolean> {
  return (await call(redis, 'aftPrepare', PREPARE, [parts], [...cursor.split('-'), ...lines])) === 1
}

type Script = (...args: (string | number)[]) => Promise<unknown>

function call(redis: Redis, name: string, lua: string, keys: string[], args: string[]): Promise<unknown> {
  const known = redis as unknown as Record<string, Script | undefined>
  if (!known[name]) redis.defineCommand(name, { lua, numberOfKeys: keys.length })
  return (known[name] as Script)(...keys, ...args)
}
