/** One training run, from recipe and rows to weights and what was measured on the way. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { stringify } from 'yaml'
import { UsageError } from '../core/provider/errors.ts'
import { drawLoss } from '../report/training.ts'
import { type Base, type BaseOptions, hashFiles, prepareBase } from './base.ts'
import { runTrainer, type TrainerEvent } from './launch.ts'
import { openRunFolder, type RunFolder } from './output.ts'
import type { Recipe } from './recipe.ts'
import { trimRows } from './trim.ts'
import { renderTrlConfig } from './trl-config.ts'

export interface TrainOptions extends Omit<BaseOptions, 'onLine'> {
  recipe: Recipe
  /** What `aft data build` made. */
  data: string
  output: string
  resume: boolean
  onEvent: (event: TrainerEvent) => void
  onLine: (line: string) => void
}

export interface Trained {
  folder: RunFolder
  base: Base
  recipe: Recipe
  data: string
  dataSha256: string
  /** Of the last preflight; undefined where training had ended before. */
  preflight?: Extract<TrainerEvent, { event: 'preflight' }>
}

/**
 * Trains, and hands the folder, still locked, to `then`.
 * @throws UsageError, DataError for rows that are refused, TrainingError where training fails
 */
export async function train(options: TrainOptions, then: (trained: Trained) => Promise<void>): Promise<void> {
  const { recipe, data, output, resume, python, signal, onLine } = options
  const rows = findRows(data, recipe)
  const dataSha256 = await hashFiles([...rows.train, ...rows.evaluate])
  const { processes, gguf, licence, data: _, ...trained } = recipe
  const record = { pid: process.pid, recipe: trained, dataSha256, startedAt: new Date().toISOString() }
  const folder = await openRunFolder(output, record, { resume, onLine })
  try {
    const base = await prepareBase(recipe.base, options)
    let preflight: Trained['preflight']
    const onEvent = (event: TrainerEvent) => {
      if (event.event === 'preflight') {
        preflight = event
        writeFileSync(folder.file('preflight.json'), `${JSON.stringify(event, null, 2)}\n`)
      }
      options.onEvent(event)
    }
    writeFileSync(folder.file('recipe.yaml'), stringify({ ...recipe, data: path.resolve(data) }))
    if (!folder.isTrained) {
      const files = writeRequest(folder, { recipe, base, rows, data })
      const { isLocal: isOffline } = base
      const { processes, use_cpu: isOnCpu } = recipe
      if (recipe.overflow === 'trim') {
        const { config, request } = files
        const { max_length: maxLength } = recipe
        const all = { files: [...rows.train, ...rows.evaluate], out: folder.file('trimmed.jsonl'), maxLength }
        await trimRows({ ...all, python, config, request, isOffline, isOnCpu, signal })
      }
      await runTrainer({ ...files, python, processes, isOffline, isOnCpu, signal, onEvent })
      writeFileSync(folder.file('model/complete'), '')
    }
    preflight ??= readPreflight(folder)
    await drawLoss(folder)
    await then({ folder, base, recipe, data, dataSha256, preflight })
  } finally {
    folder.release()
  }
}

function readPreflight(folder: RunFolder): Trained['preflight'] {
  const file = folder.file('preflight.json')
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
}

interface RowFiles {
  train: string[]
  evaluate: string[]
}

/** The files of the rows that the recipe wants. */
function findRows(data: string, { rows, eval_steps }: Recipe): RowFiles {
  const folders = { aft: [''], sft: ['sft'], both: ['', 'sft'] }[rows]
  const list = (split: string) => folders.map((folder) => path.resolve(data, folder, `${split}.jsonl`))
  const files = { train: list('train'), evaluate: eval_steps === null ? [] : list('validation') }
  const missing = [...files.train, ...files.evaluate].find((file) => !existsSync(file))
  if (missing === undefined) return files
  const hint = rows === 'aft' ? '`aft data build` makes it' : '`aft data build --sft-twin` makes it'
  throw new UsageError(`${missing} is not there; ${hint}`)
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
    overflow: recipe.overflow,
    ...(recipe.overflow === 'trim' && { trimmed: path.join(output, 'trimmed.jsonl') }),
    ...rows,
    resumeFrom: folder.checkpoint && path.resolve(folder.checkpoint.path),
  }
  writeFileSync(files.request, `${JSON.stringify(request, null, 2)}\n`)
  return files
}
