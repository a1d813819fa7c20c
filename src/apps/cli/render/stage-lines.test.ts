import { expect, test } from 'vitest'
import type { AftEvent } from '../../../core/result.ts'
import { makePlan } from '../../../plans/strategies.ts'
import { createStageLines } from './stage-lines.ts'

const wait = (index: number, attempt: number): AftEvent => ({
  type: 'completion-waiting',
  layer: 0,
  index,
  engine: 'it',
  attempt,
  ms: 1_050,
  kind: 'rate-limit',
  reason: '429: slow\u001b[2J down',
})
const changed = (index: number): AftEvent => {
  return { type: 'request-changed', layer: 0, index, engine: 'it', reason: 'it refuses `seed`' }
}

test('without a terminal each wait and each change is a line, equal ones once, and no control character', () => {
  const lines: string[] = []
  const status = createStageLines(makePlan({ proposers: ['it'] }), (line) => lines.push(line))
  status.event({ type: 'layer-start', layer: 0, width: 3, isLast: false })
  for (const index of [0, 1, 2]) status.event(wait(index, 2))
  for (const index of [0, 1, 2]) status.event(wait(index, 3))
  for (const index of [0, 1]) status.event(changed(index))
  status.event({ ...wait(0, 2), reason: 'another server is asked', ms: 0 } as AftEvent)
  expect(lines).toEqual([
    'proposing: 3 drafts with it',
    'it is asked again in 1 s (rate-limit, attempt 2): 429: slow␛[2J down',
    'warning: it refuses `seed`',
    'it is asked again at once (rate-limit, attempt 2): another server is asked',
  ])
  expect(status.told?.has('it refuses `seed`')).toBe(true)
})
