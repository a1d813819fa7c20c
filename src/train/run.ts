/** Runs one training, from recipe and rows to weights and measurements. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { stringify } from 'yaml'
import { UsageError } from '../core/provider/errors.ts'
import { readMetrics } from '../files/training-metrics.ts'
import { type Base, type BaseOptions, hashFiles, prepareBase } from './base.ts'
import { runTrainer, type TrainerEvent } from './launch.ts'
import { openRunFolder, type RunFolder } from './output.ts'
import type { Recipe } from './recipe.ts'
import { trimRows } from './trim.ts'
import { renderTrlConfig } from './trl-config.ts'

/** Options of a training run. */
export interface TrainOptions extends Omit<BaseOptions, 'onLine'> {
  recipe: Recipe
  /** A data set, made by `aft data build`. */
  data: string
  output: string
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
  const rows = findRows(data, recipe)
  const dataSha256 = await hashFiles([...rows.train, ...rows.evaluate])
  const { processes, gguf, license, data: _, ...trained } = recipe
  const record = { pid: process.pid, recipe: trained, dataSha256, startedAt: new Date().toISOString() }
  const folder = await openRunFolder(output, record, { restart, onLine })
  try {
    if (folder.isFinished(gguf)) {
      const steps = readMetrics(folder.file('metrics.jsonl')).at(-1)?.step ?? 0
      onLine(`${output} has this run already, finished after ${steps} steps; --restart begins anew`)
      return
    }
    const base = await prepareBase(recipe.base, options)
    writeFileSync(folder.file('recipe.yaml'), stringify({ ...recipe, data: path.resolve(data) }))
    const made = folder.isTrained ? undefined : await runTraining(folder, base, rows, options)
    const preflight = made ?? readPreflight(folder)
    await then({ folder, base, recipe, data, dataSha256, preflight })
    folder.finish(gguf)
  } finally {
    folder.release()
  }
}

/** Runs the trainer to its end. Returns the result of the preflight. */
async function runTraining(
  folder: RunFolder,
  base: Base,
  rows: RowFiles,
  options: TrainOptions,
): Promise<Trained['preflight']> {
  const { recipe, data, python, signal, onLine } = options
  const files = writeRequest(folder, { recipe, base, rows, data })
  const { processes, use_cpu: isOnCpu, max_length: maxLength, too_long: tooLong } = recipe
  const how = { python, isOffline: base.isLocal, isOnCpu, signal }
  if (tooLong === 'trim') {
    const { config, request } = files
    const out = folder.file('trimmed.jsonl')
    await trimRows({ files: [...rows.train, ...rows.evaluate], out, maxLength, config, request, ...how })
  }
  let preflight: Trained['preflight']
  const onEvent = (event: TrainerEvent) => {
    if (event.event === 'preflight') {
      preflight = event
      writeFileSync(folder.file('preflight.json'), `${JSON.stringify(event, null, 2)}\n`)
    }
    options.onEvent(event)
  }
  await runTrainer({ ...files, ...how, processes, onEvent, onLine })
  writeFileSync(folder.file('model/complete'), '')
  return preflight
}

function readPreflight(folder: RunFolder): Trained['preflight'] {
  const file = folder.file('preflight.json')
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
}

interface RowFiles {
  train: string[]
  evaluate: string[]
}

/** Finds the files with the rows that the recipe asks for. */
function findRows(data: string, { rows, eval_steps }: Recipe): RowFiles {
  const folders = { aft: [''], sft: ['sft'], both: ['', 'sft'] }[rows]
  const list = (split: string) => folders.map((folder) => path.resolve(data, folder, `${split}.jsonl`))
  const files = { train: list('train'), evaluate: eval_steps === null ? [] : list('validation') }
  const missing = [...files.train, ...files.evaluate].find((file) => !existsSync(file))
  if (missing === undefined) return files
  const hint = rows === 'aft' ? '`aft data build` makes it' : '`aft data build --sft-twin` makes it'
  throw new UsageError(`${path.join(data, path.relative(data, missing))}: there is no such file; ${hint}`)
}

function writeRequest(
  folder: RunFolder,
  { recipe, base, rows, data }: { recipe: Recipe; base: Base; rows: RowFiles; data: string },
): { config: string; request: string; log: string } {
  const output = path.resolve(folder.path)
  const files = {
    config: folder.file('trl.yaml'),
    request: folder.file('request.json'),
    log: folder.file('train.log'),
  }
  const places = { model: base.model, data: path.resolve(data), output }
  writeFileSync(files.config, renderTrlConfig(recipe, places))
  const request = {
    output,
    lock: path.join(output, 'trainer.lock'),
    before: folder.before,
    processes: recipe.processes,
    too_long: recipe.too_long,
    ...(recipe.too_long === 'trim' && { trimmed: path.join(output, 'trimmed.jsonl') }),
    ...rows,
    resumeFrom: folder.checkpoint && path.resolve(folder.checkpoint.path),
  }
  writeFileSync(files.request, `${JSON.stringify(request, null, 2)}\n`)
  return files
}
