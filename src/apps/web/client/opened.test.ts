import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { readOpened } from './opened.ts'
import { filterPairs, gainOf, isUsable, pairUp } from './pairs.ts'
import { describeResults } from './results.ts'

const question = (id: string, single: number, aft: number) => ({
  id,
  prompt: `What is ${id}?`,
  proposals: [{ text: 'one', score: 0 }],
  answers: [
    { control: 'single', text: `${id} alone`, scores: { right: single } },
    { control: 'aft', text: `${id} together`, scores: { right: aft } },
  ],
})
const file = [question('a', 0, 1), question('b', 1, 1), question('c', 1, 0), question('d', 0, 0.5)]
  .map((row) => JSON.stringify(row))
  .join('\n')

test('the questions of an evaluation open as one journal per control, with scores', () => {
  const { journals } = readOpened('questions.jsonl', `${file}\n{"torn`)
  expect(journals.map(({ name }) => name)).toEqual(['single (questions.jsonl)', 'aft (questions.jsonl)'])
  expect(journals[1]).toMatchObject({
    scores: { a: 1, b: 1, c: 0, d: 0.5 },
    turns: [{ id: 'a', question: 'What is a?', run: { state: 'done', answer: 'a together' } }, {}, {}, {}],
  })
  expect(journals[1]?.turns[0]?.run.layers[0]?.members).toMatchObject([{ text: 'one', engine: 'score 0' }])
})

test('gains are listed largest first, losses too, and equal answers do not differ', () => {
  const [single, aft] = readOpened('questions.jsonl', file).journals
  const pairs = pairUp(single as never, aft)
  const ids = (...filter: Parameters<typeof filterPairs> extends [unknown, ...infer R] ? R : never) =>
    filterPairs(pairs, ...filter).map(({ id }) => id)
  expect(ids('gain', '')).toEqual(['a', 'd'])
  expect(ids('loss', '')).toEqual(['c'])
  expect(ids('all', 'IS B')).toEqual(['b'])
  expect(ids('differing', '')).toEqual(['a', 'b', 'c', 'd'])
  expect(ids('failed', '')).toEqual([])
  expect(gainOf(pairs[3] as never)).toBe(0.5)
  const alone = pairUp(single as never, undefined)
  expect([isUsable('one', alone), isUsable('two', alone), isUsable('scores', alone)]).toEqual([
    true,
    false,
    false,
  ])
})

test('failed and degraded prompts are found, and a prompt that only one journal has does not differ', () => {
  const journal = (...lines: object[]) =>
    readOpened('x', lines.map((line) => JSON.stringify(line)).join('\n')).journals[0]
  const prompt = (id: string) => ({ type: 'prompt', id, messages: [{ role: 'user', content: id }] })
  const answer = { type: 'answer', answer: 'x', degraded: true, degradedBecause: ['late'], usage: {}, ms: 1 }
  const error = { type: 'answer', error: { kind: 'server', message: 'broke' } }
  const first = journal(prompt('a'), prompt('b'), { ...answer, prompt: 'a' }, { ...error, prompt: 'b' })
  const second = journal(prompt('a'), { ...answer, prompt: 'a', answer: 'y' })
  const pairs = pairUp(first as never, second)
  expect(filterPairs(pairs, 'failed', '').map(({ id }) => id)).toEqual(['b'])
  expect(filterPairs(pairs, 'degraded', '').map(({ id }) => id)).toEqual(['a'])
  expect(filterPairs(pairs, 'differing', '').map(({ id }) => id)).toEqual(['a'])
})

test('MT-Bench’s questions open with their conversation and what the judge wrote', () => {
  const messages = ['Name a river.', 'The Tagus.', 'Where does it end?'].map((content, i) => ({
    role: i === 1 ? 'assistant' : 'user',
    content,
  }))
  const row = {
    id: '81:2',
    prompt: 'Where does it end?',
    messages,
    proposals: [{ text: 'In Lisbon.' }],
    answers: [{ control: 'answer', text: 'At Lisbon.', scores: { rating: 7 }, grade: 'Short. [[7]]' }],
  }
  const [journal] = readOpened('questions.jsonl', JSON.stringify(row)).journals
  expect(journal).toMatchObject({ scores: { '81:2': 7 }, grades: { '81:2': 'Short. [[7]]' } })
  expect(journal?.turns[0]).toMatchObject({ messages, run: { answer: 'At Lisbon.', from: { layer: 1 } } })
})

test('the comparisons of AlpacaEval open as both sides, with wins as scores', () => {
  const row = (preference: number | null) => ({
    instruction: 'Greet.',
    output_1: 'Hello.',
    output_2: 'Good morning.',
    generator_1: 'base',
    generator_2: 'aft',
    preference,
  })
  const { journals } = readOpened('annotations.json', JSON.stringify([row(2), row(1.5), row(null)], null, 2))
  expect(journals.map(({ name }) => name)).toEqual(['base (annotations.json)', 'aft (annotations.json)'])
  expect(journals.map(({ scores }) => scores)).toEqual([
    { 1: 0, 2: 0.5 },
    { 1: 1, 2: 0.5 },
  ])
})

test('every kind of result is described as in its report', async () => {
  const folder = path.join(import.meta.dirname, '../../../../bench/results')
  const names = [
    'evaluation-gsm8k-4x1',
    'evaluation-mt-bench',
    'experiment-perplexity',
    'experiment-convergence',
  ]
  const files = names.flatMap((name) => {
    const text = readFileSync(path.join(folder, `${name}.json`), 'utf8')
    return readOpened(`${name}.json`, text).results
  })
  const rates = { win_rate: 40, standard_error: 2, lc_win_rate: 42, lc_standard_error: 2.5, variant: 'raw' }
  const lengths = { mean_length_chars: 900, baseline_mean_length_chars: 1_000 }
  const made = {
    settings: {},
    command: 'aft eval alpaca-eval',
    version: '1',
    date: '2026-01-01',
    template: null,
  }
  const judged = {
    annotators: [],
    judge: { engine: 'grader' },
    model: 's',
    baseline: 'base',
    n: 40,
    asked: 40,
  }
  const value = { task: 'alpaca-eval', ...judged, ...rates, ...lengths, ...made }
  const { title, parts } = await describeResults([...files, { name: 'result.json', value }])
  expect(title).toMatch(/^GSM8K, /)
  const text = JSON.stringify(parts)
  for (const wanted of [
    'In short',
    'Score over output tokens',
    'Ratings of smollm2',
    'Perplexity by what was shown',
  ])
    expect(text).toContain(wanted)
})

test('what is none of these is refused with the name of the file', async () => {
  const wrong = { task: 'gsm8k', settings: {}, rows: [] }
  const { results } = readOpened('result.json', JSON.stringify(wrong, null, 2))
  await expect(describeResults(results)).rejects.toThrow('result.json: expected the results of an evaluation')
  const header = JSON.stringify({ type: 'header', task: 'mt-bench' })
  expect(() => readOpened('journal.jsonl', header)).toThrow('open questions.jsonl of the same folder')
  expect(() => readOpened('x.jsonl', '{"id": "a", "answer": "b"}')).toThrow('x.jsonl is neither a journal')
})
