import { expect, test } from 'vitest'
import { openScreen } from '../../../../test/screen.ts'
import { createPainter } from './painter.ts'

function paintOn(columns: number, rows: number) {
  const screen = openScreen(columns, rows)
  const writes: string[] = []
  const stream = {
    get columns() {
      return screen.columns
    },
    write: (text: string) => {
      writes.push(text)
      return screen.write(text)
    },
  }
  return { screen, writes, painter: createPainter(stream) }
}

test('a block is replaced in place', async () => {
  const { screen, painter } = paintOn(20, 6)
  screen.write('before\n')
  painter.paint(['one', 'two', 'three'])
  painter.paint(['one', '2'])
  expect(await screen.read()).toBe('before\none\n2')
})

test('text printed after the block was cleared takes its place', async () => {
  const { screen, painter } = paintOn(20, 6)
  painter.paint(['one', 'two'])
  painter.clear()
  screen.write('printed\n')
  painter.paint(['one', 'two'])
  expect(await screen.read()).toBe('printed\none\ntwo')
})

test('a block at the bottom scrolls what is above it', async () => {
  const { screen, painter } = paintOn(20, 4)
  screen.write('a\nb\nc\n')
  painter.paint(['1', '2'])
  painter.paint(['1', '2', '3'])
  expect(await screen.read()).toBe('a\nb\nc\n1\n2\n3')
})

test('lines that did not change are not written again', () => {
  const { writes, painter } = paintOn(20, 6)
  painter.paint(['steady', 'old'])
  painter.paint(['steady', 'new'])
  expect(writes.at(-1)).toContain('new')
  expect(writes.at(-1)).not.toContain('steady')
})

test.each([
  [40, 12],
  [80, 30],
])('a terminal that changed to %i columns shows the block once', async (columns, rows) => {
  const { screen, painter } = paintOn(60, 20)
  screen.write('before\n')
  painter.paint([`a${'-'.repeat(50)}`, `b${'-'.repeat(50)}`, 'c'])
  screen.resize(columns, rows)
  painter.paint(['A', 'B', 'C'])
  expect(await screen.read()).toBe('before\nA\nB\nC')
})

test('the cursor is hidden while there is a block, and shown again', async () => {
  const { screen, painter } = paintOn(20, 6)
  painter.paint(['one'])
  expect(await screen.isCursorHidden()).toBe(true)
  painter.close()
  expect(await screen.isCursorHidden()).toBe(false)
  expect(await screen.read()).toBe('')
})

test('a block can be left', async () => {
  const { screen, painter } = paintOn(20, 6)
  painter.paint(['one', 'two'])
  painter.close('leave')
  screen.write('after\n')
  expect(await screen.read()).toBe('one\ntwo\nafter')
})
