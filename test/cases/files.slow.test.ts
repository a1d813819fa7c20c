/** Prompt files and schemas of the collected cases, each with the command or request of its description. */
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Listening, listen } from '../../src/apps/server/listen.ts'
import { createServer } from '../../src/apps/server/server.ts'
import type { Engine } from '../../src/core/provider/engine.ts'
import { openEngine } from '../../src/engines/open.ts'
import { echo, scriptedEngine } from '../../src/engines/scripted/scripted.ts'
import { startChatServer } from '../chat-server.ts'
import { aft } from '../command-line.ts'
import { hasCases, place } from './cases.fixture.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'aft-cases-'))

const readRows = (file: string) =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

const files: [name: string, file: string, ids: string[]][] = [
  ['jsonl-64-bit-ids', 'one.jsonl', ['1234567890123456789']],
  ['jsonl-64-bit-ids', 'two.jsonl', ['1234567890123456789', '1234567890123456788']],
  ['jsonl-openai-batch', 'batch.jsonl', ['request-1', 'request-2']],
  ['jsonl-prompt-and-messages', 'rows.jsonl', ['a1b2']],
]

describe.skipIf(!hasCases)('prompt files', () => {
  test.each(files)('%s: %s', async (name, file, ids) => {
    const out = path.join(folder, `${name}-${file}`)
    const command = ['run', place(name, file), '-o', out, '--model', 'scripted:echo', '--width', '2']
    const { code, stderr } = await aft([...command, '--depth', '1'])
    expect({ code, stderr }).toMatchObject({ code: 0 })
    expect(readRows(out).map(({ id }) => id)).toEqual(ids)
  })

  test('jsonl-row-system: the row’s system prompt and earlier turns are asked', async () => {
    const server = await startChatServer(scriptedEngine(echo))
    const out = path.join(folder, 'system.jsonl')
    const command = [
      'run',
      place('jsonl-row-system', 'prompts.jsonl'),
      '-o',
      out,
      '--width',
      '1',
      '--depth',
      '0',
    ]
    expect(await aft([...command, '--model', `${server.baseURL}#m`])).toMatchObject({ code: 0 })
    const [row] = readRows(place('jsonl-row-system', 'prompts.jsonl'))
    const [[question, answer]] = row.history
    expect(server.bodies[0]?.messages).toEqual([
      { role: 'system', content: row.system },
      { role: 'user', content: question },
      { role: 'assistant', content: answer },
      { role: 'user', content: row.instruction },
    ])
    await server.close()
  })
})

describe.skipIf(!hasCases)('schemas in this process', () => {
  let engine: Engine
  let server: Listening
  beforeAll(async () => {
    engine = await openEngine('smollm2', { config: {} })
    server = await listen(createServer({ engines: { smollm2: engine } }), { host: '127.0.0.1', port: 0 })
  })
  afterAll(async () => {
    await server.close(0)
    await engine.close?.()
  })

  async function ask(name: string) {
    const body = readFileSync(place(name, 'request.json'), 'utf8')
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(`${server.url}/v1/chat/completions`, { method: 'POST', headers, body })
    return { status: response.status, body: JSON.parse(await response.text()) }
  }

  test('embedded-schema-newlines', async () => {
    const { status, body } = await ask('embedded-schema-newlines')
    expect(status).toBe(200)
    const { message, finish_reason } = body.choices[0]
    expect(finish_reason).toBe('stop')
    expect(message.content).toMatch(/\}$/)
    expect(JSON.parse(message.content)).toEqual({ city: expect.any(String), country: expect.any(String) })
  })

  test('embedded-schema-anyof', async () => {
    const { body } = await ask('embedded-schema-anyof')
    expect(['string', 'number']).toContain(typeof JSON.parse(body.choices[0].message.content).v)
  })

  test('embedded-schema-limits', async () => {
    const { status, body } = await ask('embedded-schema-limits')
    expect(status).toBe(400)
    expect(body.error.message).toContain('response_format.json_schema.schema.properties.d.pattern')
  })
})
