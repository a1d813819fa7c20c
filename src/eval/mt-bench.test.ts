import { cpSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { createVirtualClock } from '../../test/virtual-clock.ts'
import { scriptedEngine } from '../engines/scripted/scripted.ts'
import { makePlan } from '../plans/strategies.ts'
import { paperTemplate } from '../plans/wordings.ts'
import {
  askForRating,
  gradeMessages,
  type MtBench,
  readBareRating,
  readMtBench,
  readRating,
  temperatureOf,
} from './mt-bench.ts'
import { runMtBench, tabulateMtBench } from './mt-bench-run.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'mt-bench-'))
const write = (name: string, rows: object[]) =>
  writeFileSync(path.join(folder, name), rows.map((row) => JSON.stringify(row)).join('\n'))
const names = ['single-v1', 'single-math-v1', 'single-v1-multi-turn', 'single-math-v1-multi-turn']
let bench: MtBench

beforeAll(async () => {
  write('question.jsonl', [
    { question_id: 1, category: 'writing', turns: ['Write.', 'Rewrite.'] },
    { question_id: 2, category: 'math', turns: ['Add {answer}.', 'Subtract.'] },
  ])
  write('reference-gpt-4.jsonl', [{ question_id: 2, choices: [{ turns: ['five', 'one'] }] }])
  const marks =
    '{question}|{question_1}|{question_2}|{answer}|{answer_1}|{answer_2}|{ref_answer_1}|{ref_answer_2}'
  write(
    'judge_prompts.jsonl',
    names.map((name) => ({ name, system_prompt: name, prompt_template: marks })),
  )
  bench = await readMtBench(folder)
})

describe('a rating', () => {
  test.each([
    ['Good. Rating: [[7]]', 7],
    ['[3] or rather [[8.5]]', 8.5],
    ['Rating: [6]', 6],
    ['[[11]]', undefined],
    ['[[0]]', undefined],
    ['ten of ten', undefined],
  ])('of %j is %j', (text, rating) => expect(readRating(text)).toBe(rating))
})

describe('a reply to the question for the rating alone', () => {
  test.each([
    ['Rating: [[7]]', 7],
    ['Rating: 5', 5],
    ['**Rating: [4.5]**', 4.5],
    ['8', 8],
    ['Rating: [n]', undefined],
    ['Rating: 50', undefined],
    ['I rate 7', undefined],
  ])('of %j is %j', (text, rating) => expect(readBareRating(text)).toBe(rating))
})

test('the judge sees turn 1 alone, turn 2 with the whole dialogue, and references if there are any', () => {
  const [writing, math] = bench.questions
  if (!writing || !math) throw new Error('no questions')
  const [system, user] = gradeMessages(bench, math, ['A', 'B'], 2)
  expect(system?.content).toBe('single-math-v1-multi-turn')
  expect(user?.content).toBe('Add {answer}.|Add {answer}.|Subtract.|A|A|B|five|one')
  expect(gradeMessages(bench, writing, ['A', 'B'], 1)[0]?.content).toBe('single-v1')
})

test('questions with ids of 64 bits are not taken for one another', async () => {
  const other = mkdtempSync(path.join(tmpdir(), 'mt-bench-ids-'))
  cpSync(folder, other, { recursive: true })
  const line = (id: string) =>
    `{"question_id": ${id}, "category": "writing", "turns": ["Write ${id}.", "Again."]}`
  const ids = ['9007199254740992', '9007199254740993']
  writeFileSync(path.join(other, 'question.jsonl'), ids.map(line).join('\n'))
  expect((await readMtBench(other)).questions.map(({ id }) => id)).toEqual(ids)
  writeFileSync(path.join(other, 'question.jsonl'), `[${ids.map(line).join()}]`)
  expect((await readMtBench(other)).questions.map(({ id }) => id)).toEqual(ids)
})

test('each category has its temperature', () => {
  expect(['roleplay', 'coding', 'stem', 'another'].map(temperatureOf)).toEqual([0.7, 0, 0.1, 0.7])
})

test('the second turn sees the aggregated first answer; grades without a rating are counted and left out of means', async () => {
  const seen: string[] = []
  const inner = scriptedEngine([
    { system: 'single-v1-multi-turn', replies: ['[[9]]'] },
    { system: 'single-v1', replies: ['[[4]]'] },
    { system: 'single-math-v1', replies: ['no idea'] },
    { system: 'Drafts:', replies: ['aggregated'] },
    { replies: ['draft'] },
  ])
  const engine = {
    id: inner.id,
    generate(request: Parameters<typeof inner.generate>[0]) {
      seen.push(request.messages.map((m) => `${m.role}:${m.content}`).join(' / '))
      return inner.generate(request)
    },
  }
  const planOf = (category: string) =>
    makePlan({ proposers: ['p'], width: 2, depth: 1, maxTokens: 9, temperature: temperatureOf(category) })
  const { graded } = await runMtBench({
    bench,
    questions: bench.questions,
    planOf,
    engines: { p: engine },
    judge: 'p',
    active: 1,
    version: '0',
    template: paperTemplate,
    clock: createVirtualClock(),
    journal: path.join(folder, 'journal'),
    seed: 0,
  })
  expect(seen).toContain('system:\n / user:Write. / assistant:aggregated / user:Rewrite.')
  const table = tabulateMtBench(graded, 0)
  expect(table).toMatchObject({
    turn_1: { mean: 4, n: 1 },
    turn_2: { mean: 9, n: 1 },
    both: { mean: 6.5, n: 2 },
  })
  expect(table.unreadable).toEqual([
    { id: '2', turn: 1 },
    { id: '2', turn: 2 },
  ])
  expect(table.categories).toEqual([
    { category: 'writing', turn_1: 4, turn_2: 9, both: 6.5 },
    { category: 'math', turn_1: null, turn_2: null, both: null },
  ])
})

test('a judge that wrote no rating can give one when it is asked again', async () => {
  const inner = scriptedEngine([
    { system: 'single-v1', replies: ['[[4]]'] },
    { system: 'single-math-v1', replies: ['no idea'] },
    { replies: ['an answer'] },
  ])
  const again: string[] = []
  const engine = {
    id: inner.id,
    generate(request: Parameters<typeof inner.generate>[0]) {
      const [last, before] = request.messages.toReversed()
      if (last?.content !== askForRating) return inner.generate(request)
      again.push(`${before?.content}`)
      return scriptedEngine([{ replies: [again.length > 1 ? 'none' : 'Rating: 3'] }]).generate(request)
    },
  }
  const { graded } = await runMtBench({
    bench,
    questions: bench.questions,
    engines: { p: engine },
    judge: 'p',
    active: 1,
    version: '0',
    planOf: () => makePlan({ strategy: 'single', proposers: ['p'], maxTokens: 9 }),
    template: paperTemplate,
    clock: createVirtualClock(),
    seed: 0,
    askAgain: true,
    journal: path.join(folder, 'journal-again'),
  })
  expect(again).toEqual(['no idea', 'no idea'])
  const table = tabulateMtBench(graded, 0)
  expect(table.asked_again).toBe(1)
  expect(table.unreadable).toHaveLength(1)
  expect(table.both?.n).toBe(3)
})

test('equal ratings have an interval of width 0, even if some are missing', () => {
  const turn = { answer: '', usage: {} as never, ms: 0 }
  const grade = (rating: number | null) => ({ rating, text: '' })
  const graded = bench.questions.map((question, i) => ({
    question,
    turns: [turn, turn] as [typeof turn, typeof turn],
    grades: [grade(6), grade(i === 0 ? null : 6)] as [ReturnType<typeof grade>, ReturnType<typeof grade>],
  }))
  const { both } = tabulateMtBench(graded, 0)
  expect(both).toEqual({ mean: 6, interval: { low: 6, high: 6 }, n: 3 })
})

test('a math question without a reference is refused with its row', async () => {
  write('question.jsonl', [{ question_id: 7, category: 'math', turns: ['a', 'b'] }])
  await expect(readMtBench(folder)).rejects.toThrow(
    /question.jsonl:1: expected a reference answer of question 7/,
  )
  write('question.jsonl', [{ question_id: 7, category: 'writing', turns: ['a'] }])
  await expect(readMtBench(folder)).rejects.toThrow(/question.jsonl:1: expected `turns` to be two texts/)
})
