/** Summarizes a training run: how much and how steadily it improves on held-out rows, by steps and tokens. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { DataError, UsageError } from '../core/provider/errors.ts'
import { type Loss, readLosses } from '../files/training-metrics.ts'
import { mean, standardDeviation } from '../lib/statistics.ts'

/** The measurements of a training run. */
export interface Curve {
  run: string
  /** One per step. */
  points: Loss[]
  /** One per evaluation; step 0 is before training. */
  heldOut: Loss[]
}

/** Mean and standard deviation. `variation` is deviation divided by mean (null if the mean is 0). */
export interface Spread {
  mean: number
  deviation: number
  variation: number | null
}

/** The numbers of a run that groups are compared by; null if the run does not have one. */
export interface RunFigures {
  first_held_out: number | null
  last_held_out: number | null
  lowest_held_out: number | null
  /** First held-out loss minus the lowest. */
  improvement: number | null
  /** Step at which this share of the improvement is reached, on a straight line between two evaluations. */
  step_of_half: number | null
  step_of_90_percent: number | null
  tokens_of_half: number | null
  tokens_of_90_percent: number | null
  last_loss: number
  grad_norm_mean: number | null
  grad_norm_deviation: number | null
  grad_norm_variation: number | null
  /** Absolute changes of the training loss from step to step. */
  loss_change_mean: number | null
  loss_change_deviation: number | null
  loss_change_variation: number | null
}

/** One evaluation on held-out rows. */
export interface HeldOutPoint {
  step: number
  tokens: number | null
  loss: number
  /** Share (0 to 1) of the run's whole improvement that is reached here; below 0 if the loss is above the first. */
  share: number | null
}

/** A training run in numbers. */
export interface RunSummary {
  run: string
  steps: number
  tokens: number | null
  figures: RunFigures
  held_out: HeldOutPoint[]
}

/**
 * Reads `metrics.jsonl` and, if it exists, `eval.jsonl` of each run's folder.
 * @returns one curve per folder; a run's name is the folder's name, or its path if names repeat
 * @throws UsageError for a folder without metrics, DataError for a broken line
 */
export function readCurves(folders: string[]): Curve[] {
  const names = folders.map((folder) => path.basename(path.resolve(folder)))
  const isTwice = (name: string) => names.indexOf(name) !== names.lastIndexOf(name)
  return folders.map((folder, i) => {
    const name = names[i] as string
    const file = path.join(folder, 'metrics.jsonl')
    if (!existsSync(file))
      throw new UsageError(`${file}: there is no such file; give a folder that \`aft train\` wrote`)
    const points = readLosses(file)
    if (points.length === 0) throw new DataError(file, undefined, 'expected steps, got none')
    return {
      run: isTwice(name) ? folder : name,
      points,
      heldOut: readLosses(path.join(folder, 'eval.jsonl')),
    }
  })
}

/** Computes the numbers of one run. */
export function summarizeCurve({ run, points, heldOut }: Curve): RunSummary {
  const losses = points.map((p) => p.loss)
  const changes = spreadOf(losses.slice(1).map((loss, i) => Math.abs(loss - (losses[i] as number))))
  const norms = spreadOf(points.flatMap((p) => p.gradNorm ?? []))
  const held = shareImprovement(heldOut)
  const heldLosses = held.map((p) => p.loss)
  const [first = null, last = null] = [heldLosses[0], heldLosses.at(-1)]
  const lowest = held.length > 0 ? Math.min(...heldLosses) : null
  return {
    run,
    steps: points.at(-1)?.step ?? 0,
    tokens: points.at(-1)?.tokens ?? null,
    figures: {
      first_held_out: first,
      last_held_out: last,
      lowest_held_out: lowest,
      improvement: first !== null && lowest !== null ? first - lowest : null,
      step_of_half: reach(held, 0.5, 'step'),
      step_of_90_percent: reach(held, 0.9, 'step'),
      tokens_of_half: reach(held, 0.5, 'tokens'),
      tokens_of_90_percent: reach(held, 0.9, 'tokens'),
      last_loss: mean(losses.slice(-Math.max(1, Math.floor(losses.length / 10)))),
      grad_norm_mean: norms?.mean ?? null,
      grad_norm_deviation: norms?.deviation ?? null,
      grad_norm_variation: norms?.variation ?? null,
      loss_change_mean: changes?.mean ?? null,
      loss_change_deviation: changes?.deviation ?? null,
      loss_change_variation: changes?.variation ?? null,
    },
    held_out: held,
  }
}

function spreadOf(values: number[]): Spread | undefined {
  if (values.length < 2) return undefined
  const [middle, deviation] = [mean(values), standardDeviation(values)]
  return { mean: middle, deviation, variation: middle === 0 ? null : deviation / middle }
}

function shareImprovement(heldOut: Loss[]): HeldOutPoint[] {
  const first = heldOut[0]?.loss ?? 0
  const total = first - Math.min(...heldOut.map((p) => p.loss))
  return heldOut.map(({ step, loss, tokens }) => ({
    step,
    tokens: tokens ?? null,
    loss,
    share: total > 0 ? (first - loss) / total : null,
  }))
}

/** Finds the step or token count at which a share of the improvement is first reached. */
function reach(held: HeldOutPoint[], share: number, axis: 'step' | 'tokens'): number | null {
  const at = held.findIndex((point) => point.share !== null && point.share >= share)
  const [before, after] = [held[at - 1], held[at]]
  const [from, to] = [before?.[axis] ?? null, after?.[axis] ?? null]
  if (!before || !after || from === null || to === null) return null
  const [low, high] = [before.share as number, after.share as number]
  return from + ((to - from) * (share - low)) / (high - low)
}
