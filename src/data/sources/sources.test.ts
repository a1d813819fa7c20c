import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { parquetWriteFile } from 'hyparquet-writer'
import { afterAll, expect, test } from 'vitest'
import { listFiles, listTrainingFiles, readRecords } from '../../files/rows/read-records.ts'
import { extractAnswer } from '../../lib/answer-text.ts'
import { generateArithmetic } from './arithmetic.ts'
import { findSource } from './sources.ts'

const folder = mkdtempSync(join(tmpdir(), 'dataset-'))
afterAll(() => rmSync(folder, { recursive: true }))

function put(name: string, content: string | Buffer): string {
  const file = join(folder, name)
  writeFileSync(file, content)
  return file
}
async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
const read = (format: string, ...files: string[]) => collect(findSource(format).read(readRecords(files)))

const rows = [
  { id: 'a', prompt: 'Name a river.', responses: ['Nile', { text: 'The Oder.', model: 'm', score: '4' }] },
  { id: 2, messages: [{ role: 'user', content: 'Ü\u2028 "quoted", [1]' }], responses: [], target: 'Yes.' },
]
const lines = rows.map((row) => `${JSON.stringify(row)}\n`).join('')

test('the same rows come from lines, gzipped lines and arrays, pretty or not', async () => {
  const expected = await read('responses', put('a.jsonl', lines))
  expect(expected).toEqual([
    {
      id: 'a',
      prompt: [{ role: 'user', content: 'Name a river.' }],
      responses: [
        { text: 'Nile', model: 'unknown' },
        { text: 'The Oder.', model: 'm', score: 4 },
      ],
    },
    { id: '2', prompt: rows[1]?.messages, responses: [], target: 'Yes.' },
  ])
  const others = [
    put('b.jsonl.gz', gzipSync(lines)),
    put('c.json', JSON.stringify(rows)),
    put('d.json', `\uFEFF ${JSON.stringify(rows, null, 2)}\n`),
    put('e.jsonl', lines.trimEnd().replaceAll('\n', '\r\n\r\n')),
  ]
  for (const file of others) expect(await read('responses', file)).toEqual(expected)
})

test.each([1, 2, 3, 7, 64])(
  'an array that comes in chunks of %i bytes gives the same elements',
  async (size) => {
    const { splitArray } = await import('../../files/rows/split-json.ts')
    const bytes = Buffer.from(JSON.stringify(rows, null, 1))
    async function* chunks() {
      for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size)
    }
    const pieces = await collect(splitArray(chunks()))
    expect(pieces.map((piece) => JSON.parse(piece.bytes.toString()))).toEqual(rows)
    expect(pieces[0]?.line).toBe(1)
  },
)

test('UltraFeedback as Parquet: ratings are texts, N/A is ignored, and so is the overall score', async () => {
  const completion = (response: string, ratings: string[], more: object = {}) => ({
    annotations: {
      helpfulness: { Rating: ratings[0], Rationale: '' },
      honesty: { Rating: ratings[1], Rationale: '' },
    },
    'fine-grained_score': null,
    critique: 'c',
    custom_system_prompt: 'p',
    model: 'alpaca-7b',
    overall_score: 10,
    principle: 'honesty',
    response,
    ...more,
  })
  const row = {
    source: 'flan',
    instruction: 'Why is the sky blue?',
    models: ['alpaca-7b'],
    completions: [
      completion('good', ['5', '4']),
      completion('odd', ['N/A', '2']),
      completion('given', ['1', '1'], { 'fine-grained_score': 3.5 }),
      completion('none', ['N/A', 'N/A']),
    ],
    correct_answers: ['None'],
    incorrect_answers: ['None'],
  }
  const count = 2_500
  const file = join(folder, 'uf.parquet')
  const all = Array.from({ length: count }, (_, i) => ({ ...row, instruction: `${row.instruction} ${i}` }))
  parquetWriteFile({
    filename: file,
    rowGroupSize: 2_000,
    columnData: ['source', 'instruction', 'models', 'completions'].map((name) => ({
      name,
      type: name === 'models' || name === 'completions' ? 'JSON' : 'STRING',
      data: all.map((r) => r[name as keyof typeof r]),
    })) as never,
  })
  const read = await collect(
    findSource('ultrafeedback').read(readRecords([file], findSource('ultrafeedback'))),
  )
  expect(read).toHaveLength(count)
  expect(read[2_400]).toMatchObject({
    id: 'uf.parquet:2401',
    prompt: [{ content: 'Why is the sky blue? 2400' }],
  })
  expect(read[0]).toMatchObject({
    responses: [{ score: 4.5 }, { score: 2 }, { score: 3.5 }, { text: 'none' }],
  })
  await expect(collect(readRecords([file], { columns: ['instruction', 'chosen'] }))).rejects.toThrow(
    'uf.parquet: lacks the column chosen; it has source, instruction, models, completions',
  )
})

test('UltraFeedback binarized has two responses and the turns before them', async () => {
  const turns = [{ role: 'user', content: 'Hi?' }]
  const reply = (content: string) => [...turns, { role: 'assistant', content }]
  const row = {
    prompt: 'Hi?',
    prompt_id: 'x1',
    chosen: reply('A'),
    rejected: reply('B'),
    score_chosen: 8,
    score_rejected: 5.5,
  }
  expect(await read('ultrafeedback-binarized', put('bin.jsonl', JSON.stringify(row)))).toEqual([
    {
      id: 'x1',
      prompt: turns,
      responses: [
        { text: 'A', model: 'unknown', score: 8 },
        { text: 'B', model: 'unknown', score: 5.5 },
      ],
    },
  ])
})

test('a record that is not a row is named by file and line, and the rows around it are read', async () => {
  const file = put(
    'bad.jsonl',
    Buffer.concat([
      Buffer.from('{"prompt":"a","responses":["x"]}\n[1]\n{"prompt":3}\n{"prompt":"'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from(
        '"}\n{"prompt":"b","responses":[{"text":1}]}\n{"prompt":"c","responses":["x"]}\n{"prompt":"to',
      ),
    ]),
  )
  const found = await read('responses', file)
  expect(found.map((row) => ('problem' in row ? `${row.place.slice(-1)} ${row.problem}` : row.id))).toEqual([
    'bad.jsonl:1',
    '2 expected the record to be an object, got [1]',
    '3 expected `prompt` to be text or a list of messages, got 3',
    '4 expected UTF-8, got other bytes',
    '5 expected `responses[0].text` to be text, got 1',
    'bad.jsonl:6',
    expect.stringMatching(/^7 expected JSON: Unterminated string/),
  ])
})

test('an array that is cut off, or that more text follows, is an error with its line', async () => {
  const row = '{"prompt":"a","responses":["x"]}'
  const cut = /:2: the file ends within the array: it is cut off/
  await expect(read('responses', put('cut.json', `[${row},\n{"prompt":"b`))).rejects.toThrow(cut)
  await expect(read('responses', put('comma.json', `[${row},\n`))).rejects.toThrow(cut)
  const more = /:3: expected nothing after the array/
  await expect(read('responses', put('tail.json', `[${row}]\n\nxyz trailing`))).rejects.toThrow(more)
  expect(await read('responses', put('two.json', `[${row}]\n[${row}]\n`))).toHaveLength(2)
})

test('an id of 64 bits keeps its digits, as in aft run', async () => {
  const twins = ['9007199254740992', '9007199254740993'].map(
    (id) => `{"id":${id},"prompt":"${id}?","responses":["a"]}`,
  )
  const found = await read(
    'responses',
    put('ids.jsonl', twins.join('\n')),
    put('ids.json', `[${twins.join()}]`),
  )
  expect(found.map((row) => 'id' in row && row.id)).toEqual(
    Array(2).fill(['9007199254740992', '9007199254740993']).flat(),
  )
})

test('half of a character is a bad row, and a whole one is not', async () => {
  const file = put(
    'half.jsonl',
    '{"prompt":"\\ud83d","responses":["x"]}\n{"prompt":"\\ud83d\\ude00","responses":["x"]}\n',
  )
  const [half, whole] = await read('responses', file)
  expect(half).toMatchObject({ problem: expect.stringContaining('half of a pair') })
  expect(whole).toMatchObject({ prompt: [{ role: 'user', content: '😀' }] })
})

test('instruction rows ask with their input, system prompt and history, as in aft run', async () => {
  const row = {
    instruction: 'Summarize.',
    input: 'Text.',
    system: 'Be brief.',
    history: [['Hi', 'Hello']],
    responses: [],
  }
  const [found] = await read('responses', put('alpaca.jsonl', JSON.stringify(row)))
  expect(found).toMatchObject({
    prompt: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello' },
      { role: 'user', content: 'Summarize.\n\nText.' },
    ],
  })
})

test('what is there and cannot be read is told', async () => {
  const of = (row: object) =>
    read('responses', put('told.jsonl', JSON.stringify({ prompt: 'a', responses: ['x'], ...row })))
  const problem = async (row: object) => (await of(row))[0]
  expect(await problem({ responses: undefined, others: ['x'] })).toMatchObject({
    problem: expect.stringMatching(
      /^expected several answers per row, such as `responses` .* got \["prompt","others"\]$/,
    ),
  })
  expect(await problem({ id: { a: 1 } })).toMatchObject({
    problem: expect.stringContaining('`id` to be text'),
  })
  expect(await problem({ responses: [{ text: 'x', score: 'good' }] })).toMatchObject({
    problem: 'expected `responses[0].score` to be a number, got "good"',
  })
  expect(await problem({ responses: [{ text: 'x', model: ['m'] }] })).toMatchObject({
    problem: expect.stringContaining('`responses[0].model`'),
  })
  const image = [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }]
  expect(await problem({ prompt: image })).toMatchObject({ problem: expect.stringContaining('image_url') })
  expect(await problem({ prompt: undefined, messages: [{ role: 'system', content: 's' }] })).toMatchObject({
    problem: expect.stringContaining('to hold a question'),
  })
  expect(
    await problem({
      responses: [
        { text: 'x', score: 'N/A' },
        { text: 'y', score: '2' },
      ],
    }),
  ).toMatchObject({
    responses: [
      { text: 'x', model: 'unknown' },
      { text: 'y', score: 2 },
    ],
  })
})

test('hidden files and descriptions of a data set in a folder are skipped', () => {
  const hub = join(folder, 'hub')
  mkdirSync(join(hub, '.cache'), { recursive: true })
  for (const name of ['.cache/x.json', '._train.jsonl', 'dataset_infos.json', 'state.json', 'train.jsonl']) {
    writeFileSync(join(hub, name), '{}')
  }
  expect(listFiles(hub)).toEqual([join(hub, 'train.jsonl')])
  rmSync(hub, { recursive: true })
})

test('of a folder, files whose names say test or validation are not trained on if there are others', () => {
  const hub = join(folder, 'splits')
  const names = [
    'train_sft-00000-of-00001.jsonl',
    'contest.jsonl',
    'evaluations-of-teachers.jsonl',
    'latest.json',
  ]
  const held = [
    'test_prefs-00000-of-00001.jsonl',
    'gsm8k_test.jsonl',
    'validation.jsonl.gz',
    'dev/x.csv',
    'x-test-00000-of-00001.json',
  ]
  mkdirSync(join(hub, 'dev'), { recursive: true })
  for (const name of [...names, ...held]) writeFileSync(join(hub, name), '{}')
  const paths = (list: string[]) => list.map((name) => join(hub, name)).sort()
  expect(listTrainingFiles(hub)).toEqual({ files: paths(names), heldOut: paths(held) })
  expect(listTrainingFiles(join(hub, 'dev'))).toEqual({ files: [join(hub, 'dev/x.csv')], heldOut: [] })
  expect(listTrainingFiles(join(hub, 'validation.jsonl.gz')).heldOut).toEqual([])
  for (const name of names) rmSync(join(hub, name))
  expect(listTrainingFiles(hub)).toEqual({ files: paths(held), heldOut: [] })
  rmSync(hub, { recursive: true })
})

test('what an earlier build wrote within its source folder is no row of the next one', () => {
  const source = join(folder, 'within')
  const mine = [
    'out/train.jsonl',
    'out.unfinished/train.jsonl',
    'out.targets.jsonl',
    'out.old.unfinished/x.jsonl',
  ]
  const others = ['output.jsonl', 'rows.jsonl']
  for (const name of [...mine, ...others]) {
    mkdirSync(join(source, name, '..'), { recursive: true })
    writeFileSync(join(source, name), '{}')
  }
  expect(listTrainingFiles(source, join(source, 'out/')).files).toEqual(
    others.map((name) => join(source, name)),
  )
  for (const name of others) rmSync(join(source, name))
  expect(() => listTrainingFiles(source, join(source, 'out'))).toThrow('no rows but those of')
  rmSync(source, { recursive: true })
})

test('a folder gives its files in order of name, and a missing path is an error', () => {
  expect(listFiles(folder).length).toBeGreaterThan(5)
  expect(listFiles(folder)).toEqual([...listFiles(folder)].sort())
  expect(() => listFiles(join(folder, 'none'))).toThrow('none: there is no such file or folder')
  expect(() => findSource('ultrafeed-back')).toThrow('meant "ultrafeedback"?')
})

test('arithmetic: the requested number of rows, the same for the same seed, with scores that can be checked', () => {
  const made = [...generateArithmetic(400, 7)]
  expect([...generateArithmetic(400, 7)]).toEqual(made)
  expect([...generateArithmetic(3, 8)]).not.toEqual(made.slice(0, 3))
  const models = new Set<string>()
  for (const { target = '', responses } of made) {
    const gold = extractAnswer(target)
    expect(Number(gold)).toBeGreaterThan(0)
    for (const { text, score, model } of responses) {
      models.add(model)
      expect([text, Number(extractAnswer(text) === gold)]).toEqual([text, score])
      expect(text).not.toBe(target)
    }
  }
  expect([...models].sort()).toEqual(
    ['misread', 'right', 'skips-step', 'slip', 'stops-early', 'wrong-operation'].map(
      (name) => `arithmetic-${name}`,
    ),
  )
  expect(made[0]).toMatchInlineSnapshot(`
    {
      "id": "arithmetic-7-0",
      "prompt": [
        {
          "content": "Juna rides a train for 3 hours at 54 km an hour, then a bicycle for 1 hour at 10 km an hour. How many kilometres does Juna travel in all?",
          "role": "user",
        },
      ],
      "responses": [
        {
          "model": "arithmetic-skips-step",
          "score": 0,
          "text": "1 * 10 = 10
    3 + 10 = 13
    #### 13",
        },
        {
          "model": "arithmetic-wrong-operation",
          "score": 0,
          "text": "Step 1: By train it is 3 * 54 = 162 km.
    Step 2: By bicycle it is 1 / 10 = 0.1 km.
    Step 3: Together that is 162 + 0.1 = 162.1 km.
    #### 162.1",
        },
        {
          "model": "arithmetic-right",
          "score": 1,
          "text": "First, by train it is 3 * 54 = 162 km.
    Then, by bicycle it is 1 * 10 = 10 km.
    Finally, together that is 162 + 10 = 172 km.
    #### 172",
        },
        {
          "model": "arithmetic-slip",
          "score": 0,
          "text": "Let's work it out.
    3 * 54 = 162.
    1 * 10 = 11.
    162 + 11 = 173.
    #### 173",
        },
        {
          "model": "arithmetic-right",
          "score": 1,
          "text": "We need 3 steps.
    By train it is 3 * 54 = 162 km.
    By bicycle it is 1 * 10 = 10 km.
    Together that is 162 + 10 = 172 km.
    #### 172",
        },
        {
          "model": "arithmetic-right",
          "score": 1,
          "text": "3 * 54 = 162
    1 * 10 = 10
    162 + 10 = 172
    #### 172",
        },
      ],
      "target": "By train it is 3 * 54 = 162 km.
    By bicycle it is 1 * 10 = 10 km.
    Together that is 162 + 10 = 172 km.
    #### 172",
    }
  `)
})

test('NaN, as Python writes it, is no value; in a text it stays', async () => {
  const file = put(
    'nan.jsonl',
    '{"prompt":"Is \\"NaN\\" a number? NaN","responses":[{"text":"-Infinity","score":NaN},{"text":"b","score":-Infinity}],"other":[NaN,1]}',
  )
  expect(await read('responses', file)).toEqual([
    {
      id: 'nan.jsonl:1',
      prompt: [{ role: 'user', content: 'Is "NaN" a number? NaN' }],
      responses: [
        { text: '-Infinity', model: 'unknown' },
        { text: 'b', model: 'unknown' },
      ],
    },
  ])
})
