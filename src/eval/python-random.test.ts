import { expect, test } from 'vitest'
import { createPythonRandom } from './python-random.ts'

test.each([
  ['is_switched_outputs0', 0.14709790944563927],
  ['is_switched_outputsName a river.0', 0.9483583199204204],
  ['is_switched_outputsWas ist π? 🙂0', 0.3630179343615878],
  [`is_switched_outputs${'a\n'.repeat(300)}0`, 0.6723816956780895],
])('random.Random(%j).random() as Python 3.11 has it', (seed, first) => {
  expect(createPythonRandom(seed)()).toBe(first)
})

test('continues after the first 624 numbers of the generator', () => {
  const random = createPythonRandom('x')
  const values = Array.from({ length: 2_000 }, random)
  expect(new Set(values).size).toBe(2_000)
  expect(values[1_999]).toBe(0.7520333116850563)
})
