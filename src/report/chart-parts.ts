/** Parts that several charts share, as Vega-Lite specs. */

/** The mark of an interval: a line. */
export const intervalMark = { type: 'rule', strokeWidth: 2, opacity: 0.6 } as const

/** The mark of a value: a filled point. */
export const pointMark = { type: 'point', filled: true, size: 60, opacity: 1 } as const

/** Colors of the first and the second series in a chart. */
export const pairOfColors = ['#4f83c4', '#d08a3e']

/** Encodes a field of numbers. */
export function quantity<More extends object>(field: string, more?: More) {
  return { field, type: 'quantitative' as const, ...more }
}

/** Encodes names as rows of the chart, in the order of the data. */
export function nameRows(field: string, labelLimit: number) {
  return { field, type: 'nominal' as const, sort: null, title: null, axis: { labelLimit } }
}

/** Draws horizontal lines from `low` to `high`. */
export function intervalLayer(title: string, axis: object = { tickCount: 5 }) {
  const x = quantity('low', { title, axis })
  return { mark: intervalMark, encoding: { x, x2: { field: 'high' } } }
}

/** Draws points at the values of a field, on the horizontal axis. */
export function pointLayer(field: string) {
  return { mark: pointMark, encoding: { x: quantity(field) } }
}
