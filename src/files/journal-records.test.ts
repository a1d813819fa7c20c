import { describe, expect, test } from 'vitest'
import { ask, planFor } from '../../test/ask.ts'
import { hashTemplate } from '../core/provider/template.ts'
import { echo, scriptedEngine } from '../engines/scripted/scripted.ts'
import { defaultTemplate } from '../plans/wordings.ts'
import { journalRecord, parseRecord } from './journal-records.ts'

const engine = scriptedEngine((request, index) =>
  index === 1 ? { error: { kind: 'server', message: 'gone', status: 502 } } : echo(request, index),
)
const plan = planFor({ engine }, { width: 3, depth: 1 })

describe('a line of a journal', () => {
  test('is what really happens: completions, failures, layers, as they are emitted', async () => {
    const { events } = await ask({ engine }, plan, {
      prompt: { id: 'p', messages: [{ role: 'user', content: 'Why?' }] },
    })
    const lines = events.flatMap((event): unknown[] => {
      if (event.type === 'completion-end')
        return [{ type: 'completion', prompt: 'p', layer: event.layer, ...event.completion }]
      if (event.type === 'completion-failed')
        return [{ type: 'failure', prompt: 'p', layer: event.layer, ...event.failure }]
      if (event.type === 'layer-end')
        return [{ type: 'layer', prompt: 'p', layer: event.layer, shown: event.shown }]
      return []
    })
    expect(lines).toHaveLength(2 + 1 + 1 + 1 + 1)
    for (const line of lines) expect(journalRecord.parse(JSON.parse(JSON.stringify(line)))).toEqual(line)
  })

  test('keeps fields that this version does not know', () => {
    const line = { type: 'answer', prompt: 'p', answer: 'x', later: { a: [1] } }
    expect(journalRecord.parse(line)).toEqual(line)
  })

  const template = { id: defaultTemplate.id, sha256: hashTemplate(defaultTemplate) }
  const header = { type: 'header', version: 1, aft: '0.1.0', plan, template, engines: { engine: engine.id } }

  test('may be a header, with plan, template and engines', () => {
    expect(journalRecord.parse(header)).toEqual(header)
  })

  test.each([
    ['of an unknown type', { type: 'draft' }],
    ['of another version', { ...header, version: 2 }],
    ['without its plan', { ...header, plan: {} }],
    [
      'without an index',
      { type: 'failure', prompt: 'p', layer: 0, voice: 0, engine: 'e', seed: 1, ms: 0, error: {} },
    ],
    ['with a layer below 0', { type: 'layer', prompt: 'p', layer: -1, shown: [] }],
    ['whose message has no role', { type: 'prompt', id: 'p', messages: [{ content: 'x' }] }],
    ['that is no object', 'completion'],
  ])('%s is refused', (_, line) => {
    expect(journalRecord.safeParse(line).success).toBe(false)
  })
})

test('a layer that no plan has is refused before a list of that length is made', () => {
  const line = { type: 'layer', prompt: 'a', layer: 300_000_000, shown: [] }
  expect(() => parseRecord(line)).toThrow(/`layer`: expected .*999.*, got 300000000/)
})
