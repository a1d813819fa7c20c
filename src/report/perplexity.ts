/** Perplexities on a report's page: of several models over the same examples, by what they were shown. */

import type { PerplexityResult } from '../files/result-file.ts'
import { drawChart } from './chart.ts'
import type { ReportSection } from './page.ts'
import { nameModels, percent } from './texts.ts'

/** The sections of results with the same conditions. */
export async function perplexitySections(results: PerplexityResult[]): Promise<ReportSection[]> {
  const names = nameModels(results.map(({ model }) => model))
  const values = results.flatMap(({ conditions }, i) =>
    conditions.map(({ interval, ...condition }) => ({
      ...condition,
      ...interval,
      model: names[i] as string,
    })),
  )
  const beside = values.filter(({ difference }) => difference !== null)
  const first = results[0]?.conditions[0]?.condition ?? 'the first'
  const { n = 0, tokens = 0 } = results[0] ?? {}
  const y = {
    field: 'condition',
    type: 'nominal' as const,
    sort: null,
    title: null,
    axis: { labelLimit: 400 },
  }
  const color = {
    field: 'model',
    title: null,
    sort: null,
    legend: { orient: 'top' as const, columns: 2, labelLimit: 260 },
  }
  const common = {
    width: 240,
    height: { step: results.length > 1 ? 14 : 26 },
    encoding: { y, yOffset: { field: 'model', sort: null }, color },
  }
  const perplexities = await drawChart(
    {
      data: { values },
      ...common,
      mark: { type: 'point', filled: true, size: 60, opacity: 1 },
      encoding: {
        ...common.encoding,
        x: {
          field: 'perplexity',
          type: 'quantitative',
          scale: { type: 'log', nice: false, padding: 10 },
          axis: { tickCount: 5, format: '~r' },
        },
      },
    },
    'Perplexity of the targets by what was shown',
  )
  const differences = await drawChart(
    {
      data: { values: beside },
      ...common,
      layer: [
        {
          mark: { type: 'rule', strokeWidth: 2, opacity: 0.6 },
          encoding: {
            x: { field: 'low', type: 'quantitative', title: 'nats a token', axis: { tickCount: 5 } },
            x2: { field: 'high' },
          },
        },
        {
          mark: { type: 'point', filled: true, size: 60, opacity: 1 },
          encoding: { x: { field: 'difference', type: 'quantitative' } },
        },
      ],
    },
    `Difference to ${first}, in nats a token`,
  )
  return [
    {
      title: 'Perplexity by what was shown',
      text: `Of ${n} targets with ${tokens} tokens; lower is more expected.`,
      chart: perplexities,
      table: {
        head: ['model', 'shown', 'perplexity'],
        rows: values.map((v) => [v.model, v.condition, v.perplexity.toFixed(2)]),
      },
    },
    {
      title: `Beside ${first}`,
      text: 'Mean difference over examples, paired, in nats a token; left of 0 is more expected. The line is its 95 % interval.',
      chart: differences,
      table: {
        head: ['model', 'shown', 'nats a token', '95 %', 'lower on'],
        rows: beside.map((v) => [
          v.model,
          v.condition,
          (v.difference as number).toFixed(3),
          v.low === undefined || v.high === undefined ? '' : `${v.low.toFixed(3)} to ${v.high.toFixed(3)}`,
          v.lower === null ? '' : percent(v.lower),
        ]),
      },
    },
  ]
}
