import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { summarizeCurve } from '../analyze/convergence.ts'
import { compareGroups, summarizeGroup } from '../analyze/convergence-groups.ts'
import { readResults } from '../files/result-file.ts'
import type { Results } from '../files/result-kinds.ts'
import { toCsv } from './csv.ts'
import { renderReport } from './report.ts'
import { titleOf } from './texts.ts'

const hostile = '<img src=x onerror=alert(1)>'
const folder = mkdtempSync(path.join(tmpdir(), 'report-'))
const origin = {
  settings: { seed: 7 },
  command: `aft ${hostile}`,
  version: '9.8.7',
  node: 'v0',
  date: '2026-01-02T03:04:05Z',
  machine: 'a machine',
}
const template = { id: 'aft-1', sha256: 'a-hash' }

async function read(name: string, result: object): Promise<Results> {
  const place = path.join(folder, name)
  mkdirSync(place, { recursive: true })
  writeFileSync(path.join(place, 'result.json'), JSON.stringify({ ...origin, ...result }))
  return readResults(place)
}

const perplexity = (model: string, shown: number) => ({
  task: 'perplexity',
  model,
  file: 'data',
  n: 3,
  asked: 4,
  tokens: 30,
  left_out: { [hostile]: 2 },
  template,
  conditions: [
    { condition: 'no proposals', perplexity: 9, difference: null, interval: null, lower: null },
    {
      condition: 'proposals',
      perplexity: shown,
      difference: -0.5,
      interval: { low: -0.7, high: -0.3 },
      lower: 1,
    },
  ],
})
const winRate = (model: string) => ({
  task: 'alpaca-eval',
  model,
  baseline: 'base',
  n: 4,
  asked: 5,
  win_rate: 40,
  standard_error: 2,
  lc_win_rate: 45,
  lc_standard_error: 1,
  mean_length_chars: 1234.4,
  baseline_mean_length_chars: 2000,
  variant: 'full',
  annotators: ['a judge'],
  judge: null,
  template: null,
})
const run = (name: string, by: number) =>
  summarizeCurve({
    run: name,
    points: [1, 2, 3].map((step) => ({ step, loss: by + 1 / step, gradNorm: step })),
    heldOut: [0, 10, 20].map((step) => ({ step, loss: by + 2 - step / 20, tokens: 100 * step })),
  })
const groups = [
  summarizeGroup(hostile, [run('a', 0), run('b', 0.1)]),
  summarizeGroup('sft', [run('c', 1), run('d', 1.3)]),
]
const bare = summarizeGroup('bare', [
  summarizeCurve({ run: 'bare', points: [{ step: 1, loss: 2 }], heldOut: [] }),
])

test('the page has every kind of result with charts, tables and its origin, all escaped', async () => {
  const results = [
    await read('p1', perplexity('models/base', 5)),
    await read('c', { task: 'convergence', n: 4, groups, differences: compareGroups(groups) }),
    await read('w1', winRate('first')),
    await read('p2', perplexity(hostile, 6)),
    await read('w2', winRate('second')),
  ]
  const html = await renderReport(results, { title: hostile, about: `one ${hostile}\n\ntwo` })
  expect(html).not.toContain('<img')
  expect(html).not.toMatch(/<script|NaN|undefined|Infinity|https?:\/\/(?!www\.w3\.org)/)
  expect(html.match(/<svg/g)).toHaveLength(2 + 3 + 2) // two models share charts, and so do two systems
  expect(html.match(/as a table/g)).toHaveLength(2 + 3 + 2)
  expect(html.match(/a machine/g)).toHaveLength(results.length)
  expect(html).toContain('<p>two</p>')
  expect(html).toContain(
    'base expects the target more with proposals: perplexity 9.00 with no proposals, 5.00 with proposals (−0.50 nats per token, 95\u00a0% interval −0.70 to −0.30).',
  )
  expect(html).toContain(
    'first wins 45.0\u00a0% against base if length is controlled (95\u00a0% interval 43.0 to 47.0), and 40.0\u00a0% raw',
  )
  for (const told of ['a-hash', '9.8.7', 'a machine', 'a judge', '4 of 5', '3 of 4 asked'])
    expect(html).toContain(told)
  expect(html.match(/Note: 4 questions are too few to tell/g)).toHaveLength(1)
  const untitled = await renderReport(results)
  expect(untitled).toContain('<h1>Perplexity, Training curves and AlpacaEval against base</h1>')
  expect(await renderReport(results)).toBe(untitled)
})

test('the CSV table has every figure, quoted if necessary', async () => {
  const lines = toCsv([
    await read('p', perplexity('a, b', 5)),
    await read('c', { task: 'convergence', n: 4, groups, differences: compareGroups(groups) }),
    await read('w', winRate('s')),
  ]).split('\n')
  expect(lines[2]).toBe('perplexity,"a, b",proposals,perplexity,5,,,3,,,,,,,')
  expect(lines[3]).toMatch(/nats_a_token,-0.5,-0.7,-0.3,3/)
  expect(lines.filter((line) => line.includes('@10,held_out_loss'))).toHaveLength(2)
  expect(lines.filter((line) => line.includes(`sft - ${hostile},step_of_half`))).toHaveLength(1)
  expect(lines.at(-3)).toMatch(/^alpaca-eval,s,beside base,win_rate,40,36.08,43.92,4/)
})

test('a run that was not evaluated has figures and no curve', async () => {
  const html = await renderReport([
    await read('n', { task: 'convergence', n: 1, groups: [bare], differences: [] }),
  ])
  expect(html).not.toMatch(/<svg|NaN/)
  expect(html).toContain('bare was not evaluated while it trained.')
})

test('a result without a required number is refused with its place', async () => {
  const broken = read('broken', { ...winRate('s'), win_rate: null })
  await expect(broken).rejects.toThrow(
    /broken\/result.json: expected the results of an evaluation; `win_rate`: expected a number, got null/,
  )
})

test('the title names a task once, if a grid of widths and depths has it, too', () => {
  const controls = (task: string) => ({ kind: 'controls', result: { task } }) as unknown as Results
  expect(titleOf(['scaling ifeval', 'ifeval', 'gsm8k'].map(controls))).toBe(
    'Width and depth on IFEval and GSM8K',
  )
})
