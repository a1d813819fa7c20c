/** Exports in the hands of the trainers they are for. Half a minute once the Python packages are there. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Message } from '../src/core/engine.ts'
import { readExamples } from '../src/dataset/read-examples.ts'
import type { Example } from '../src/dataset/row.ts'
import { loadNative } from '../src/engines/embedded/native.ts'
import { createRenderer } from '../src/engines/embedded/prompt.ts'
import { resolveModel } from '../src/engines/models.ts'
import { aft } from './command-line.ts'
import { installPython } from './peers/python.ts'

const packages = [
  ...['torch==2.13.0', 'trl==1.16.0', 'transformers==5.23.0', 'peft==0.21.2', 'accelerate==1.15.0'],
  ...['datasets==5.2.0', 'gguf==0.19.0'],
]
const script = path.join(import.meta.dirname, 'peers/load_exports.py')

const conversations: Message[][] = [
  [{ role: 'user', content: '  Why is "the sky" blue?\n\n\tSay it in 3.14 words.  ' }],
  [
    { role: 'system', content: 'Du bist höflich.' },
    { role: 'user', content: 'Größe? 東京タワーは 333 m です。' },
    { role: 'assistant', content: 'Ja 🙂👩‍🚀' },
    { role: 'user', content: 'Und naïve Cafés, e\u0301?' },
  ],
  [{ role: 'user', content: '```ts\nconst x = { a: [1, 2] } // \\n\n```\r\nWhat is <x> & |y|?' }],
]

let cwd: string
let examples: Example[]
beforeAll(async () => {
  cwd = mkdtempSync(path.join(tmpdir(), 'exports-'))
  const rows = conversations.map((messages, i) => ({
    messages,
    responses: [`One ${i}.\n- a\n- b`, ` Zwei — „${i}“ `, '三つ目。'],
    target: `Answer ${i}: ✓\n\n1. a\n2. b`,
  }))
  writeFileSync(path.join(cwd, 'rows.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'))
  const built = await aft(['data', 'build', 'rows.jsonl', '--plain', '1', '--validation', '0', '-o', 'set'], {
    cwd,
  })
  expect(built).toMatchObject({ code: 0 })
  for (const form of ['trl', 'llama-factory', 'axolotl', 'parquet']) {
    expect(await aft(['data', 'export', 'set', '--to', form, '-o', form], { cwd })).toMatchObject({ code: 0 })
  }
  examples = []
  for await (const example of readExamples(path.join(cwd, 'set'), 'train')) examples.push(example)
  expect(examples).toHaveLength(2 * conversations.length)
})
afterAll(() => rmSync(cwd, { recursive: true, force: true }))

interface Loaded {
  sizes: Record<string, number>
  rows: { templated: number[]; prompt: number[]; trainedOn: string }[]
}

test("TRL's trainer takes the folder, its export and the Parquet: prompts have the engine's tokens, the loss is on the completion", async () => {
  const python = installPython(packages)
  const { file } = await resolveModel('smollm2-q4_1')
  const model = await loadNative({ file: file, vocabularyOnly: true })
  const render = createRenderer({ ...model, chatTemplate: model.chatTemplate as string }, 'smollm2')
  const expected = examples.map(({ prompt, completion: [{ content }] }) => ({
    templated: render(prompt),
    prompt: render(prompt),
    trainedOn: `${content}<|im_end|>\n`,
  }))
  const folders = ['set', 'trl', 'parquet'].map((name) => path.join(cwd, name))
  const output = execFileSync(python, [script, file, ...folders], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const loaded: Loaded[] = output
    .trim()
    .split('\n')
    .filter((line) => line.startsWith('{"sizes"'))
    .map((line) => JSON.parse(line))
  expect(loaded).toEqual(folders.map(() => ({ sizes: { train: examples.length }, rows: expected })))
  await model.dispose()
})

test('Parquet holds what the lines hold', async () => {
  const { readParquet } = await import('../src/dataset/read-parquet.ts')
  const rows = []
  for await (const { value } of readParquet(path.join(cwd, 'parquet/train.parquet'))) rows.push(value)
  const bare = (example: Example) => ({
    ...example,
    proposals: example.proposals.map((p) => ({ ...p, trimmedTo: null })),
  })
  expect(rows).toEqual(examples.map(bare))
})

test('LLaMA-Factory and axolotl are told of files that are there, with the fields that the rows have', () => {
  const read = (name: string) => readFileSync(path.join(cwd, name), 'utf8')
  const info = JSON.parse(read('llama-factory/dataset_info.json'))
  expect(Object.keys(info)).toEqual(['aft'])
  for (const folder of ['llama-factory', 'axolotl']) {
    const rows = read(`${folder}/train.jsonl`)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    for (const { messages } of rows) {
      expect(messages.map((m: Message) => m.role).join(' ')).toMatch(/^system( user assistant)+$/)
    }
  }
  expect(read('axolotl/dataset.yaml')).toContain('path: train.jsonl')
})
