import { expect, test } from 'vitest'
import { viewTask } from './eval/progress.ts'
import { describeLeft, drawProgress, pullLine, showTime } from './progress.ts'
import { makeStyle, styledWidth } from './render/style.ts'

const plain = makeStyle(false)

test('the bar shows the share that is done, and facts are cut to the width', () => {
  const view = { share: 0.5, facts: '6 of 12 answered' }
  expect(drawProgress(view, 80, plain)).toBe(`${'━'.repeat(12)}${'─'.repeat(12)}  6 of 12 answered`)
  expect(drawProgress({ ...view, share: 1.2 }, 80, plain)).toBe(`${'━'.repeat(24)}  6 of 12 answered`)
  for (const columns of [80, 40, 36, 35, 20, 8])
    expect(styledWidth(drawProgress(view, columns, plain))).toBeLessThanOrEqual(columns)
  expect(drawProgress(view, 30, plain)).toBe('6 of 12 answered')
})

test('the time left follows from the speed so far; before anything is done there is none', () => {
  expect(describeLeft(0, 10, 5_000)).toBeUndefined()
  expect(describeLeft(5, 10, 5_000)).toBe('0:10 left')
  expect(describeLeft(5, -1, 5_000)).toBe('0:00 left')
  expect([59_400, 60_000, 3_725_000].map(showTime)).toEqual(['0:59', '1:00', '1:02:05'])
})

test('a download looks like all other progress', () => {
  const line = pullLine({ label: 'smollm2', receivedBytes: 25e6, totalBytes: 100e6, startMs: 0 })
  expect(line(5_000, 100, plain)).toBe(
    `${'━'.repeat(6)}${'─'.repeat(18)}  smollm2 · 25 of 100 MB · 5.0 MB/s · 0:15 left`,
  )
})

test('an evaluation counts what earlier runs did, and takes its speed from this one', () => {
  expect(viewTask({ items: 20, done: 12, doneNow: 4, failed: 2 }, 'pairs judged', 8_000)).toEqual({
    share: 0.6,
    facts: '12 of 20 pairs judged · 2 failed · 0.50/s · 0:12 left',
  })
  expect(viewTask({ items: 20, done: 12, doneNow: 0, failed: 0 }, 'pairs judged', 8_000).facts).toBe(
    '12 of 20 pairs judged',
  )
})
