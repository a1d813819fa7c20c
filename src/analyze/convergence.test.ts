import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import type { Loss } from '../files/training-metrics.ts'
import { type Curve, readCurves, summarizeCurve } from './convergence.ts'
import { compareGroups, summarizeGroup } from './convergence-groups.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'curves-'))
const write = (name: string, rows: object[]) => {
  mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
  writeFileSync(path.join(folder, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
}

/** The held-out loss starts at 4, is halved by step 10, is 0 by step 20, and then rises. */
const heldOut: Loss[] = [
  { step: 0, loss: 4, tokens: 0 },
  { step: 10, loss: 2, tokens: 100 },
  { step: 20, loss: 0, tokens: 300 },
  { step: 30, loss: 1, tokens: 400 },
]
const points = [3, 2, 4, 3].map((loss, i) => ({ step: i + 1, loss, gradNorm: [1, 2, 3, 2][i], tokens: i }))
const curve: Curve = { run: 'a', points, heldOut }

test('a run has the share of its improvement, and the steps at which 50 % and 90 % are reached', () => {
  const { figures, held_out: held, steps, tokens } = summarizeCurve(curve)
  expect({ steps, tokens }).toEqual({ steps: 4, tokens: 3 })
  expect(held.map(({ share }) => share)).toEqual([0, 0.5, 1, 0.75])
  expect(figures).toMatchObject({
    first_held_out: 4,
    last_held_out: 1,
    lowest_held_out: 0,
    improvement: 4,
    last_loss: 3,
    step_of_half: 10,
    tokens_of_half: 100,
    step_of_90_percent: 18,
  })
  expect(figures.tokens_of_90_percent).toBeCloseTo(260, 9)
})

test('a run has the spread of gradient norms and of changes in the loss', () => {
  const { figures } = summarizeCurve(curve)
  expect(figures.grad_norm_mean).toBe(2)
  expect(figures.grad_norm_deviation).toBeCloseTo(Math.sqrt(2 / 3), 12)
  expect(figures.grad_norm_variation).toBeCloseTo(Math.sqrt(2 / 3) / 2, 12)
  expect(figures.loss_change_mean).toBeCloseTo(4 / 3, 12) // 1, 2, 1
  expect(figures.loss_change_deviation).toBeCloseTo(Math.sqrt(1 / 3), 12)
})

test('a run that does not improve, or was not evaluated, has no share', () => {
  const worse = summarizeCurve({ ...curve, heldOut: heldOut.slice(2) })
  expect(worse.held_out.map(({ share }) => share)).toEqual([null, null])
  const bare = summarizeCurve({ run: 'b', points: points.slice(0, 1), heldOut: [] })
  expect(bare.figures).toMatchObject({ improvement: null, step_of_half: null, grad_norm_mean: null })
})

const shifted = (by: number, run: string) =>
  summarizeCurve({ run, points, heldOut: heldOut.map((point) => ({ ...point, loss: point.loss + by })) })

test('runs of a group give a mean with an interval over seeds, and two groups give paired differences', () => {
  const aft = summarizeGroup(
    'aft',
    [1, 2, 3].map((by) => shifted(by, `aft-${by}`)),
  )
  const sft = summarizeGroup(
    'sft',
    [2, 4, 6].map((by) => shifted(by, `sft-${by}`)),
  )
  expect(aft.figures.lowest_held_out?.mean).toBe(2)
  expect(aft.figures.lowest_held_out?.interval?.high).toBeCloseTo(2 + 2.4843, 3)
  expect(aft.held_out[1]).toMatchObject({ step: 10, tokens: 100, loss: { mean: 4, runs: 3 } })
  const [difference] = compareGroups([aft, sft])
  expect(difference).toMatchObject({ group: 'sft', beside: 'aft' })
  expect(difference?.figures.lowest_held_out).toMatchObject({ mean: 2, runs: 3 }) // 1, 2, 3
  expect(difference?.figures.improvement).toMatchObject({ mean: 0, interval: { low: 0, high: 0 } })
  expect(compareGroups([aft, summarizeGroup('one', [shifted(1, 'x')])])).toEqual([])
  expect(summarizeGroup('one', [shifted(1, 'x')]).figures.improvement).toMatchObject({ interval: null })
})

test('a step that one run of a group does not have is left out of all means', () => {
  const short = summarizeCurve({ run: 's', points, heldOut: heldOut.slice(0, 2) })
  expect(summarizeGroup('g', [short, shifted(0, 'l')]).held_out.map(({ step }) => step)).toEqual([0, 10])
})

test('folders are read; a folder without steps, or with a line without a loss, is refused', async () => {
  for (const name of ['x/run', 'y/run', 'z/other']) write(`${name}/metrics.jsonl`, points)
  write('x/run/eval.jsonl', heldOut)
  const at = (name: string) => path.join(folder, name)
  const curves = readCurves([at('x/run'), at('y/run'), at('z/other')])
  expect(curves.map(({ run }) => run)).toEqual([at('x/run'), at('y/run'), 'other'])
  expect(curves[0]).toMatchObject({ points, heldOut })
  write('broken/metrics.jsonl', [{ step: 1 }])
  expect(() => readCurves([at('broken')])).toThrow(/metrics.jsonl:1: expected `step` and `loss`/)
  write('empty/metrics.jsonl', [])
  expect(() => readCurves([at('empty')])).toThrow(/expected steps, got none/)
})
