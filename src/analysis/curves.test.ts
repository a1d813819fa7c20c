import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import type { Engine } from '../core/engine.ts'
import { scriptedEngine } from '../engines/scripted.ts'
import { drawCurves, readCurves, summariseCurve } from './convergence.ts'
import { readScoredRows, scoreRow, sumPerplexity } from './perplexity.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'curves-'))
const lines = (rows: object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('')

test('a curve is read, summed up and drawn', async () => {
  mkdirSync(path.join(folder, 'run'))
  const losses = [4, 3, 2, 1.02, 1, 1, 1, 1, 1, 1]
  writeFileSync(
    path.join(folder, 'run/metrics.jsonl'),
    lines(losses.map((loss, i) => ({ step: i + 1, loss }))),
  )
  writeFileSync(
    path.join(folder, 'run/eval.jsonl'),
    lines([
      { step: 5, loss: 1.5 },
      { step: 10, loss: 1.2 },
    ]),
  )
  const curves = await readCurves([path.join(folder, 'run')])
  expect(summariseCurve(curves[0] as (typeof curves)[number])).toEqual({
    ...{
      run: 'run',
      steps: 10,
      first_loss: 4,
      last_loss: 1,
      best_held_out: 1.2,
      settled_at: 4,
      roughness: 0,
    },
  })
  expect(await drawCurves(curves)).toMatch(/^<svg/)
})

test('a line without a loss is refused', async () => {
  mkdirSync(path.join(folder, 'broken'))
  writeFileSync(path.join(folder, 'broken/metrics.jsonl'), '{"step": 1}\n')
  await expect(readCurves([path.join(folder, 'broken')])).rejects.toThrow(
    /metrics.jsonl:1: expected `step` and `loss`/,
  )
})

/** A token costs ln 2 after proposals, ln 8 alone. */
const engine: Engine = {
  ...scriptedEngine([{ replies: ['x'] }]),
  score: async (messages, completion) =>
    completion
      .split(' ')
      .map((token) => ({ token, logprob: messages[0]?.role === 'system' ? -Math.LN2 : -3 * Math.LN2 })),
}

test('perplexity is over tokens, with and without the proposals', async () => {
  const file = path.join(folder, 'train.jsonl')
  const row = (content: string, hasProposals: boolean) => ({
    id: content,
    prompt: [
      ...(hasProposals ? [{ role: 'system', content: 'drafts' }] : []),
      { role: 'user', content: 'q' },
    ],
    completion: [{ role: 'assistant', content }],
    proposals: hasProposals ? [{ model: 'm' }] : [],
  })
  writeFileSync(file, lines([row('a b c', true), row('d', true), row('e f', false)]))
  const scores = await Promise.all((await readScoredRows(file)).map((r) => scoreRow(engine, r)))
  const { n, tokens, with_proposals: after, alone } = sumPerplexity(scores)
  expect({ n, tokens }).toEqual({ n: 2, tokens: 4 })
  expect(after).toBeCloseTo(2, 10)
  expect(alone).toBeCloseTo(8, 10)
})

test('an engine that cannot score, and a row that is no example, are refused', async () => {
  const row = { id: '1', prompt: [], target: 'x', hasProposals: false }
  await expect(scoreRow(scriptedEngine([{ replies: ['x'] }]), row)).rejects.toThrow(
    /cannot tell log probabilities/,
  )
  const file = path.join(folder, 'other.jsonl')
  writeFileSync(file, '{"id": "1"}\n')
  await expect(readScoredRows(file)).rejects.toThrow(/other.jsonl:1: expected an example/)
})
