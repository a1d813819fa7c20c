import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { createVirtualClock } from '../../test/virtual-clock.ts'
import type { Engine } from '../core/provider/engine.ts'
import { scriptedEngine } from '../engines/scripted/scripted.ts'
import { paperTemplate } from '../plans/wordings.ts'
import { runGrid, tabulateGrid } from './grid-run.ts'
import { gsm8k } from './gsm8k.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'grid-'))
const questions = ['first', 'second'].map((text, i) => ({
  id: String(i),
  target: 7,
  messages: [{ role: 'user' as const, content: text }],
}))

test('completions that points share are sampled once, and each point is charged what it would take alone', async () => {
  const inner = scriptedEngine([
    { system: 'Drafts:', replies: ['#### 7'] },
    { replies: ['#### 1', '#### 7', '#### 7', '#### 7'], pick: 'index' },
  ])
  let completions = 0
  const engine: Engine = {
    id: inner.id,
    generate(request) {
      completions += request.n
      return inner.generate(request)
    },
  }
  const run = () =>
    runGrid({
      task: gsm8k,
      questions,
      widths: [2, 4],
      depths: [0, 1, 2],
      active: 2,
      version: '0',
      base: { proposers: ['p'], maxTokens: 9, seed: 0 },
      host: { engines: { p: engine }, template: paperTemplate, clock: createVirtualClock() },
      journal: path.join(folder, 'journal'),
    })
  const { answered } = await run()
  // per question: 4 proposals, 4 + 1 for 4 x 2, 1 for 4 x 1, 2 + 1 for 2 x 2, 1 for 2 x 1, nothing for one answer
  expect(completions).toBe(2 * (4 + 5 + 1 + 3 + 1))
  const rows = await tabulateGrid(gsm8k, answered, 0)
  expect(rows.map((row) => [row.control, row.completions, row.calls, row.scores.strict?.mean])).toEqual([
    ['4x2', 9, 3, 1],
    ['4x1', 5, 2, 1],
    ['2x2', 5, 3, 1],
    ['2x1', 3, 2, 1],
    ['1x0', 1, 1, 0],
  ])
  await run()
  expect(completions).toBe(28)
})

test('the answers of a grid may have a temperature of their own, and what is between them keeps its own', async () => {
  const inner = scriptedEngine([{ replies: ['#### 7'] }])
  const heats: (number | undefined)[] = []
  const engine: Engine = {
    id: inner.id,
    generate(request) {
      heats.push(request.sampling.temperature)
      return inner.generate(request)
    },
  }
  await runGrid({
    task: gsm8k,
    questions: questions.slice(0, 1),
    widths: [2],
    depths: [2],
    active: 1,
    version: '0',
    base: { proposers: ['p'], maxTokens: 9, seed: 0, temperature: 1, answerTemperature: 0 },
    host: { engines: { p: engine }, template: paperTemplate, clock: createVirtualClock() },
    journal: path.join(folder, 'heats'),
  })
  expect(heats).toEqual([1, 1, 0])
})
