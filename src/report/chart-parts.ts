/** What several charts are made of, in Vega-Lite's words. */

/** A line over an interval. */
export const intervalMark = { type: 'rule', strokeWidth: 2, opacity: 0.6 } as const

/** A filled point. */
export const pointMark = { type: 'point', filled: true, size: 60, opacity: 1 } as const

/** Colors of the first and the second of two series. */
export const pairOfColors = ['#4f83c4', '#d08a3e']

/** A field with numbers. */
export function quantity<More extends object>(field: string, more?: More) {
  return { field, type: 'quantitative' as const, ...more }
}

/** One row of the chart per name, in the order of the data. */
export function nameRows(field: string, labelLimit: number) {
  return { field, type: 'nominal' as const, sort: null, title: null, axis: { labelLimit } }
}

/** Horizontal lines from `low` to `high`. */
export function intervalLayer(title: string, axis: object = { tickCount: 5 }) {
  const x = quantity('low', { title, axis })
  return { mark: intervalMark, encoding: { x, x2: { field: 'high' } } }
}

/** Points at the values of a field, from left to right. */
export function pointLayer(field: string) {
  return { mark: pointMark, encoding: { x: quantity(field) } }
}
