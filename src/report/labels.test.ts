import fc from 'fast-check'
import { expect, test } from 'vitest'
import { estimateWidth, LABEL_SIZE, placeLabels } from './labels.ts'

test('a label is beside its point, left of it at the right edge', () => {
  const labels = placeLabels(
    [
      { x: 10, y: 50, text: 'one' },
      { x: 290, y: 50, text: 'two' },
    ],
    300,
  )
  expect(labels.map(({ labelX, labelY }) => [labelX > 10, labelX < 290 - 10, labelY])).toEqual([
    [true, true, 50],
    [true, true, 50],
  ])
  // The text of the second ends at its point, also if its letters are narrower than estimated.
  expect(labels.map(({ isLeft, endX }) => isLeft && endX)).toEqual([false, 290 - 8])
})

test('labels of points at one place are at different heights, with lines that lead to them', () => {
  const labels = placeLabels(
    ['a', 'b', 'c'].map((text) => ({ x: 50, y: 50, text })),
    300,
  )
  const heights = labels.map(({ labelY, labelX }) => `${labelX} ${labelY}`)
  expect(new Set(heights).size).toBe(3)
  expect(labels.some(({ isFar }) => isFar)).toBe(true)
})

test('up to nine labels never cover each other, and stay within the chart', () => {
  const point = fc.record({ x: fc.integer({ min: 0, max: 600 }), y: fc.integer({ min: 60, max: 240 }) })
  fc.assert(
    fc.property(fc.array(point, { maxLength: 9 }), (points) => {
      const labels = placeLabels(
        points.map((p) => ({ ...p, text: 'best of n' })),
        600,
      )
      const width = estimateWidth(LABEL_SIZE, 'best of n')
      for (const [i, a] of labels.entries()) {
        expect(a.labelX).toBeGreaterThanOrEqual(0)
        expect(a.labelX + width).toBeLessThanOrEqual(600)
        for (const b of labels.slice(i + 1)) {
          // Labels that touch do not cover each other, and a difference of such numbers has an error.
          const isOver = Math.abs(a.labelX - b.labelX) < width - 1e-6 && Math.abs(a.labelY - b.labelY) < 14
          expect(isOver).toBe(false)
        }
      }
    }),
    { examples: [[[535, 427, 551].map((x, i) => ({ x, y: [64, 60, 63][i] as number }))]] },
  )
})
