/** Perplexities on a report's page: several models on the same examples, by condition. */

import type { PerplexityResult } from '../files/result-kinds.ts'
import { drawChart } from './chart.ts'
import { intervalLayer, nameRows, pointLayer, pointMark, quantity } from './chart-parts.ts'
import type { ReportSection, ReportTable } from './page.ts'
import { nameModels, percent } from './texts.ts'

/** A model's perplexity in one condition. */
interface Scored {
  model: string
  condition: string
  perplexity: number
  /** Difference to the first condition, in nats per token; null in the first condition. */
  difference: number | null
  low?: number
  high?: number
  lower: number | null
}

/** Makes the sections of results with the same conditions. */
export async function perplexitySections(results: PerplexityResult[]): Promise<ReportSection[]> {
  const names = nameModels(results.map(({ model }) => model))
  const values = results.flatMap(({ conditions }, i) =>
    conditions.map(
      ({ interval, ...condition }): Scored => ({ ...condition, ...interval, model: names[i] as string }),
    ),
  )
  const beside = values.filter(({ difference }) => difference !== null)
  const first = results[0]?.conditions[0]?.condition ?? 'the first'
  const { n = 0, tokens = 0 } = results[0] ?? {}
  return [
    {
      title: 'Perplexity by what was shown',
      text: `Over ${n} targets with ${tokens} tokens. Lower means that the model expects the target more.`,
      chart: await drawPerplexities(values, results.length),
      table: {
        head: ['model', 'shown', 'perplexity'],
        rows: values.map((v) => [v.model, v.condition, v.perplexity.toFixed(2)]),
      },
    },
    {
      title: `Compared with ${first}`,
      text: 'Mean paired difference over examples, in nats per token. Left of 0 the target is more expected. Lines are 95 % intervals.',
      chart: await drawDifferences(beside, results.length, first),
      table: differenceTable(beside),
    },
  ]
}

/** Makes what both charts share: a row per condition, and a color per model. */
function frame(models: number) {
  const legend = models > 1 ? { orient: 'top' as const, columns: 2, labelLimit: 260 } : null
  return {
    width: 240,
    height: { step: models > 1 ? 14 : 26 },
    encoding: {
      y: nameRows('condition', 400),
      yOffset: { field: 'model', sort: null },
      color: { field: 'model', title: null, sort: null, legend },
    },
  }
}

function drawPerplexities(values: Scored[], models: number): Promise<string> {
  const { encoding, ...size } = frame(models)
  const x = quantity('perplexity', {
    scale: { type: 'log' as const, nice: false, padding: 10 },
    axis: { tickCount: 5, format: '~r' },
  })
  return drawChart(
    { data: { values }, ...size, mark: pointMark, encoding: { ...encoding, x } },
    'Perplexity of the targets by what was shown',
  )
}

function drawDifferences(values: Scored[], models: number, first: string): Promise<string> {
  return drawChart(
    {
      data: { values },
      ...frame(models),
      layer: [intervalLayer('nats per token', { tickCount: 5 }, { padding: 8 }), pointLayer('difference')],
    },
    `Difference to ${first}, in nats per token`,
  )
}

function differenceTable(values: Scored[]): ReportTable {
  return {
    head: ['model', 'shown', 'nats per token', '95 %', 'lower on'],
    rows: values.map((v) => [
      v.model,
      v.condition,
      (v.difference as number).toFixed(3),
      v.low === undefined || v.high === undefined ? '' : `${v.low.toFixed(3)} to ${v.high.toFixed(3)}`,
      v.lower === null ? '' : percent(v.lower),
    ]),
  }
}
