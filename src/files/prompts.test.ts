import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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

describe('a wrong file', () => {
  test.each([
    [
      '{"prompt":"a"}\n{"text":"b"}',
      ':2: expected one of messages, query, prompt, instruction, got ["text"]',
    ],
    [
      '{"prompt":"a","messages":[]}',
      ':1: expected one of messages, query, prompt, instruction, got ["messages","prompt"]',
    ],
    ['{"prompt":"  "}', ':1: expected `prompt` to hold text, got "  "'],
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
    ['{"prompt":"a"}\n{"prompt":', ':2: expected one JSON value'],
    ['{"prompt":"a"}\nhello\n{"prompt":"b"}', ':2: expected one JSON value, got "hello"'],
    ['[{"prompt":"a"}', ': expected a JSON array'],
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
