/** Exports are read by the trainers that they are for. Takes half a minute after the Python packages are installed. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { Message } from '../src/core/provider/engine.ts'
import { loadNative } from '../src/engines/embedded/native.ts'
import { createRenderer } from '../src/engines/embedded/prompt.ts'
import { resolveModel } from '../src/engines/models/models.ts'
import { readExamples } from '../src/files/examples.ts'
import type { Example } from '../src/files/rows/row.ts'
import { aft } from './command-line.ts'
import { installPython } from './peers/python.ts'

const packages = [
  'torch==2.13.0',
  'trl==1.16.0',
  'transformers==5.23.0',
  'peft==0.21.2',
  'accelerate==1.15.0',
  'datasets==5.2.0',
  'gguf==0.19.0',
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
let file: string
beforeAll(async () => {
  file = (await resolveModel('smollm2-q4_1')).file
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

test('Parquet has the same content as the lines', async () => {
  const { readParquet } = await import('../src/files/rows/read-parquet.ts')
  const rows = []
  for await (const { value } of readParquet(path.join(cwd, 'parquet/train.parquet'))) rows.push(value)
  const bare = (example: Example) => ({
    ...example,
    proposals: example.proposals.map(({ span: _, ...p }) => ({ ...p, trimmedTo: null })),
  })
  expect(rows).toEqual(examples.map(bare))
})

const trainers = [
  { form: 'llama-factory', tested: 'llamafactory==0.9.5', variable: 'LLAMA_FACTORY_PYTHON' },
  { form: 'axolotl', tested: 'axolotl==0.19.0', variable: 'AXOLOTL_PYTHON' },
]

/** The Python that has a trainer: of the environment, or of a folder that is made once. A text if pip cannot install it. */
function findTrainer({ tested, variable }: (typeof trainers)[number]): { python: string } | string {
  const given = process.env[variable]
  if (given) return { python: given }
  try {
    return { python: installPython([tested]) }
  } catch {
    return `pip cannot install ${tested} here; ${variable} may name a Python that has it`
  }
}

describe.each(trainers)("$form's own loader", (trainer) => {
  const { form } = trainer
  test('takes the export and trains on each completion, and on no earlier answer', ({ skip }) => {
    const found = findTrainer(trainer)
    if (typeof found === 'string') return skip(found)
    const tokenizer = path.join(cwd, 'tokenizer')
    const save = `from transformers import AutoTokenizer as T; import sys; f = sys.argv[1]
T.from_pretrained(f[: f.rindex('/')], gguf_file=f[f.rindex('/') + 1 :]).save_pretrained(sys.argv[2])`
    execFileSync(installPython(packages), ['-c', save, file, tokenizer], { stdio: 'ignore' })
    const loader = path.join(import.meta.dirname, 'peers/load_trainers.py')
    const output = execFileSync(found.python, [loader, form, path.join(cwd, form), tokenizer], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const trained: string[] = JSON.parse(output.trim().split('\n').at(-1) as string)
    expect(trained.map((text) => text.trim())).toEqual(
      examples.map(({ completion: [{ content }] }) => `${content}<|im_end|>`),
    )
  })
})

test('the settings for LLaMA-Factory and axolotl name files that exist, and fields that the rows have', () => {
  const read = (name: string) => readFileSync(path.join(cwd, name), 'utf8')
  const rows = (folder: string): { messages: (Message & { training?: boolean })[] }[] =>
    read(`${folder}/train.jsonl`)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  for (const folder of ['llama-factory', 'axolotl']) {
    expect(rows(folder)).toHaveLength(examples.length)
    for (const { messages } of rows(folder)) {
      expect(messages.map((m) => m.role).join(' ')).toMatch(/^system( user assistant)+$/)
    }
  }
  for (const { messages } of rows('axolotl')) {
    expect(messages.map((m) => m.training)).toEqual(messages.map((_, i) => i === messages.length - 1))
  }
  expect(parse(read('axolotl/dataset.yaml'))).toEqual({
    chat_template: 'tokenizer_default',
    train_on_inputs: false,
    datasets: [
      {
        path: 'train.jsonl',
        ds_type: 'json',
        type: 'chat_template',
        field_messages: 'messages',
        message_property_mappings: { role: 'role', content: 'content' },
        message_field_training: 'training',
        roles_to_train: [],
        train_on_eos: 'turn',
      },
    ],
  })
  const tags = {
    role_tag: 'role',
    content_tag: 'content',
    user_tag: 'user',
    assistant_tag: 'assistant',
    observation_tag: 'tool',
  }
  expect(JSON.parse(read('llama-factory/dataset_info.json'))).toEqual({
    aft: {
      file_name: 'train.jsonl',
      formatting: 'sharegpt',
      columns: { messages: 'messages' },
      tags: { ...tags, system_tag: 'system' },
    },
  })
  expect(parse(read('llama-factory/dataset.yaml'))).toEqual({
    dataset_dir: '.',
    dataset: 'aft',
    mask_history: true,
  })
})
