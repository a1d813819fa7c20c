/** Parts that several charts share, as Vega-Lite specs. */

import { PALETTE } from './chart.ts'
import { LABEL_SIZE, type Label } from './labels.ts'

/** The mark of an interval: a line. */
export const intervalMark = { type: 'rule', strokeWidth: 2, opacity: 0.6 } as const

/** The mark of a value: a filled point. */
export const pointMark = { type: 'point', filled: true, size: 60, opacity: 1 } as const

/** Colors of the first and the second series in a chart. */
export const pairOfColors = PALETTE.slice(0, 2)

/** Encodes a field of numbers. */
export function quantity<More extends object>(field: string, more?: More) {
  return { field, type: 'quantitative' as const, ...more }
}

/** Encodes names as rows of the chart, in the order of the data. */
export function nameRows(field: string, labelLimit: number) {
  return { field, type: 'nominal' as const, sort: null, title: null, axis: { labelLimit } }
}

/** Draws horizontal lines from `low` to `high`. */
export function intervalLayer(title: string, axis: object = { tickCount: 5 }, scale: object = {}) {
  const x = quantity('low', { title, axis, scale })
  return { mark: intervalMark, encoding: { x, x2: { field: 'high' } } }
}

/** Draws points at the values of a field, on the horizontal axis. */
export function pointLayer(field: string) {
  return { mark: pointMark, encoding: { x: quantity(field) } }
}

/** Draws names beside their points, with thin lines to those that are further away. */
export function labelLayers(labels: Label[]) {
  const pixels = (field: string) => ({ field, type: 'quantitative' as const, scale: null, axis: null })
  const mark = {
    type: 'text' as const,
    baseline: 'middle' as const,
    fontSize: LABEL_SIZE,
    color: 'currentColor',
  }
  const names = (align: 'left' | 'right') => ({
    data: { values: labels.filter(({ isLeft }) => isLeft === (align === 'right')) },
    mark: { ...mark, align },
    encoding: {
      x: pixels(align === 'right' ? 'endX' : 'labelX'),
      y: pixels('labelY'),
      text: { field: 'text', type: 'nominal' as const },
    },
  })
  return [
    {
      data: { values: labels.filter(({ isFar }) => isFar) },
      mark: { type: 'rule' as const, color: 'currentColor', opacity: 0.35, strokeWidth: 0.7 },
      encoding: { x: pixels('x'), y: pixels('y'), x2: { field: 'lineX' }, y2: { field: 'labelY' } },
    },
    names('left'),
    names('right'),
  ]
}
