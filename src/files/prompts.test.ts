import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { parquetWriteFile } from 'hyparquet-writer'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DataError, UsageError } from '../core/provider/errors.ts'
import { type PromptRow, readPrompts } from './prompts.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'prompts-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function read(content: string, system?: string): Promise<PromptRow[]> {
  const file = join(folder, 'p.jsonl')
  writeFileSync(file, content)
  const rows: PromptRow[] = []
  for await (const row of readPrompts(file, system)) rows.push(row)
  return rows
}
const user = (content: string) => ({ role: 'user', content })

describe('rows', () => {
  test('a question is in prompt, instruction, messages or query', async () => {
    const rows = await read(
      [
        '{"prompt":"a"}',
        '{"instruction":"b","input":"about this"}',
        '{"messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"c"}]}]}',
        '{"query":[{"role":"user","content":"d"}]}',
        '{"prompt":[{"role":"user","content":"e"}]}',
      ].join('\n'),
    )
    expect(rows.map((row) => row.messages)).toEqual([
      [user('a')],
      [user('b\n\nabout this')],
      [
        { role: 'system', content: 's' },
        { role: 'user', content: [{ type: 'text', text: 'c' }] },
      ],
      [user('d')],
      [user('e')],
    ])
  })

  test('an id is its own as a string, else the line from 0', async () => {
    const rows = await read(
      '{"prompt":"a"}\n{"id":7,"prompt":"b"}\n\n{"id":null,"prompt":"c"}\n{"id":"x","prompt":"d"}',
    )
    expect(rows.map((row) => row.id)).toEqual(['0', '7', '3', 'x'])
  })

  test('tools, response format and stop strings go with their prompt; a benchmark keeps its dataset', async () => {
    const [row] = await read(
      '{"prompt":"a","dataset":"koala","stop":"END","tools":[],"tool_choice":"auto","response_format":{"type":"json_object"},"output":"x"}',
    )
    expect(row).toEqual({
      id: '0',
      messages: [user('a')],
      dataset: 'koala',
      stop: ['END'],
      tools: [],
      toolChoice: 'auto',
      responseFormat: { type: 'json_object' },
    })
  })

  test('one JSON array is as good as lines', async () => {
    const rows = await read('\n [\n{"instruction":"a","dataset":"koala"},\n{"instruction":"b"}]')
    expect(rows.map((row) => [row.id, row.messages[0]?.content])).toEqual([
      ['0', 'a'],
      ['1', 'b'],
    ])
  })

  test('a system prompt goes before conversations that bring none', async () => {
    const rows = await read(
      '{"prompt":"a"}\n{"messages":[{"role":"system","content":"own"},{"role":"user","content":"b"}]}',
      'common',
    )
    expect(rows.map((row) => row.messages[0]?.content)).toEqual(['common', 'own'])
  })
})

describe('what a row says of its question', () => {
  test('ids of 64 bits are kept as they are written, in lines and arrays', async () => {
    const rows = '{"id":9223372036854775807,"prompt":"a"}\n{"id":9223372036854775806,"prompt":"b"}'
    const ids = (await read(rows)).map(({ id }) => id)
    expect(ids).toEqual(['9223372036854775807', '9223372036854775806'])
    expect((await read(`[${rows.replace('\n', ',')}]`)).map(({ id }) => id)).toEqual(ids)
    const [tool] = await read(
      '{"id":-12345678901234567890,"prompt":"a","tools":[{"maximum":9223372036854775807}]}',
    )
    expect(tool).toMatchObject({ id: '-12345678901234567890', tools: [{ maximum: 2 ** 63 }] })
  })

  test('a system prompt and earlier turns go before the question', async () => {
    const rows = await read(
      [
        '{"system":"Answer in Latin.","instruction":"Name it.","input":"aqua","history":[["Hi","Salve"]]}',
        '{"system":"","prompt":"b","history":[],"images":null}',
        '{"prompt":"c","history":[{"role":"user","content":"x"},{"role":"assistant","content":"y"}]}',
        '{"system":"s","messages":[{"role":"user","content":"d"}]}',
      ].join('\n'),
      'common',
    )
    const assistant = (content: string) => ({ role: 'assistant', content })
    const system = (content: string) => ({ role: 'system', content })
    expect(rows.map((row) => row.messages)).toEqual([
      [system('Answer in Latin.'), user('Hi'), assistant('Salve'), user('Name it.\n\naqua')],
      [system('common'), user('b')],
      [system('common'), user('x'), assistant('y'), user('c')],
      [system('s'), user('d')],
    ])
  })

  test('sampling, a limit and a seed of its own are kept', async () => {
    const rows = await read(
      '{"prompt":"a","temperature":0,"top_p":0.5,"max_tokens":9,"seed":-4,"n":1,"reasoning_effort":"low","parallel_tool_calls":false}\n{"prompt":"b","temperature":null}',
    )
    expect(rows[0]?.parallelToolCalls).toBe(false)
    expect(rows.map(({ own }) => own)).toEqual([
      { sampling: { temperature: 0, topP: 0.5, maxTokens: 9, reasoning: 'low' }, seed: 4 },
      undefined,
    ])
  })

  test('lines of batch files of OpenAI, Mistral and Anthropic are read', async () => {
    const messages = '[{"role":"system","content":"s"},{"role":"user","content":"q"}]'
    const rows = await read(
      [
        `{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"model":"m","messages":${messages},"max_completion_tokens":5,"stop":"X","stream":false,"logprobs":false,"prompt_cache_key":"k"}}`,
        `{"custom_id":1234567890123456789,"body":{"messages":${messages},"temperature":0.2}}`,
        '{"custom_id":"c","params":{"model":"m","max_tokens":7,"system":"s","messages":[{"role":"user","content":"q"}]}}',
      ].join('\n'),
    )
    const conversation = [{ role: 'system', content: 's' }, user('q')]
    expect(rows).toEqual([
      {
        id: 'a',
        messages: conversation,
        stop: ['X'],
        passed: { prompt_cache_key: 'k' },
        own: { sampling: { maxTokens: 5 } },
      },
      { id: '1234567890123456789', messages: conversation, own: { sampling: { temperature: 0.2 } } },
      { id: 'c', messages: conversation, own: { sampling: { maxTokens: 7 } } },
    ])
  })

  test('of a prompt and the messages that it begins, the question is asked', async () => {
    const answered = '{"role":"user","content":"Name a lake."},{"role":"assistant","content":"Geneva."}'
    const rows = await read(
      [
        `{"prompt":"Name a lake.","prompt_id":"f00","messages":[${answered},{"role":"user","content":"More?"}]}`,
        `{"id":7,"prompt":"Name a lake.","prompt_id":"f00","messages":[{"role":"system","content":"s"},${answered}]}`,
      ].join('\n'),
    )
    expect(rows).toEqual([
      { id: 'f00', messages: [user('Name a lake.')] },
      { id: '7', messages: [{ role: 'system', content: 's' }, user('Name a lake.')] },
    ])
  })
})

describe('a wrong file', () => {
  test.each([
    ['{"prompt":"a"}\n{"text":"b"}', ':2: expected a question; `text` alone is for language modeling'],
    [
      '{"prompt":"a","instruction":"b"}',
      ':1: expected only one of the fields messages, query, prompt, instruction, question, got ["prompt","instruction"]',
    ],
    ['{"prompt":"a","messages":[]}', ':1: expected `messages` to be a list of messages, got []'],
    [
      '{"prompt":"a","messages":[{"role":"user","content":"b"}]}',
      ':1: expected `prompt` to be the first user message of `messages`, or only one of both, got "a"',
    ],
    ['{"prompt":"a","n":4}', ':1: expected `n` to be 1: a run gives one answer per row, got 4'],
    ['{"prompt":"a","max_tokens":0}', ':1: expected `max_tokens` to be a whole number from 1, got 0'],
    ['{"prompt":"a","temperature":"hot"}', ':1: expected `temperature` to be a number, got "hot"'],
    [
      '{"prompt":"a","reasoning_effort":"much"}',
      ':1: expected `reasoning_effort` to be one of none, minimal, low, medium, high, xhigh, max, got "much"',
    ],
    ['{"prompt":"a","seed":"x"}', ':1: expected `seed` to be a whole number, got "x"'],
    [
      '{"prompt":"a","images":["a.png"]}',
      ':1: expected no `images`: a run does not support it, got ["a.png"]',
    ],
    [
      '{"system":"s","messages":[{"role":"system","content":"t"}]}',
      ':1: expected a system message in `system` or in the messages, not in both, got "s"',
    ],
    ['{"custom_id":"a"}', ':1: expected `body` to be the request of `custom_id`, got nothing'],
    [
      '{"custom_id":"a","url":"/v1/embeddings","body":{"input":"x"}}',
      ':1: expected `url` to be /v1/chat/completions, got "/v1/embeddings"',
    ],
    [
      '{"custom_id":"a","body":{"messages":[{"role":"user","content":"a"}],"prediction":{"x":1}}}',
      ':1: expected `body` without prediction, which a run does not support, got {"x":1}',
    ],
    ['{"prompt":"  "}', ':1: expected `prompt` to hold text, got "  "'],
    ['{"prompt":3}', ':1: expected `prompt` to be text or a list of messages, got 3'],
    ['{"messages":"hello"}', ':1: expected `messages` to be a list of messages, got "hello"'],
    [
      '{"messages":[{"role":"bot","content":"a"}]}',
      ':1: expected `messages[0].role` to be one of system, developer, user, assistant, tool, got "bot"',
    ],
    ['{"messages":["hi"]}', ':1: expected `messages[0]` to be an object, got "hi"'],
    [
      '{"messages":[{"role":"user"}]}',
      ':1: expected `messages[0].content` to be text or a list of parts, got nothing',
    ],
    [
      '{"messages":[{"role":"user","content":3}]}',
      ':1: expected `messages[0].content` to be text or a list of parts, got 3',
    ],
    ['{"prompt":"a","id":{}}', ':1: expected `id` to be a string or a number, got {}'],
    ['{"prompt":"a","stop":3}', ':1: expected `stop` to be a string or a list of strings, got 3'],
    ['"hello"', ':1: expected an object, got "hello"'],
    [
      '{"id":"x","prompt":"a"}\n{"id":"x","prompt":"b"}',
      ':2: has the id "x" of line 1; give each row its own',
    ],
    ['{"prompt":"a"}\n{"prompt":', ':2: expected JSON: '],
    ['{"prompt":"a"}\nhello\n{"prompt":"b"}', ':2: expected JSON: '],
    ['[{"prompt":"a"}', ':1: the file ends within the array: it is cut off'],
    ['', ': expected one prompt per line, got none'],
  ])('%j says where, what was expected and what came', async (content, message) => {
    const reading = read(content)
    await expect(reading).rejects.toThrow(DataError)
    await expect(reading).rejects.toThrow(`p.jsonl${message}`)
  })

  test.skipIf(process.platform === 'win32')('that can be read only once is wrong usage', async () => {
    const reading = readPrompts('/dev/null').next()
    await expect(reading).rejects.toThrow(UsageError)
    await expect(reading).rejects.toThrow(/dev\/null: is a pipe or a device; expected a file/)
  })

  test('that is not there is wrong usage', async () => {
    const reading = readPrompts(join(folder, 'none.jsonl')).next()
    await expect(reading).rejects.toThrow(UsageError)
    await expect(reading).rejects.toThrow(/none\.jsonl: there is no such file or folder/)
  })
})

test('prompts are read from gzip and from Parquet, with whole numbers as ids', async () => {
  const zipped = join(folder, 'p.jsonl.gz')
  writeFileSync(zipped, gzipSync('{"id":9007199254740993,"prompt":"a"}\n{"instruction":"b","input":"c"}\n'))
  const packed = join(folder, 'p.parquet')
  const columnData = [
    { name: 'id', data: [1n, 2n], type: 'INT64' as const },
    { name: 'question', data: ['a', 'b'], type: 'STRING' as const },
  ]
  parquetWriteFile({ filename: packed, columnData })
  const shown = async (file: string) => {
    const found: [string, unknown][] = []
    for await (const { id, messages } of readPrompts(file)) found.push([id, messages[0]?.content])
    return found
  }
  expect(await shown(zipped)).toEqual([
    ['9007199254740993', 'a'],
    ['1', 'b\n\nc'],
  ])
  expect(await shown(packed)).toEqual([
    ['1', 'a'],
    ['2', 'b'],
  ])
})
