/** MT-Bench on a report's page: ratings by turn and category, as a radar and a table. */

import type { MtBenchResult } from '../files/result-file.ts'
import { drawChart } from './chart.ts'
import type { ReportSection } from './page.ts'

const WORST = 0
const BEST = 10

/** The sections of one result. */
export async function mtBenchSections(result: MtBenchResult): Promise<ReportSection[]> {
  const range = (rating: MtBenchResult['both']) =>
    rating
      ? `${rating.mean.toFixed(2)} (${rating.interval.low.toFixed(2)} to ${rating.interval.high.toFixed(2)})`
      : 'none'
  const number = (value: number | null) => (value === null ? 'none' : Number(value.toFixed(2)))
  return [
    {
      title: 'Ratings',
      text:
        `Ratings of ${result.judge}, 1 to 10, over ${result.n} questions. Turn 1: ${range(result.turn_1)}; ` +
        `turn 2: ${range(result.turn_2)}; both: ${range(result.both)}. Without a rating: ${result.unreadable.length}${result.asked_again ? `; only when asked for it alone: ${result.asked_again}` : ''}.`,
      chart: await drawRadar(result),
      table: {
        head: ['category', 'turn 1', 'turn 2', 'both'],
        rows: result.categories.map((c) => [c.category, number(c.turn_1), number(c.turn_2), number(c.both)]),
      },
    },
  ]
}

/** Place of a rating on the spoke of a category. */
function place(i: number, count: number, rating: number) {
  const angle = (2 * Math.PI * i) / count
  const length = (rating - WORST) / (BEST - WORST)
  return { x: length * Math.sin(angle), y: length * Math.cos(angle) }
}

async function drawRadar({ categories }: MtBenchResult): Promise<string> {
  const count = categories.length
  const around = [...categories.keys(), 0]
  const rings = [2, 4, 6, 8, 10].flatMap((ring) =>
    around.map((i, order) => ({ ring, order, ...place(i, count, ring) })),
  )
  const labels = categories.map(({ category }, i) => ({ category, ...place(i, count, BEST * 1.15) }))
  const lines = (['turn_1', 'turn_2'] as const).flatMap((turn) =>
    around.flatMap((i, order) => {
      const rating = categories[i]?.[turn]
      const name = turn.replace('_', ' ')
      return rating == null ? [] : [{ turn: name, order, rating, ...place(i, count, rating) }]
    }),
  )
  const axis = (field: 'x' | 'y') => ({
    field,
    type: 'quantitative' as const,
    axis: null,
    scale: { domain: [-1.35, 1.35] },
  })
  const at = { x: axis('x'), y: axis('y'), order: { field: 'order', type: 'quantitative' as const } }
  return drawChart(
    {
      width: 300,
      height: 300,
      layer: [
        {
          data: { values: rings },
          mark: { type: 'line', color: 'currentColor', opacity: 0.15, strokeWidth: 1 },
          encoding: { ...at, detail: { field: 'ring' } },
        },
        {
          data: { values: labels },
          mark: { type: 'text', color: 'currentColor', fontSize: 11 },
          encoding: { x: axis('x'), y: axis('y'), text: { field: 'category' } },
        },
        {
          data: { values: lines },
          mark: { type: 'line', point: true, strokeWidth: 2 },
          encoding: {
            ...at,
            color: {
              field: 'turn',
              title: null,
              legend: { orient: 'top' },
              scale: { range: ['#4f83c4', '#d08a3e'] },
            },
          },
        },
      ],
    },
    'Ratings by category, from 0 in the middle to 10 outside',
  )
}
