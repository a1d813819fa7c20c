/** Draws the loss of a training run. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import type { TopLevelSpec } from 'vega-lite'
import { readLosses } from '../files/training-metrics.ts'
import { drawChart, PALETTE } from './chart.ts'

/** Writes `loss.svg` (over steps) and `loss-tokens.svg`: the loss per step, its running mean over a tenth, held-out loss. */
export async function drawLoss(folder: string): Promise<void> {
  const steps = readLosses(path.join(folder, 'metrics.jsonl'))
  if (steps.length === 0) return
  const span = Math.max(1, Math.round(steps.length / 20))
  const smooth = steps.map((metric, i) => {
    const near = steps.slice(Math.max(0, i - span), i + span + 1)
    return { ...metric, loss: near.reduce((sum, m) => sum + m.loss, 0) / near.length, series: MEAN }
  })
  const heldOut = readLosses(path.join(folder, 'eval.jsonl')).map((m) => ({ ...m, series: HELD_OUT }))
  const values = [...steps.map((m) => ({ ...m, series: STEP })), ...smooth, ...heldOut].map(
    ({ step, tokens, loss, series }) => ({ step, tokens, loss, series }),
  )
  for (const [x, name] of [
    ['step', 'loss.svg'],
    ['tokens', 'loss-tokens.svg'],
  ] as const) {
    const chart = await drawChart(specOf(x, values), `loss over ${x === 'step' ? 'steps' : x}`)
    writeFileSync(path.join(folder, name), chart)
  }
}

const [STEP, MEAN, HELD_OUT] = ['each step', 'running mean over steps', 'held-out rows']

function specOf(x: 'step' | 'tokens', values: object[]): TopLevelSpec {
  const series = {
    domain: [STEP, MEAN, HELD_OUT],
    range: ['#a8cbe0', PALETTE[0] as string, PALETTE[1] as string],
  }
  return {
    width: 560,
    height: 280,
    data: { values },
    mark: { type: 'line', point: false },
    encoding: {
      x: {
        field: x,
        type: 'quantitative',
        title: x === 'step' ? 'step' : 'tokens read',
        axis: { tickMinStep: 1 },
      },
      y: { field: 'loss', type: 'quantitative', title: 'loss (nats per token)', scale: { zero: false } },
      color: { field: 'series', type: 'nominal', scale: series, title: null },
    },
  }
}
