/** Training curves side by side: loss over steps, seconds or tokens, of several runs. */
import path from 'node:path'
import { DataError } from '../core/errors.ts'
import { drawChart } from '../lib/chart.ts'
import { readJsonl } from '../lib/jsonl.ts'
import { mean } from '../lib/statistics.ts'

export interface Point {
  step: number
  loss: number
  tokens?: number
  seconds?: number
}

export interface Curve {
  run: string
  points: Point[]
  heldOut: Point[]
}

export interface CurveSummary {
  run: string
  steps: number
  first_loss: number
  /** Mean of the last tenth of the steps, at least one. */
  last_loss: number
  best_held_out: number | null
  /** First step from which the loss stays within 5 % of its last value. */
  settled_at: number
  /** Mean absolute change from step to step over the last half: how steady it is. */
  roughness: number
}

/** Reads `metrics.jsonl` and, where it is there, `eval.jsonl` of each run's folder. @throws DataError, FileError */
export async function readCurves(folders: string[]): Promise<Curve[]> {
  return Promise.all(
    folders.map(async (folder) => ({
      run: path.basename(path.resolve(folder)),
      points: await readPoints(path.join(folder, 'metrics.jsonl')),
      heldOut: await readPoints(path.join(folder, 'eval.jsonl')).catch(() => []),
    })),
  )
}

async function readPoints(file: string): Promise<Point[]> {
  const points: Point[] = []
  for await (const { value, line } of readJsonl(file, { tornTail: 'skip' })) {
    const { step, loss, eval_loss: held, ...more } = value as Record<string, number | undefined>
    const found = loss ?? held
    if (step === undefined || found === undefined) {
      throw new DataError(file, line, 'expected `step` and `loss`, as `aft train` writes them')
    }
    points.push({ step, loss: found, tokens: more.tokens, seconds: more.seconds })
  }
  if (points.length === 0) throw new DataError(file, undefined, 'expected steps, got none')
  return points
}

/** Each curve in numbers. */
export function summariseCurve({ run, points, heldOut }: Curve): CurveSummary {
  const losses = points.map((p) => p.loss)
  const last = mean(losses.slice(-Math.max(1, Math.floor(losses.length / 10))))
  let settled = points.length - 1
  while (settled > 0 && Math.abs((losses[settled - 1] as number) - last) <= 0.05 * Math.abs(last)) settled--
  const half = losses.slice(Math.floor(losses.length / 2))
  const changes = half.slice(1).map((loss, i) => Math.abs(loss - (half[i] as number)))
  return {
    ...{ run, steps: points.at(-1)?.step ?? 0, first_loss: losses[0] as number, last_loss: last },
    best_held_out: heldOut.length > 0 ? Math.min(...heldOut.map((p) => p.loss)) : null,
    settled_at: points[settled]?.step ?? 0,
    roughness: changes.length > 0 ? mean(changes) : 0,
  }
}

/** Loss over steps, a colour a run; held-out losses as points. */
export function drawCurves(curves: Curve[]): Promise<string> {
  const values = curves.flatMap(({ run, points }) => points.map((p) => ({ run, ...p })))
  const held = curves.flatMap(({ run, heldOut }) => heldOut.map((p) => ({ run, ...p })))
  const encoding = {
    x: { field: 'step', type: 'quantitative' as const },
    y: { field: 'loss', type: 'quantitative' as const, scale: { zero: false } },
    color: { field: 'run', title: null, legend: { orient: 'top' as const } },
  }
  return drawChart(
    {
      width: 520,
      height: 260,
      layer: [
        { data: { values }, mark: { type: 'line', strokeWidth: 1.5 }, encoding },
        { data: { values: held }, mark: { type: 'point', filled: true, size: 50 }, encoding },
      ],
    },
    'Loss of each run over its steps',
  )
}
