/** Plans a training: checks and counts the rows with the trainer's own tokenizer, in a temporary folder. */
import { mkdtempSync, rmSync, statfsSync, statSync } from 'node:fs'
import { tmpdir, totalmem } from 'node:os'
import path from 'node:path'
import { prepareBase } from './base.ts'
import { runTrainer } from './launch.ts'
import { type ModelSizes, planTraining, type RowSizes, type TrainingPlan } from './plan.ts'
import { findRows, type TrainOptions, trimIfWanted, writeRequest } from './run.ts'

/**
 * Plans a training. Nothing of the run's folder is changed.
 * @throws UsageError, DataError for rows that training would refuse
 */
export async function planRun(
  options: Omit<TrainOptions, 'restart' | 'onEvent'> & { tflops?: number },
): Promise<TrainingPlan> {
  const { recipe, data, python, signal, onLine, tflops } = options
  const rows = findRows(data, recipe)
  const base = await prepareBase(recipe.base, options)
  const temporary = mkdtempSync(path.join(tmpdir(), 'aft-plan-'))
  const folder = {
    path: temporary,
    file: (name: string) => path.join(temporary, name),
    before: { tokens: 0, seconds: 0 },
  }
  try {
    const request = { recipe, base, rows, data, more: { planOnly: true } }
    const files = writeRequest(folder, request)
    await trimIfWanted(folder, files, { ...request, python, signal })
    let sizes: RowSizes | undefined
    let model: ModelSizes | undefined
    await runTrainer({
      ...files,
      python,
      signal,
      processes: 1,
      isOffline: base.isLocal,
      isOnCpu: recipe.use_cpu,
      onLine,
      onEvent(event) {
        if (event.event === 'preflight') sizes = event
        if (event.event === 'plan') model = event
      },
    })
    if (!sizes || !model) throw new Error('the trainer ended without a plan')
    const machine = { memory: totalmem(), disk: freeBytes(options.output) }
    return planTraining(recipe, { model, rows: sizes, machine, tflops })
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}

/** Free bytes where a folder is, or will be. */
export function freeBytes(folder: string): number {
  let found = path.resolve(folder)
  while (!statSync(found, { throwIfNoEntry: false })) found = path.dirname(found)
  const { bavail, bsize } = statfsSync(found)
  return bavail * bsize
}
