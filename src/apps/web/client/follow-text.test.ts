import { expect, test } from 'vitest'
import { watchTail } from './follow-text.ts'

const box = (scrollTop: number, scrollHeight: number) => ({ scrollTop, scrollHeight, clientHeight: 100 })

test('a reader who scrolls back stops the following, and starts it again at the end', () => {
  const tail = { top: 0, height: 0, isHeld: false }
  watchTail(box(200, 300), tail)
  expect(tail).toEqual({ top: 200, height: 300, isHeld: false })
  watchTail(box(150, 320), tail)
  expect(tail.isHeld).toBe(true)
  watchTail(box(170, 400), tail)
  expect(tail.isHeld).toBe(true)
  watchTail(box(295, 400), tail)
  expect(tail.isHeld).toBe(false)
})

test('a text that becomes shorter is no reader who scrolls back', () => {
  const tail = { top: 200, height: 300, isHeld: false }
  watchTail(box(120, 220), tail)
  expect(tail.isHeld).toBe(false)
})
