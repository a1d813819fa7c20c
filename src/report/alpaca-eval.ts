/** AlpacaEval on a report's page: win rates of several systems, and their lengths, which raw rates depend on. */

import type { AlpacaEvalResult } from '../files/result-file.ts'
import { drawChart } from './chart.ts'
import type { ReportSection } from './page.ts'

/** Half of a 95 % interval, in standard errors. */
const REACH = 1.96

/** The sections of systems beside one baseline. */
export async function alpacaEvalSections(results: AlpacaEvalResult[]): Promise<ReportSection[]> {
  const values = results.flatMap((result) =>
    (
      [
        ['length-controlled', result.lc_win_rate, result.lc_standard_error],
        ['raw', result.win_rate, result.standard_error],
      ] as const
    ).map(([measure, rate, error]) => ({
      system: result.model,
      measure,
      rate,
      chars: result.mean_length_chars,
      low: Math.max(0, rate - REACH * error),
      high: Math.min(100, rate + REACH * error),
    })),
  )
  const baseline = results[0]?.baseline_mean_length_chars ?? 0
  const color = {
    field: 'measure',
    title: null,
    sort: null,
    legend: { orient: 'top' as const },
    scale: { range: ['#4f83c4', '#d08a3e'] },
  }
  const rule = { type: 'rule' as const, strokeWidth: 2, opacity: 0.6 }
  const point = { type: 'point' as const, filled: true, size: 60, opacity: 1 }
  const rates = await drawChart(
    {
      data: { values },
      width: 280,
      height: { step: 14 },
      encoding: {
        y: { field: 'system', type: 'nominal', sort: null, title: null, axis: { labelLimit: 400 } },
        yOffset: { field: 'measure', sort: null },
        color,
      },
      layer: [
        {
          mark: rule,
          encoding: {
            x: { field: 'low', type: 'quantitative', title: 'win rate, %', axis: { tickCount: 5 } },
            x2: { field: 'high' },
          },
        },
        { mark: point, encoding: { x: { field: 'rate', type: 'quantitative' } } },
      ],
    },
    'Win rates of each system with their intervals',
  )
  const lengths = await drawChart(
    {
      data: { values },
      width: 300,
      height: 220,
      encoding: {
        x: {
          field: 'chars',
          type: 'quantitative',
          title: 'mean length, characters',
          scale: { zero: false, padding: 30 },
        },
        color,
      },
      layer: [
        {
          data: { values: [{ chars: baseline }] },
          mark: { type: 'rule', color: 'currentColor', strokeDash: [4, 4], opacity: 0.5 },
          encoding: { x: { field: 'chars', type: 'quantitative' }, color: { value: 'currentColor' } },
        },
        {
          mark: rule,
          encoding: {
            y: { field: 'low', type: 'quantitative', title: 'win rate, %', scale: { zero: true } },
            y2: { field: 'high' },
          },
        },
        { mark: point, encoding: { y: { field: 'rate', type: 'quantitative' } } },
      ],
    },
    'Win rates over mean length',
  )
  return [
    {
      title: 'Win rates',
      text: 'The line is the 95 % interval: 1.96 standard errors each way.',
      chart: rates,
      table: rateTable(results),
    },
    {
      title: 'Win rates over length',
      text: `Much of a raw win rate is length. The dashed line is the baseline: ${Math.round(baseline)} characters.`,
      chart: lengths,
      table: {
        head: ['system', 'mean length', "the baseline's", 'win rate', 'length-controlled'],
        rows: results.map((r) => [
          r.model,
          Math.round(r.mean_length_chars),
          Math.round(r.baseline_mean_length_chars),
          r.win_rate.toFixed(2),
          r.lc_win_rate.toFixed(2),
        ]),
      },
    },
    { title: 'The systems', isWide: true, table: systemTable(results) },
  ]
}

const rate = (value: number, error: number) => `${value.toFixed(2)} ± ${error.toFixed(2)}`

function rateTable(results: AlpacaEvalResult[]) {
  return {
    head: ['system', 'win rate ± standard error', 'length-controlled', 'which'],
    rows: results.map((r) => [
      r.model,
      rate(r.win_rate, r.standard_error),
      rate(r.lc_win_rate, r.lc_standard_error),
      r.variant,
    ]),
  }
}

function systemTable(results: AlpacaEvalResult[]) {
  return {
    head: ['system', 'win rate', 'length-controlled', 'which', 'rows', 'mean length', 'judge', 'template'],
    rows: results.map((r) => [
      r.model,
      rate(r.win_rate, r.standard_error),
      rate(r.lc_win_rate, r.lc_standard_error),
      r.variant,
      r.n < r.asked ? `${r.n} of ${r.asked}` : r.n,
      Math.round(r.mean_length_chars),
      r.judge?.engine ?? (r.annotators.join(', ') || 'not named'),
      r.template ? `${r.template.id}, ${r.template.sha256.slice(0, 12)}` : 'not told',
    ]),
  }
}
