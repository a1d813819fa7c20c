import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Message } from '../core/provider/engine.ts'
import { textOf } from '../core/provider/engine.ts'
import type { Template } from '../core/provider/template.ts'
import { aggregatorMessages } from '../core/templates.ts'
import { validateFolder } from '../files/examples.ts'
import type { BadRow, Example, SourceRow } from '../files/rows/row.ts'
import { readTemplate } from '../files/template-file.ts'
import { defaultTemplate, paperTemplate } from '../plans/wordings.ts'
import { type BuildOptions, buildDataset } from './build.ts'
import { writeDataCard } from './data-card.ts'
import { exportFolder } from './export.ts'
import {
  decodeFingerprints,
  encodeFingerprints,
  findHits,
  makeFingerprints,
  readOwnFingerprints,
} from './fingerprints.ts'
import { createLanguageCheck } from './languages.ts'
import { generateArithmetic } from './sources/arithmetic.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'build-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const at = (name: string) => join(folder, name)
const lines = (file: string) =>
  readFileSync(at(file), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))

function build(rows: Iterable<SourceRow | BadRow>, more: Partial<BuildOptions> = {}, out = 'out') {
  return buildDataset({
    rows,
    source: 'test',
    out: at(out),
    template: paperTemplate,
    seed: 1,
    target: 'gold',
    proposals: 3,
    minProposals: 2,
    chooseBy: 'models',
    benchmarks: [],
    dropsNearDuplicates: true,
    plainShare: 0,
    hasSftTwin: false,
    validationShare: 0,
    maxBadShare: 0.5,
    writeCard: () => {},
    ...more,
  })
}

const row = (id: string, texts: string[], more: Partial<SourceRow> = {}): SourceRow => ({
  id,
  prompt: [{ role: 'user', content: `What is ${id}?` }],
  responses: texts.map((text, i) => ({ text, model: `m${i}`, score: i })),
  target: `${id} is this.`,
  ...more,
})

test('an example has the prompt that the aggregator gets at inference, and the target as its completion', async () => {
  const given = row('it', ['one', '<think>hm</think>two', ' three '])
  await build([given], { seed: 3 })
  const [example] = lines('out/train.jsonl') as [Example]
  const order = example.proposals.map(({ model }) => Number(model[1]))
  const texts = order.map((i) => ({ text: ['one', 'two', 'three'][i] as string }))
  expect(example).toEqual({
    id: 'it',
    prompt: aggregatorMessages(paperTemplate, given.prompt, texts),
    completion: [{ role: 'assistant', content: 'it is this.' }],
    source: 'test',
    proposals: order.map((i) => ({ model: `m${i}`, onPolicy: false, span: expect.any(Array) })),
    template: 'aft-1',
  })
  const system = String(example.prompt[0]?.content)
  expect(example.proposals.map(({ span = [0, 0] }) => system.slice(...span))).toEqual(
    texts.map(({ text }) => text),
  )
})

test('a template with its proposals at the tail gives the same prompt as inference, and the place of each proposal', async () => {
  const given = row('it', ['one', 'two', 'three'])
  await build([given], { template: defaultTemplate })
  const [example] = lines('out/train.jsonl') as [Example]
  const texts = example.proposals.map(({ model }) => ({
    text: ['one', 'two', 'three'][Number(model[1])] ?? '',
  }))
  expect(example.prompt).toEqual(aggregatorMessages(defaultTemplate, given.prompt, texts))
  expect(example.template).toBe('aft-2')
  const shows = ({ at = 0, span = [0, 0] }: Example['proposals'][number]) =>
    textOf(example.prompt[at] as Message).slice(...span)
  expect(example.proposals.map(shows)).toEqual(texts.map(({ text }) => text))
  expect(await validateFolder(at('out'))).toEqual({
    train: 1,
    validation: 0,
    notes: [expect.stringContaining('LLaMA-Factory would drop 1 examples')],
  })
  await expect(exportFolder(at('out'), at('lf'), 'llama-factory')).rejects.toThrow(
    /do not take turns in the example "it", and LLaMA-Factory drops such rows: build .* --template aft-1/,
  )
  expect(existsSync(at('lf'))).toBe(false)
  expect(await exportFolder(at('out'), at('trl'), 'trl')).toBe(1)
})

test('a template that is not built in is written beside the rows', async () => {
  const card = (template: Template) => (counts: Parameters<typeof writeDataCard>[2], path: string) =>
    writeDataCard(path, { format: 'f', inputs: [], template, settings: {}, hasSftTwin: false }, counts)
  const mine = { ...paperTemplate, id: 'mine', proposal: '{{text}}' }
  await build([row('it', ['a', 'b'])], { template: mine, writeCard: card(mine) }, 'mine')
  await build([row('it', ['a', 'b'])], { writeCard: card(paperTemplate) }, 'built-in')
  expect(await readTemplate(at('mine/template.json'))).toEqual(mine)
  expect(existsSync(at('built-in/template.json'))).toBe(false)
})

test('the same rows and seed give the same bytes; another seed gives another order', async () => {
  const card = (counts: Parameters<typeof writeDataCard>[2], path: string) =>
    writeDataCard(
      path,
      { format: 'f', inputs: [], template: paperTemplate, settings: { seed: 1 }, hasSftTwin: true },
      counts,
    )
  const more = { validationShare: 0.3, plainShare: 0.5, hasSftTwin: true, writeCard: card }
  await build(generateArithmetic(40, 1), more, 'a')
  await build(generateArithmetic(40, 1), more, 'b')
  await build(generateArithmetic(40, 1), { ...more, seed: 2 }, 'c')
  const names = [
    'train.jsonl',
    'validation.jsonl',
    'dropped.jsonl',
    'README.md',
    'sft/train.jsonl',
    'sft/validation.jsonl',
  ]
  for (const name of names) expect(readFileSync(at(`b/${name}`))).toEqual(readFileSync(at(`a/${name}`)))
  expect(readFileSync(at('c/train.jsonl'))).not.toEqual(readFileSync(at('a/train.jsonl')))
  const plain = lines('a/train.jsonl').filter((e: Example) => e.proposals.length === 0)
  expect(plain.length).toBeGreaterThan(0)
  expect(plain[0].prompt[0]).toEqual({ role: 'system', content: '\n' })
  const sides = await validateFolder(at('a'))
  expect(sides.validation).toBeGreaterThan(2)
  expect(lines('a/sft/train.jsonl').length + plain.length).toBe(sides.train)
})

test('each dropped row is written down with its reason', async () => {
  const long = Array.from({ length: 200 }, () => 'again').join(' ')
  const rows = [
    row('good', ['a', 'b', 'b ', '', long]),
    row('lonely', ['a', 'a', 'lonely is this.']),
    row('good', ['c', 'd'], { id: 'twin' }),
    row('empty', ['a', 'b'], { target: '<think>only</think>' }),
    row('none', ['a', 'b'], { target: undefined }),
    { place: 'x.jsonl:7', problem: 'expected an object' },
  ]
  const counts = await build(rows)
  expect(lines('out/dropped.jsonl')).toEqual([
    {
      row: 'lonely',
      reason: 'too few proposals',
      detail: { usable: 1, left: { repeated: 1, 'is the target': 1 } },
    },
    { row: 'twin', reason: 'duplicate prompt' },
    { row: 'empty', reason: 'the target is empty' },
    { row: 'none', reason: 'no target' },
    { row: 'x.jsonl:7', reason: 'broken', detail: 'expected an object' },
  ])
  expect(counts).toMatchObject({
    read: 6,
    bad: 1,
    train: 1,
    left: { repeated: 2, empty: 1, runaway: 1, 'is the target': 1 },
  })
})

test('with keepsEqual, proposals that equal the target or one another are shown; empty and runaway ones are not', async () => {
  const long = Array.from({ length: 200 }, () => 'again').join(' ')
  const given = row('lonely', ['a', 'a', 'lonely is this.', '', long])
  const counts = await build([given], { keepsEqual: true })
  const [example] = lines('out/train.jsonl') as [Example]
  const system = String(example.prompt[0]?.content)
  const shown = example.proposals.map(({ span = [0, 0] }) => system.slice(...span))
  expect(shown.sort()).toEqual(['a', 'a', 'lonely is this.'])
  expect(counts.left).toEqual({ empty: 1, runaway: 1 })
})

test('too many broken records end the build, name the first, and leave nothing', async () => {
  const rows = [{ place: '/d/x.jsonl:7', problem: 'expected an object' }, row('a', ['x', 'y'])]
  await expect(build(rows, { maxBadShare: 0.1 })).rejects.toThrow(
    '/d/x.jsonl:7: expected an object. 1 of 2 records are broken',
  )
  expect([existsSync(at('out')), existsSync(at('out.unfinished'))]).toEqual([false, false])
})

test('a folder that is not empty is replaced only if the caller asks and only if it is a data set', async () => {
  await build([row('a', ['x', 'y'])])
  await expect(build([])).rejects.toThrow('out is not empty')
  await build([], { restart: true })
  expect(lines('out/train.jsonl')).toEqual([])
  rmSync(at('out/train.jsonl'))
  await expect(build([], { restart: true })).rejects.toThrow('it is not a data set')
})

test('with target "best", the response with the best score is the target and not a proposal', async () => {
  await build([row('it', ['low', 'mid', 'high'])], { target: 'best' })
  const [example] = lines('out/train.jsonl') as [Example]
  expect(example.completion[0].content).toBe('high')
  expect(example.proposals.map((p) => p.model).sort()).toEqual(['m0', 'm1'])
})

describe('a token budget', () => {
  const words = (n: number) => Array.from({ length: n }, (_, i) => `word${i}`).join(' ')
  const countTokens = async (messages: Message[]) => messages.map(textOf).join(' ').split(/\s+/).length
  const rows = () => [row('it', [words(400), words(300), 'short'], { target: words(150) })]

  test('cuts long proposals in the middle to the same length, and never the completion', async () => {
    await build(rows(), { budget: { maxTokens: 500, countTokens, tooLong: 'trim' } })
    const [example] = lines('out/train.jsonl') as [Example]
    expect(example.completion[0].content).toBe(words(150))
    const limits = example.proposals.map((p) => p.trimmedTo).filter((limit) => limit !== undefined)
    expect(limits).toEqual([limits[0], limits[0]])
    const tokens = await countTokens([...example.prompt, ...example.completion])
    expect(tokens).toBeLessThanOrEqual(500)
    expect(tokens).toBeGreaterThan(430)
  })

  test('drops the row if cutting is not wanted or not enough', async () => {
    await build(rows(), { budget: { maxTokens: 500, countTokens, tooLong: 'drop' } })
    await build(rows(), { budget: { maxTokens: 200, countTokens, tooLong: 'trim' } }, 'small')
    for (const name of ['out', 'small']) {
      expect(lines(`${name}/dropped.jsonl`)).toEqual([{ row: 'it', reason: 'too many tokens' }])
    }
  })
})

test('prompts that differ in a word or in punctuation are near-duplicates, others are not', async () => {
  const story = Array.from({ length: 60 }, (_, i) => `part${i % 17} of story${i}`).join(' ')
  const ask = (content: string, id: string) => row(id, ['a', 'b'], { prompt: [{ role: 'user', content }] })
  await build([
    ask(story, 'a'),
    ask(`${story}!`, 'b'),
    ask(story.replace('story30', 'tale'), 'c'),
    ask('Hi?', 'd'),
  ])
  expect(lines('out/dropped.jsonl')).toEqual([
    { row: 'b', reason: 'near-duplicate prompt', detail: 'a' },
    { row: 'c', reason: 'near-duplicate prompt', detail: 'a' },
  ])
})

test('fingerprints find a benchmark prompt, whole or within another, and survive being written', () => {
  const prompt = 'A farmer has twelve hens, and each of them lays five eggs in a week of rain.'
  const sets = decodeFingerprints(encodeFingerprints([makeFingerprints('eggs', [prompt, 'Hi there.'])]))
  expect(sets[0]).toMatchObject({ name: 'eggs', prompts: 2 })
  expect(findHits(`Solve this: ${prompt.toUpperCase()} Thanks`, sets)).toEqual(['eggs'])
  expect(findHits('hi THERE', sets)).toEqual(['eggs'])
  expect(findHits('hi there, how are you', sets)).toEqual([])
  expect(findHits('A farmer has twelve hens, and each of them sings.', sets)).toEqual([])
})

test('the program brings the fingerprints of four benchmarks', () => {
  expect(readOwnFingerprints().map(({ name, prompts }) => [name, prompts])).toEqual([
    ['alpaca-eval', 805],
    ['mt-bench', 160],
    ['gsm8k-test', 1319],
    ['ifeval', 541],
  ])
})

test('each trainer gets its own form', async () => {
  await build([row('it', ['a', 'b'])])
  const [example] = lines('out/train.jsonl') as [Example]
  for (const trainer of ['trl', 'llama-factory', 'axolotl'] as const) {
    expect(await exportFolder(at('out'), at(trainer), trainer)).toBe(1)
  }
  const { prompt, completion } = example
  expect(lines('trl/train.jsonl')).toEqual([{ prompt, completion }])
  expect(lines('llama-factory/train.jsonl')).toEqual([{ messages: [...prompt, ...completion] }])
  const marked = [...prompt.map((m) => ({ ...m, training: false })), { ...completion[0], training: true }]
  expect(lines('axolotl/train.jsonl')).toEqual([{ messages: marked }])
  const info = JSON.parse(readFileSync(at('llama-factory/dataset_info.json'), 'utf8'))
  expect(info.aft).toMatchObject({ file_name: 'train.jsonl', formatting: 'sharegpt' })
})

test('a folder with a broken line, a repeated id or a prompt in both splits is not valid', async () => {
  await build([row('a', ['x', 'y']), row('b', ['x', 'y'])])
  const train = readFileSync(at('out/train.jsonl'), 'utf8')
  const put = (name: string, text: string) => writeFileSync(at(`out/${name}.jsonl`), text)
  put('train', `${train}{"id":"c"}\n`)
  await expect(validateFolder(at('out'))).rejects.toThrow('train.jsonl:3: expected an example; `prompt`: ')
  put('train', train + train)
  await expect(validateFolder(at('out'))).rejects.toThrow('train.jsonl:3: has the id "a"')
  put('train', train)
  put('validation', train.split('\n')[0]?.replace('"id":"a"', '"id":"z"') ?? '')
  await expect(validateFolder(at('out'))).rejects.toThrow(
    'validation.jsonl:1: its prompt is in train.jsonl too',
  )
})

test('rows in another language and rows that are too long are dropped, with the language or the length', async () => {
  const rows = [
    row('good', ['a', 'b']),
    row('asked', ['a', 'b'], { prompt: [{ role: 'user', content: 'Pourquoi le ciel est-il bleu ?' }] }),
    row('answered', ['a', 'b'], { target: 'Der Himmel ist blau, weil Luft das Licht streut.' }),
    row('long', ['a', 'b'], { prompt: [{ role: 'user', content: 'Why is the sky blue? '.repeat(20) }] }),
  ]
  await build(rows, { findOtherLanguage: await createLanguageCheck(['en']), maxPromptChars: 400 })
  expect(lines('out/dropped.jsonl')).toEqual([
    { row: 'asked', reason: 'the prompt is in another language', detail: 'fr' },
    { row: 'answered', reason: 'the target is in another language', detail: 'de' },
    { row: 'long', reason: 'the prompt is too long', detail: 420 },
  ])
})
