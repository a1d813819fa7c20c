import { expect, test } from 'vitest'
import { createPriority } from './priority.ts'

/** The order in which `PROMPT.LAYER` go first. */
function order(pending: number, active: number, prompts: number[]): string[] {
  const priorityOf = createPriority(pending, active)
  return prompts
    .flatMap((position) =>
      [0, 1, 2].map((layer) => ({ name: `${position}.${layer}`, at: priorityOf(position, layer) })),
    )
    .toSorted((a, b) => a.at - b.at)
    .map(({ name }) => name)
}

test('deeper layers go first, then older prompts', () => {
  expect(order(1000, 2, [3, 400])).toEqual(['3.2', '400.2', '3.1', '400.1', '3.0', '400.0'])
})

test('of the last prompts, those with the most layers left go first, after all others', () => {
  expect(order(1000, 2, [997, 998, 999])).toEqual([
    '997.2',
    '997.1',
    '997.0',
    '998.0',
    '999.0',
    '998.1',
    '999.1',
    '998.2',
    '999.2',
  ])
})
