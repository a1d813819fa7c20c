/** AlpacaEval on a report's page: win rates of several systems, and their lengths, because raw rates depend on length. */

import type { AlpacaEvalResult } from '../files/result-kinds.ts'
import { drawChart } from './chart.ts'
import {
  intervalLayer,
  intervalMark,
  nameRows,
  pairOfColors,
  pointLayer,
  pointMark,
  quantity,
} from './chart-parts.ts'
import type { ReportSection, ReportTable } from './page.ts'
import { rateInterval } from './rate-interval.ts'

/** Half of a 95 % interval, in standard errors. */

/** A system's rate by one measure, in percent. */
interface Rate {
  system: string
  measure: 'length-controlled' | 'raw'
  rate: number
  chars: number
  low: number
  high: number
}

/** Makes the sections of systems that are compared with the same baseline. */
export async function alpacaEvalSections(results: AlpacaEvalResult[]): Promise<ReportSection[]> {
  const rates = results.flatMap(ratesOf)
  const baselineChars = results[0]?.baseline_mean_length_chars ?? 0
  return [
    {
      title: 'Win rates',
      text: 'Each line is a 95 % interval: 1.96 standard errors to each side.',
      chart: await drawRates(rates),
      table: rateTable(results),
    },
    {
      title: 'Win rates over length',
      text: `Longer answers raise a raw win rate. The dashed line is the baseline: ${Math.round(baselineChars)} characters.`,
      chart: await drawLengths(rates, baselineChars),
      table: lengthTable(results),
    },
    { title: 'The systems', isWide: true, table: systemTable(results) },
  ]
}

function ratesOf(result: AlpacaEvalResult): Rate[] {
  const by = (measure: Rate['measure'], rate: number, error: number): Rate => ({
    system: result.model,
    measure,
    rate,
    chars: result.mean_length_chars,
    ...rateInterval(rate, error),
  })
  return [
    by('length-controlled', result.lc_win_rate, result.lc_standard_error),
    by('raw', result.win_rate, result.standard_error),
  ]
}

const byMeasure = {
  field: 'measure',
  title: null,
  sort: null,
  legend: { orient: 'top' as const },
  scale: { range: pairOfColors },
}

function drawRates(values: Rate[]): Promise<string> {
  return drawChart(
    {
      data: { values },
      width: 280,
      height: { step: 14 },
      encoding: {
        y: nameRows('system', 400),
        yOffset: { field: 'measure', sort: null },
        color: byMeasure,
      },
      layer: [intervalLayer('win rate, %'), pointLayer('rate')],
    },
    'Win rates of each system with their intervals',
  )
}

function drawLengths(values: Rate[], baselineChars: number): Promise<string> {
  const baseline = {
    data: { values: [{ chars: baselineChars }] },
    mark: { type: 'rule' as const, color: 'currentColor', strokeDash: [4, 4], opacity: 0.5 },
    encoding: { x: quantity('chars'), color: { value: 'currentColor' } },
  }
  const intervals = {
    mark: intervalMark,
    encoding: {
      y: quantity('low', { title: 'win rate, %', scale: { zero: true } }),
      y2: { field: 'high' },
    },
  }
  const points = { mark: pointMark, encoding: { y: quantity('rate') } }
  const chars = quantity('chars', { title: 'mean length, characters', scale: { zero: false, padding: 30 } })
  return drawChart(
    {
      data: { values },
      width: 300,
      height: 220,
      encoding: { x: chars, color: byMeasure },
      layer: [baseline, intervals, points],
    },
    'Win rates over mean length',
  )
}

const rate = (value: number, error: number) => `${value.toFixed(2)} ± ${error.toFixed(2)}`

function rateTable(results: AlpacaEvalResult[]): ReportTable {
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

function lengthTable(results: AlpacaEvalResult[]): ReportTable {
  return {
    head: ['system', 'mean length', "the baseline's", 'win rate', 'length-controlled'],
    rows: results.map((r) => [
      r.model,
      Math.round(r.mean_length_chars),
      Math.round(r.baseline_mean_length_chars),
      r.win_rate.toFixed(2),
      r.lc_win_rate.toFixed(2),
    ]),
  }
}

function systemTable(results: AlpacaEvalResult[]): ReportTable {
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
      r.template ? `${r.template.id}, ${r.template.sha256.slice(0, 12)}` : 'not known',
    ]),
  }
}
