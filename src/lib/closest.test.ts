import { expect, test } from 'vitest'
import { countEdits, findClosest } from './closest.ts'

test('edits are insertions, deletions, replacements and swaps of neighbors', () => {
  expect(countEdits('smollm2', 'smollm2')).toBe(0)
  expect(countEdits('smolm2', 'smollm2')).toBe(1)
  expect(countEdits('opeani', 'openai')).toBe(1)
  expect(countEdits('', 'abc')).toBe(3)
  expect(countEdits('kitten', 'sitting')).toBe(3)
})

test('the closest word is suggested, whatever its case, and none where all are far', () => {
  const words = ['smollm2', 'gemma3-270m', 'openai']
  expect(findClosest('SmolLM', words)).toBe('smollm2')
  expect(findClosest('opneai', words)).toBe('openai')
  expect(findClosest('llama', words)).toBeUndefined()
  expect(findClosest('x', [])).toBeUndefined()
})
