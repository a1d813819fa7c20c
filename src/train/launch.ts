/** Starts the trainer, reads its reports, and ends all of its processes. */
import { spawn } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { DataError, redact, UsageError } from '../core/provider/errors.ts'
import type { Metric } from '../files/training-metrics.ts'
import { toFileError } from '../lib/file-error.ts'
import { trainerFolder } from './environment.ts'

/** The error if training ends early. Its `code` says whether disk or memory was full. */
export class TrainingError extends Error {
  override name = 'TrainingError'
  readonly code: 'disk' | 'memory' | 'other'

  constructor(code: TrainingError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** A report of the trainer while it runs. */
export type TrainerEvent =
  | {
      event: 'preflight'
      rows: number
      evaluated: number
      tokens: number
      trained: number
      longest: number
      dropped: number
      /** Number of training rows whose proposals were cut. */
      trimmed?: number
      templateSha256: string
      warnings: string[]
    }
  | {
      event: 'plan'
      parameters: number
      /** Parameters that are trained. */
      trained: number
      layers: number
      /** Width of the layers, and of their inner part. */
      hidden: number
      inner: number
      vocabulary: number
      /** Memory of the smallest GPU; absent without one. */
      deviceBytes?: number
    }
  /** `lacksFsdp`: the recipe wants FSDP, and there is none. */
  | { event: 'start'; worldSize: number; device: string; lacksFsdp?: boolean }
  | ({ event: 'step'; maxSteps: number; gradNorm: number | null; reward?: number } & Required<
      Omit<Metric, 'gradNorm' | 'reward'>
    >)
  | { event: 'eval'; step: number; loss: number | null; tokens: number; seconds: number }
  | { event: 'checkpoint'; step: number }
  | { event: 'end'; step: number }
  | { event: 'refused'; problem: string; place?: string }
  | { event: 'failed'; kind: TrainingError['code']; message: string }

/** Options of a start of the trainer. */
export interface Launch {
  python: string
  /** The files that `train.py` reads. */
  config: string
  request: string
  /** Log file for everything that it prints. */
  log: string
  processes: number
  /** True if nothing may be downloaded. */
  isOffline: boolean
  isOnCpu: boolean
  signal: AbortSignal
  onEvent: (event: TrainerEvent) => void
  onLine: (line: string) => void
}

/** Time for the trainer to end before it is killed. */
const GRACE_MS = 4_000

/**
 * Runs the trainer to its end.
 * @throws DataError for a refused row, TrainingError if training fails; after an abort, the signal's reason
 */
export async function runTrainer(launch: Launch): Promise<void> {
  const { python, config, request, processes, signal, log } = launch
  signal.throwIfAborted()
  const script = [path.join(trainerFolder, 'train.py'), config, request]
  const torchrun = ['-m', 'torch.distributed.run', '--standalone', '--nproc_per_node', String(processes)]
  const child = spawn(python, processes > 1 ? [...torchrun, ...script] : script, {
    // A separate process group: Ctrl-C does not reach it, and `stop` does. The trainer ends when its standard input
    // closes. The system closes it when this process ends, even if it is killed.
    detached: process.platform !== 'win32',
    stdio: ['pipe', 'pipe', 'pipe'],
    env: environmentOf(launch),
  })
  const writeLog = openLog(log, launch.onLine)
  let last: TrainerEvent | undefined
  let spawnError: Error | undefined
  let listenerError: unknown
  const listen = (line: string) => {
    if (!line.startsWith('@aft ')) return writeLog(line)
    const event = readEvent(line.slice(5))
    if (!event) return writeLog(line)
    if (['refused', 'failed', 'end'].includes(event.event)) last = event
    try {
      launch.onEvent(event)
    } catch (error) {
      // An error here would end this process with a stack trace. It ends the trainer, and is thrown below.
      listenerError ??= error
      stop(child, ended)
    }
  }
  const ended = new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
    child.on('error', (error) => {
      spawnError = error
    })
    child.on('close', (code, name) => resolve([code, name]))
  })
  createInterface({ input: child.stdout }).on('line', listen)
  createInterface({ input: child.stderr }).on('line', writeLog)
  child.stdin.on('error', () => {})
  const onAbort = () => stop(child, ended)
  signal.addEventListener('abort', onAbort, { once: true })
  const [code, killedBy] = await ended
  signal.removeEventListener('abort', onAbort)
  signal.throwIfAborted()
  if (listenerError !== undefined) throw listenerError
  if (spawnError) throw new UsageError(`${python} does not run: ${spawnError.message}`)
  if (last?.event === 'end' && code === 0) return
  throw explain(last, code, killedBy, log)
}

/** The event of a report; undefined if the line is none. */
function readEvent(text: string): TrainerEvent | undefined {
  try {
    const event: unknown = JSON.parse(text)
    return typeof event === 'object' && event !== null && 'event' in event
      ? (event as TrainerEvent)
      : undefined
  } catch {
    return undefined
  }
}

/** Asks the whole process group to end, then kills it. Processes outside of the group end when standard input closes. */
async function stop(child: ReturnType<typeof spawn>, ended: Promise<unknown>): Promise<void> {
  const signalGroup = (name: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined && process.platform !== 'win32') process.kill(-child.pid, name)
      else child.kill(name)
    } catch {} // the process has ended
  }
  signalGroup('SIGTERM')
  child.stdin?.end()
  await Promise.race([ended, delay(GRACE_MS)])
  signalGroup('SIGKILL')
}

/** Makes the environment variables for the trainer and its helpers. */
export function environmentOf({
  processes,
  isOffline,
  isOnCpu,
}: Pick<Launch, 'processes' | 'isOffline' | 'isOnCpu'>): NodeJS.ProcessEnv {
  const threads = Math.max(1, Math.floor(availableParallelism() / processes))
  return {
    // With other work on the machine, threads that spin while they wait are five times slower.
    OMP_WAIT_POLICY: 'PASSIVE',
    OMP_NUM_THREADS: String(threads),
    // Logits take hundreds of megabytes per step. If each step returned them to the system, clearing pages would take half the time.
    ...(isOnCpu && { MALLOC_MMAP_MAX_: '0', MALLOC_TRIM_THRESHOLD_: String(2 ** 40) }),
    HF_HUB_DISABLE_TELEMETRY: '1',
    ...(isOffline && { HF_HUB_OFFLINE: '1' }),
    ...withoutSecrets(process.env, { isOffline }),
    PYTHONUNBUFFERED: '1',
    PYTHONDONTWRITEBYTECODE: '1',
  }
}

const SECRET = /(^|_)(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)(_|$)/i
/** What the trainer may need: the model hub's token if it downloads, and the keys of trackers. */
const TRACKER = /^(WANDB|COMET|MLFLOW|NEPTUNE|CLEARML|SWANLAB|TRACKIO)_/i
const NEEDED = new RegExp(`^(HF|HUGGING_?FACE)_|${TRACKER.source}`, 'i')

/** The environment without keys: a trainer reads data of others, and has no use for the keys of engines. */
export function withoutSecrets(
  env: NodeJS.ProcessEnv,
  { isOffline }: { isOffline: boolean },
): NodeJS.ProcessEnv {
  const isKept = (name: string) => !SECRET.test(name) || (isOffline ? TRACKER : NEEDED).test(name)
  return Object.fromEntries(Object.entries(env).filter(([name]) => isKept(name)))
}

/** Opens a log to append lines to. If writing fails, it reports that once, writes nothing more, and training continues. */
function openLog(file: string, onLine: (line: string) => void): (line: string) => void {
  let isBroken = false
  return (line) => {
    if (isBroken) return
    try {
      appendFileSync(file, `${redact(line)}\n`)
    } catch (error) {
      isBroken = true
      onLine(`warning: the log is not written: ${(toFileError(file, error) as Error).message}`)
    }
  }
}

function explain(
  last: TrainerEvent | undefined,
  code: number | null,
  killedBy: string | null,
  log: string,
): Error {
  if (last?.event === 'refused') {
    const [, file, line] = /^(.*):(\d+)$/.exec(last.place ?? '') ?? []
    return file === undefined ? new UsageError(last.problem) : new DataError(file, Number(line), last.problem)
  }
  const kind = last?.event === 'failed' ? last.kind : 'other'
  const message = last?.event === 'failed' ? last.message : ''
  if (kind === 'disk')
    return new TrainingError(
      kind,
      `the disk is full: ${message}. Make room, then run the same command to resume`,
    )
  if (kind === 'memory') {
    const advice =
      'Lower max_length or per_device_train_batch_size, set gradient_checkpointing, or use method: lora'
    return new TrainingError(kind, `out of memory: ${message.slice(0, 200)}. ${advice}`)
  }
  if (killedBy === 'SIGKILL' || code === 137 || code === -9) {
    const why = 'the system does so when memory runs out'
    return new TrainingError(
      'memory',
      `the trainer was killed (${why}). Run the same command to resume. See ${log}`,
    )
  }
  const how = killedBy ? `by ${killedBy}` : `with code ${code}`
  return new TrainingError(kind, `the trainer ended ${how}${message && `: ${message}`}. See ${log}`)
}
