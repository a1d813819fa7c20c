import { expect, test } from 'vitest'
import type { LayerResult } from '../core/result.ts'
import { createDraftStore, type DraftKey, type Drafts } from './drafts.ts'

const key = (turn: string, callIds: string[] = [], system = 's'): DraftKey => ({ turn, callIds, system })
const layers = (text: string): Drafts => {
  const completions = [{ text } as LayerResult['completions'][number]]
  return { layers: [{ completions, failures: [] }], since: 0 }
}
const textOf = (found: Drafts | undefined) => found?.layers[0]?.completions[0]?.text

test('drafts are found by their turn, and by no other', () => {
  const store = createDraftStore({ maxBytes: 1e6 })
  store.keep(key('a', ['1']), layers('A'))
  expect(textOf(store.find(key('a', ['1'])))).toBe('A')
  expect(textOf(store.find(key('a', ['1', '2'])))).toBe('A')
  expect(store.find(key('b', ['1']))).toBeUndefined()
})

test('runs of one conversation are told apart by the ids of their calls; without them the newest counts', () => {
  const store = createDraftStore({ maxBytes: 1e6 })
  store.keep(key('a', ['1']), layers('first'))
  store.keep(key('a', ['2', '3']), layers('second'))
  expect(textOf(store.find(key('a', ['1', '9'])))).toBe('first')
  expect(textOf(store.find(key('a', ['3', '9'])))).toBe('second')
  expect(textOf(store.find(key('a', ['x'])))).toBe('second')
})

test('if the system prompt changed, the ids must say that the drafts are the own ones', () => {
  const store = createDraftStore({ maxBytes: 1e6 })
  store.keep(key('a', ['1'], '12:00'), layers('A'))
  expect(textOf(store.find(key('a', ['1'], '12:01')))).toBe('A')
  expect(store.find(key('a', ['x'], '12:01'))).toBeUndefined()
  store.keep(key('a', ['1'], '12:02'), layers('B'))
  expect(store.find(key('a', ['1'], '12:03'))).toBeUndefined()
  expect(textOf(store.find(key('a', ['1'], '12:02')))).toBe('B')
})

test('count, bytes and age are bounded; what was not used for the longest time goes first', () => {
  let nowMs = 0
  const few = createDraftStore({ maxBytes: 1e6, maxTurns: 2, maxAgeMs: 100, now: () => nowMs })
  few.keep(key('a'), layers('A'))
  few.keep(key('b'), layers('B'))
  few.find(key('a'))
  few.keep(key('c'), layers('C'))
  expect(['a', 'b', 'c'].map((turn) => textOf(few.find(key(turn))))).toEqual(['A', undefined, 'C'])
  nowMs = 90
  few.find(key('c'))
  nowMs = 150
  expect(['a', 'c'].map((turn) => textOf(few.find(key(turn))))).toEqual([undefined, 'C'])

  const small = createDraftStore({ maxBytes: 1_000 })
  small.keep(key('a'), layers('x'.repeat(600)))
  small.keep(key('huge'), layers('x'.repeat(2_000)))
  small.keep(key('b'), layers('y'.repeat(600)))
  expect(['a', 'huge', 'b'].map((turn) => small.find(key(turn)) !== undefined)).toEqual([false, false, true])
})

test('a store without memory keeps nothing', () => {
  const store = createDraftStore({ maxBytes: 0 })
  store.keep(key('a'), layers('A'))
  expect(store.find(key('a'))).toBeUndefined()
})
