import { expect, test } from 'vitest'
import { drawChart } from './chart.ts'

const hostile = '<script>alert(1)</script>"&\'</text></svg>'

const spec = (names: string[]): Parameters<typeof drawChart>[0] => ({
  data: { values: names.map((name, i) => ({ name, count: i + 1 })) },
  mark: 'bar',
  encoding: {
    y: { field: 'name', type: 'nominal', sort: null, axis: { labelLimit: 0 } },
    x: { field: 'count', type: 'quantitative' },
  },
})

test('a chart is one svg element, with escaped texts and a label for a screen reader', async () => {
  const svg = await drawChart(spec([hostile, 'b']), `label ${hostile}`)
  expect(svg).toMatch(/^<svg role="img" .*<\/svg>$/s)
  expect(svg.match(/<\/svg>/g)).toHaveLength(1)
  expect(svg).not.toContain('<script')
  expect(svg).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
  expect(svg).toContain('aria-label="label &lt;script')
})

test('texts and axes have the colors of the page, so that a chart fits a dark page', async () => {
  const svg = await drawChart(spec(['a']), 'l')
  expect(svg).toContain('currentColor')
  expect(svg).not.toMatch(/(?:fill|stroke)="(?:black|#000|white|#fff)"/)
})

test('the same spec gives the same bytes, also after other charts and at the same time as others', async () => {
  const alone = await drawChart(spec(['a', 'b']), 'l')
  const [again, other, third] = await Promise.all([
    drawChart(spec(['a', 'b']), 'l'),
    drawChart(spec(['c']), 'l'),
    drawChart(spec(['a', 'b']), 'l'),
  ])
  expect([again, third]).toEqual([alone, alone])
  expect(other).not.toBe(alone)
})

test('a chart without data is drawn empty', async () => {
  expect(await drawChart(spec([]), 'l')).toMatch(/^<svg /)
})
