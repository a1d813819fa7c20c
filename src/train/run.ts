/** Runs one training, from recipe and rows to weights and measurements. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { stringify } from 'yaml'
import { UsageError } from '../core/provider/errors.ts'
import { listShards } from '../files/list-shards.ts'
import { readMetrics } from '../files/training-metrics.ts'
import { writeWhole } from '../lib/write-whole.ts'
import { type Base, type BaseOptions, hashFiles, prepareBase } from './base.ts'
import { runTrainer, type TrainerEvent } from './launch.ts'
import { openRunFolder, type RunFolder, type RunRecord } from './output.ts'
import type { Recipe } from './recipe.ts'
import { trimRows } from './trim.ts'
import { renderTrlConfig } from './trl-config.ts'

/** Options of a training run. */
export interface TrainOptions extends Omit<BaseOptions, 'onLine'> {
  recipe: Recipe
  /** A data set, made by `aft data build`. */
  data: string
  output: string
  /** Python file with a function `reward(text, target, prompt)`, for `objective: grpo`; it wins over the recipe's. */
  reward?: string
  /** Moves an earlier run in the folder aside and begins anew. */
  restart?: boolean
  onEvent: (event: TrainerEvent) => void
  onLine: (line: string) => void
}

/** A run whose training has ended. */
export interface Trained {
  folder: RunFolder
  base: Base
  recipe: Recipe
  data: string
  dataSha256: string
  /** Result of the last preflight; undefined if training ended earlier and left none. */
  preflight?: Extract<TrainerEvent, { event: 'preflight' }>
}

/**
 * Trains, and then calls `then` while the folder is still locked. If the run is finished already, it only says so.
 * @throws UsageError, DataError for rows that are refused, TrainingError if training fails
 */
export async function train(options: TrainOptions, then: (trained: Trained) => Promise<void>): Promise<void> {
  const { recipe, data, output, restart, onLine } = options
  const { gguf } = recipe
  const rows = findRows(data, recipe)
  const dataSha256 = await hashFiles([...rows.train, ...rows.evaluate])
  const folder = await openRunFolder(output, recordOf(recipe, dataSha256), { restart, onLine })
  try {
    if (folder.isFinished(gguf)) {
      const steps = readMetrics(folder.file('metrics.jsonl')).at(-1)?.step ?? 0
      onLine(`${output} has this run already, finished after ${steps} steps; --restart begins anew`)
      return
    }
    const base = await prepareBase(recipe.base, options)
    writeWhole(folder.file('recipe.yaml'), stringify({ ...recipe, data: path.resolve(data) }))
    const made = folder.isTrained ? undefined : await runTraining(folder, base, rows, options)
    const preflight = made ?? readPreflight(folder)
    await then({ folder, base, recipe, data, dataSha256, preflight })
    folder.finish(gguf)
  } finally {
    folder.release()
  }
}

/** The record of a run that begins now. */
export function recordOf(recipe: Recipe, dataSha256: string): RunRecord {
  const { processes, gguf, license, data: _, ...trained } = recipe
  const rowsPerUpdate = processes * recipe.per_device_train_batch_size * recipe.gradient_accumulation_steps
  const startedAt = new Date().toISOString()
  return { pid: process.pid, recipe: trained, dataSha256, rowsPerUpdate, startedAt }
}

/**
 * Keeps the number of rows per update if a run resumes with another number of processes.
 * @throws UsageError if these processes cannot make updates of so many rows
 */
export function keepBatch(recipe: Recipe, rowsPerUpdate: number): Recipe {
  const { processes, per_device_train_batch_size: batch } = recipe
  const passes = rowsPerUpdate / (processes * batch)
  if (Number.isInteger(passes)) return { ...recipe, gradient_accumulation_steps: passes }
  throw new UsageError(
    `an update of this run has ${rowsPerUpdate} rows, and ${processes} processes with ${batch} rows each cannot make it: ` +
      `expected a number of processes that divides ${rowsPerUpdate / batch}`,
  )
}

/** Runs the trainer to its end. Returns the result of the preflight. */
async function runTraining(
  folder: RunFolder,
  base: Base,
  rows: RowFiles,
  options: TrainOptions,
): Promise<Trained['preflight']> {
  const { data, python, signal, onLine } = options
  const recipe = keepBatch(options.recipe, folder.rowsPerUpdate)
  const more = options.reward === undefined ? {} : { reward: path.resolve(options.reward) }
  const files = writeRequest(folder, { recipe, base, rows, data, more })
  const { processes, use_cpu: isOnCpu } = recipe
  const how = { python, isOffline: base.isLocal, isOnCpu, signal }
  await trimIfWanted(folder, files, { recipe, base, rows, data, python, signal })
  let preflight: Trained['preflight']
  const onEvent = (event: TrainerEvent) => {
    if (event.event === 'preflight') {
      preflight = event
      writeWhole(folder.file('preflight.json'), `${JSON.stringify(event, null, 2)}\n`)
    }
    options.onEvent(event)
  }
  await runTrainer({ ...files, ...how, processes, onEvent, onLine })
  writeWhole(folder.file('model/complete'), '')
  return preflight
}

function readPreflight(folder: RunFolder): Trained['preflight'] {
  const file = folder.file('preflight.json')
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
}

/** The files of the rows, by what they are for. */
export interface RowFiles {
  train: string[]
  evaluate: string[]
}

/** Finds the files with the rows that the recipe asks for. */
export function findRows(data: string, { rows, eval_steps }: Recipe): RowFiles {
  const folders = { aft: [''], sft: ['sft'], both: ['', 'sft'] }[rows]
  const list = (split: string) =>
    folders.flatMap((folder) => {
      const shards = listShards(path.resolve(data), path.join(folder, `${split}.jsonl`))
      return shards.length > 0 ? shards : [path.resolve(data, folder, `${split}.jsonl`)]
    })
  const files = { train: list('train'), evaluate: eval_steps === null ? [] : list('validation') }
  const missing = [...files.train, ...files.evaluate].find((file) => !existsSync(file))
  if (missing === undefined) return files
  const hint = rows === 'aft' ? '`aft data build` makes it' : '`aft data build --sft-twin` makes it'
  throw new UsageError(`${path.join(data, path.relative(data, missing))}: there is no such file; ${hint}`)
}

/** A folder for the files of the trainer. */
type TrainerFolder = Pick<RunFolder, 'path' | 'file' | 'before' | 'checkpoint'>

/** What the trainer is asked to do. */
interface Request {
  recipe: Recipe
  base: Base
  rows: RowFiles
  data: string
  /** Fields of the request that only some runs have. */
  more?: Record<string, unknown>
}

/** What the trainer needs for GRPO: the reward, and what the rows are checked with, which GRPO's own arguments lack. */
function toGrpoRequest({ reward = 'answer', max_length, chat_template_path, eos_token }: Recipe) {
  const checks = { max_length, chat_template_path: chat_template_path ?? null, eos_token: eos_token ?? null }
  return { objective: 'grpo', reward, checks }
}

/** Writes the files that `train.py` reads. */
export function writeRequest(
  folder: TrainerFolder,
  { recipe, base, rows, data, more }: Request,
): { config: string; request: string; log: string } {
  const output = path.resolve(folder.path)
  const files = {
    config: folder.file('trl.yaml'),
    request: folder.file('request.json'),
    log: folder.file('train.log'),
  }
  const places = { model: base.model, data: path.resolve(data), output }
  writeWhole(files.config, renderTrlConfig(recipe, places))
  const request = {
    output,
    lock: path.join(output, 'trainer.lock'),
    before: folder.before,
    processes: recipe.processes,
    too_long: recipe.too_long,
    stopAtLoss: recipe.stop_at_loss,
    matmulPrecision: recipe.matmul_precision,
    ...(recipe.objective === 'grpo' && toGrpoRequest(recipe)),
    ...(recipe.too_long === 'trim' && { trimmed: path.join(output, 'trimmed.jsonl') }),
    ...rows,
    resumeFrom: folder.checkpoint && path.resolve(folder.checkpoint.path),
    ...more,
  }
  writeWhole(files.request, `${JSON.stringify(request, null, 2)}\n`)
  return files
}

/** Shortens rows before the trainer reads them, if the recipe wants that. */
export async function trimIfWanted(
  folder: TrainerFolder,
  files: { config: string; request: string },
  { recipe, rows, base, python, signal }: Request & Pick<TrainOptions, 'python' | 'signal'>,
): Promise<void> {
  if (recipe.too_long !== 'trim') return
  const how = { python, isOffline: base.isLocal, isOnCpu: recipe.use_cpu, signal }
  const out = folder.file('trimmed.jsonl')
  const { config, request } = files
  const { max_length: maxLength } = recipe
  await trimRows({ files: [...rows.train, ...rows.evaluate], out, maxLength, config, request, ...how })
}
