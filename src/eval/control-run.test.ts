import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { createVirtualClock } from '../../test/virtual-clock.ts'
import type { Engine } from '../core/provider/engine.ts'
import { type Rule, scriptedEngine } from '../engines/scripted/scripted.ts'
import { paperTemplate } from '../plans/wordings.ts'
import { runControls } from './control-run.ts'
import { tabulate } from './control-table.ts'
import { planControls } from './controls.ts'
import { findCopied } from './copied.ts'
import { gsm8k } from './gsm8k.ts'
import { tabulateMethods } from './methods-table.ts'
import { type Question, repeatQuestions } from './task.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'controls-'))
const questions: Question[] = ['first', 'second'].map((text, i) => ({
  id: String(i),
  target: 7,
  messages: [{ role: 'user', content: `the ${text} question` }],
}))
/** The first question has mixed proposals, the second only wrong ones. The judge picks the second proposal; the aggregator is right. */
const rules: Rule[] = [
  { system: 'Candidates:', replies: ['2'] },
  { system: 'Drafts:', replies: ['all of them together say #### 7'] },
  { when: 'first', replies: ['#### 1', '#### 7', '#### 7', '#### 1'], pick: 'index' },
  { when: 'second', replies: ['#### 1', '#### 1', '#### 3', '#### 1'], pick: 'index' },
]
const options = {
  proposer: 'p',
  aggregators: ['p'],
  judge: 'p',
  width: 3,
  depth: 1,
  maxTokens: 10,
  seed: 1,
}
const runWith = (engine: Engine, journal: string, more: object = {}) =>
  runControls({
    task: 'gsm8k',
    questions,
    plans: planControls(options),
    active: 2,
    version: '0',
    host: {
      engines: { p: engine },
      template: paperTemplate,
      trainedTemplate: paperTemplate,
      clock: createVirtualClock(),
    },
    journal: path.join(folder, journal),
    ...more,
  })

describe('the controls', () => {
  test('share their proposals, and each is scored and charged as if it ran alone', async () => {
    const run = await runWith(scriptedEngine(rules), 'run.journal')
    const table = await tabulate(gsm8k, run, 0)
    const row = Object.fromEntries(table.rows.map((r) => [r.control, r]))
    const scores = Object.fromEntries(table.rows.map((r) => [r.control, r.scores.strict?.mean]))
    expect(scores).toEqual({
      single: 0,
      'single-long': 0,
      oracle: 0.5,
      'oracle-same': 0.5,
      judge: 0.5,
      'judge-same': 0.5,
      majority: 0.5,
      'majority-same': 0, // the fourth says 1, as the first does: a tie goes to the first
      aggregated: 1,
    })
    expect(Object.values(row).map((r) => [r.control, r.completions])).toEqual([
      ['single', 1],
      ['single-long', 1],
      ['oracle', 3],
      ['oracle-same', 4],
      ['judge', 4],
      ['judge-same', 5],
      ['majority', 3],
      ['majority-same', 4],
      ['aggregated', 4],
    ])
    expect(row.aggregated).toMatchObject({ n: 2, calls: 2, against_single: { difference: 1, unequal: 2 } })
    expect(row.majority?.calls).toBe(1)
    expect(table.judge_position).toEqual([0, 1])
    expect(table.changes).toMatchObject([
      { rescued: 1, broke: 0, kept: 1, lost: 0, all_wrong: 1, all_right: 0 },
    ])
  })

  test('the proposals are sampled once', async () => {
    const requests: number[] = []
    const inner = scriptedEngine(rules)
    const counting: Engine = {
      id: inner.id,
      generate(request) {
        requests.push(request.n)
        return inner.generate(request)
      },
    }
    await runWith(counting, 'once.journal')
    // per question: the proposals, one more of them, the aggregation, two judgments, the long single answer
    expect(requests.sort()).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 3])
  })

  test('answers have a temperature of their own if it is given, and then one answer is no proposal', async () => {
    const asked: string[] = []
    const inner = scriptedEngine(rules)
    const watching: Engine = {
      id: inner.id,
      generate(request) {
        const role = /Drafts:|Candidates:/.exec(request.messages[0]?.content as string)?.[0] ?? 'question'
        asked.push(`${request.n} × ${role} ${request.sampling.temperature}`)
        return inner.generate(request)
      },
    }
    const only = ['single', 'majority', 'aggregated'] as const
    const plans = planControls({ ...options, temperature: 1, answerTemperature: 0 }, only)
    const { answered } = await runWith(watching, 'temperatures.journal', {
      plans,
      questions: questions.slice(0, 1),
    })
    expect(asked.sort()).toEqual(['1 × Drafts: 0', '1 × question 0', '3 × question 1'])
    expect(answered[0]?.answers.single?.completions).toBe(1)
  })

  test('votes and picks are also taken over as many completions as the aggregation has', async () => {
    const { questions } = await tabulate(gsm8k, await runWith(scriptedEngine(rules), 'same.journal'), 0)
    expect(questions.map((q) => [q.proposals.length, q.more_proposals?.length])).toEqual([
      [3, 1],
      [3, 1],
    ])
  })

  test('an oracle has no p value, and the p values of the others are corrected for their number', async () => {
    const { rows } = await tabulate(gsm8k, await runWith(scriptedEngine(rules), 'p.journal'), 0)
    for (const row of rows) {
      const isTested = row.control !== 'single' && !row.control.startsWith('oracle')
      expect([row.control, row.against_single !== null]).toEqual([row.control, isTested])
      expect(row.p_corrected === null).toBe(!isTested)
      if (isTested) expect(row.p_corrected).toBeGreaterThanOrEqual(row.against_single?.p ?? 1)
    }
  })

  test('only the chosen ones are asked and shown, over the same completions and at the same cost', async () => {
    const controls = ['single', 'oracle', 'majority', 'majority-same'] as const
    const asked: number[] = []
    const inner = scriptedEngine(rules)
    const engine: Engine = {
      id: inner.id,
      generate(request) {
        asked.push(request.n)
        return inner.generate(request)
      },
    }
    const some = { plans: planControls(options, controls), controls }
    const run = await runWith(engine, 'some.journal', some)
    expect(asked).toEqual([4, 4]) // as many completions as the aggregation has, in one request
    const { rows, questions } = await tabulate(gsm8k, run, 0)
    expect(rows.map((row) => row.control)).toEqual(controls)
    const all = await tabulate(gsm8k, await runWith(inner, 'all.journal'), 0)
    const costs = (list: typeof rows) => list.map((r) => [r.control, r.completions, r.scores.strict?.mean])
    expect(costs(all.rows)).toEqual(expect.arrayContaining(costs(rows.slice(0, 3))))
    expect(questions.map((q) => q.proposals)).toEqual(all.questions.map((q) => q.proposals))
    await expect(runWith(inner, 'some.journal')).rejects.toThrow(/some\.journal/)
    asked.length = 0
    await runWith(engine, 'long.journal', { plans: planControls(options, ['single-long']) })
    expect(asked).toEqual([1, 1, 1, 1])
  })

  test('a majority of two is left out: it is always the first answer', async () => {
    const plans = planControls({ ...options, width: 2 })
    const { rows } = await tabulate(gsm8k, await runWith(scriptedEngine(rules), 'two.journal', { plans }), 0)
    const names = rows.map((row) => row.control)
    expect(names).not.toContain('majority')
    expect(names).toContain('majority-same')
  })

  test('the long single answer may take as many tokens as all calls together', () => {
    const plans = planControls(options)
    const most = (name: 'single' | 'single-long') => plans.get(name)?.layers[0]?.voices[0]?.sampling.maxTokens
    expect([most('single'), most('single-long')]).toEqual([10, 40])
  })

  test('a run resumes and asks for nothing twice', async () => {
    const broken = scriptedEngine([
      { system: 'Candidates:', replies: [{ error: { kind: 'server', message: 'x' } }] },
      ...rules,
    ])
    const stop = new AbortController()
    const inner: Engine = {
      id: broken.id,
      generate(request) {
        if (request.messages.some((m) => String(m.content).includes('Candidates:')))
          stop.abort(new Error('stop'))
        return broken.generate(request)
      },
    }
    const first = await runWith(inner, 'resume.journal', { active: 1, signal: stop.signal })
    expect(first.outcome).toBe('interrupted')
    const asked: string[] = []
    const whole = scriptedEngine(rules)
    const again: Engine = {
      id: broken.id,
      generate(request) {
        asked.push(String(request.messages.at(-1)?.content))
        return whole.generate(request)
      },
    }
    const second = await runWith(again, 'resume.journal')
    expect(second.answered).toHaveLength(2)
    expect(asked.filter((text) => text.includes('first')).length).toBeLessThan(6)
    expect(readFileSync(path.join(folder, 'resume.journal'), 'utf8').match(/"type":"done"/g)).toHaveLength(2)
  })
})

test('with more seeds a run resumes, each question is answered once per seed, and intervals draw both', async () => {
  let asked = 0
  const inner = scriptedEngine((request, index) => {
    asked++
    if (JSON.stringify(request.messages).includes('Drafts:')) return '#### 7'
    return `#### ${(request.seeds[index] ?? 0) % 2 === 0 ? 7 : 1}`
  })
  await runWith(inner, 'seeds.journal')
  const before = asked
  const seeds = (count: number) => ({ questions: repeatQuestions(questions, count) })
  const run = await runWith(inner, 'seeds.journal', seeds(3))
  expect(asked).toBe(3 * before)
  const table = await tabulate(gsm8k, run, 0)
  expect(table.questions.map(({ id, question, seed }) => [id, question, seed])).toEqual([
    ['0', undefined, undefined],
    ['1', undefined, undefined],
    ['0 (seed 2)', '0', 1],
    ['1 (seed 2)', '1', 1],
    ['0 (seed 3)', '0', 2],
    ['1 (seed 3)', '1', 2],
  ])
  const single = table.rows.find(({ control }) => control === 'single')
  const right = table.questions.filter((q) => q.answers.find((a) => a.control === 'single')?.scores.strict)
  expect(single).toMatchObject({ n: 2, scores: { strict: { mean: right.length / 6 } } })
  expect(right.length % 6).not.toBe(0) // the seeds differ, so that the interval has something to draw
  const methods = tabulateMethods([{ name: 'one', lines: table.questions }])
  expect(methods).toMatchObject({ questions: 2, seeds: [3], metric: 'flexible' })
  for (const { control, cells } of methods.rows)
    expect(cells[0]?.mean).toBeCloseTo(
      table.rows.find((row) => row.control === control)?.scores.flexible?.mean ?? -1,
    )
})

test('one answer that repeats itself is sampled again, as it would be alone; a vote ignores it', async () => {
  const runaway = 'on and on it goes '.repeat(30)
  const plans = planControls({ ...options, maxTokens: 500 })
  let samples = 0
  const engine = scriptedEngine((request, index) => {
    const text = JSON.stringify(request.messages)
    if (/Drafts:|Candidates:/.test(text)) return '1'
    if ((request.sampling.maxTokens ?? 0) > 500) return '#### 5'
    samples++
    return request.n === 3 ? [runaway, '#### 7', '#### 7'][index] : '#### 6'
  })
  const { answered } = await runWith(engine, 'runaway.journal', { questions: questions.slice(0, 1), plans })
  const answers = answered[0]?.answers
  expect(answers?.single).toMatchObject({ text: '#### 6', completions: 2, usage: { calls: 2 } })
  expect(answers?.single).not.toHaveProperty('degradedBecause')
  expect(answers?.majority).toMatchObject({ text: '#### 7', completions: 3, usage: { calls: 1 } })
  expect(samples).toBe(5) // three proposals, one anew for the single answer, one more for the controls of equal size
})

test('copied text is measured by 4-grams, and the proposal that has most of them is named', () => {
  expect(findCopied('one two three four five', ['a b c d', 'One, two, three, four!'])).toEqual({
    share: 0.5,
    nearest: 1,
  })
  expect(findCopied('one two three four', ['one two three four', 'one two three four'])).toEqual({ share: 1 })
  expect(findCopied('too short', ['too short'])).toEqual({ share: 0 })
})
