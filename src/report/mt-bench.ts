/** MT-Bench on a report's page: ratings by turn and category, as a radar and a table. */

import type { MtBenchResult } from '../files/result-kinds.ts'
import { drawChart } from './chart.ts'
import { pairOfColors, quantity } from './chart-parts.ts'
import type { ReportSection } from './page.ts'

const WORST = 0
const BEST = 10

/** Makes the sections of one result. */
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
        `Ratings of ${result.judge}, 1 to 10, over ${result.n} questions; the rings are 2, 4, 6, 8 and 10. Turn 1: ${range(result.turn_1)}; ` +
        `turn 2: ${range(result.turn_2)}; both: ${range(result.both)}. Without a rating: ${result.unreadable.length}${result.asked_again ? `; with a rating only when asked again: ${result.asked_again}` : ''}.`,
      chart: await drawRadar(result),
      table: {
        head: ['category', 'turn 1', 'turn 2', 'both'],
        rows: result.categories.map((c) => [c.category, number(c.turn_1), number(c.turn_2), number(c.both)]),
      },
    },
  ]
}

/** Computes the place of a rating on the axis of a category. */
function place(i: number, count: number, rating: number) {
  const angle = (2 * Math.PI * i) / count
  const length = (rating - WORST) / (BEST - WORST)
  return { x: length * Math.sin(angle), y: length * Math.cos(angle) }
}

function drawRadar({ categories }: MtBenchResult): Promise<string> {
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
  return drawChart(
    { width: 300, height: 300, layer: [ringLayer(rings), labelLayer(labels), ratingLayer(lines)] },
    'Ratings by category, from 0 in the middle to 10 outside',
  )
}

const axis = (field: 'x' | 'y') => quantity(field, { axis: null, scale: { domain: [-1.5, 1.5] } })
const onSpokes = { x: axis('x'), y: axis('y') }
const inOrder = { ...onSpokes, order: quantity('order') }

function ringLayer(values: object[]) {
  return {
    data: { values },
    mark: { type: 'line' as const, color: 'currentColor', opacity: 0.15, strokeWidth: 1 },
    encoding: { ...inOrder, detail: { field: 'ring' } },
  }
}

function labelLayer(values: object[]) {
  return {
    data: { values },
    mark: { type: 'text' as const, color: 'currentColor', fontSize: 11 },
    encoding: { ...onSpokes, text: { field: 'category' } },
  }
}

function ratingLayer(values: object[]) {
  const legend = { orient: 'top' as const }
  return {
    data: { values },
    mark: { type: 'line' as const, point: true, strokeWidth: 2 },
    encoding: { ...inOrder, color: { field: 'turn', title: null, legend, scale: { range: pairOfColors } } },
  }
}
