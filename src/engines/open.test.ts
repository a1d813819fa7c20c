import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { afterAll, expect, test } from 'vitest'
import { startChatServer } from '../../test/chat-server.ts'
import type { CompletionEnd, Engine } from '../core/provider/engine.ts'
import { UsageError } from '../core/provider/errors.ts'
import { type Config, defineConfig } from './config.ts'
import { openEngine, openEngines } from './open.ts'
import { scriptedEngine } from './scripted/scripted.ts'

const folder = mkdtempSync(join(tmpdir(), 'aft-open-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function ask(engine: Engine, content: string): Promise<CompletionEnd> {
  const request = {
    messages: [{ role: 'user' as const, content }],
    n: 1,
    seeds: [7],
    sampling: { maxTokens: 50 },
  }
  for await (const event of engine.generate(request)) if (event.type === 'completion-end') return event
  throw new Error('no end')
}

/** The config of every test: none is read from the folder that tests run in. */
const config: Config = defineConfig({
  engines: {
    quick: 'scripted:echo',
    quicker: 'quick',
    own: () => scriptedEngine([{ replies: ['from a function'] }], { id: 'own' }),
    sdk: createOpenAICompatible({ name: 'local', baseURL: 'http://127.0.0.1:1/v1' })('llama'),
    paid: { model: 'scripted:echo', price: { inputPerMTok: 2, outputPerMTok: 10 } },
    one: 'other',
    other: 'one',
  },
})
const open = (name: string) => openEngine(name, { config })

test('scripted:echo needs no file', async () => {
  const engine = await open('scripted:echo')
  expect(engine.id).toBe('scripted:echo')
  expect((await ask(engine, 'hello there')).text).toMatch(/^Reply [0-9a-f]+, seed 7: (hello|there)/)
})

test('a script is read from a JSON file', async () => {
  const file = join(folder, 'script.json')
  const rules = [
    { when: 'sky', replies: ['blue'] },
    { when: '/^WHY/i', replies: [{ text: 'because', ms: 5 }] },
  ]
  writeFileSync(file, JSON.stringify({ rules, echo: true, contextLength: 100 }))
  const engine = await open(`scripted:${file}`)
  expect(engine.contextLength).toBe(100)
  expect(await ask(engine, 'the sky?')).toMatchObject({ text: 'blue' })
  expect(await ask(engine, 'why?')).toMatchObject({ text: 'because', ms: 5 })
  expect((await ask(engine, 'anything')).text).toMatch(/^Reply .* anything/)
})

test('a script that is not there, or is none, is an error that says so', async () => {
  await expect(open(`scripted:${folder}/none.json`)).rejects.toThrow(/none.json: no such file/)
  const file = join(folder, 'torn.json')
  writeFileSync(file, '{"rules": [')
  await expect(open(`scripted:${file}`)).rejects.toThrow(/torn.json:1: expected JSON: /)
  writeFileSync(file, '{"rules": [{"replies": []}]}')
  await expect(open(`scripted:${file}`)).rejects.toThrow(/torn.json: .*rules.0.replies/s)
})

test('a name from the config stands for a name, a function, an AI SDK model, or parts', async () => {
  expect((await open('quick')).id).toBe('scripted:echo')
  expect((await open('quicker')).id).toBe('scripted:echo')
  expect((await ask(await open('own'), 'x')).text).toBe('from a function')
  expect((await open('sdk')).id).toBe('ai-sdk:local.chat/llama')
})

test('a server is named by openai:MODEL, URL#MODEL or the parts of a config, each with its own key', async () => {
  const server = await startChatServer(scriptedEngine([{ replies: ['served'] }]))
  const { baseURL } = server
  const env = { OPENAI_API_KEY: 'key-of-openai', OPENAI_BASE_URL: baseURL, OTHER_KEY: 'key-of-other' }
  const engines = { parts: { model: 'llama', baseURL, apiKeyEnv: 'OTHER_KEY', extraBody: { top_k: 3 } } }
  const names = ['openai:llama', `${baseURL}#llama`, 'parts']
  const opened = await openEngines(names, { env, config: { engines } })
  for (const name of names) expect((await ask(opened.engines[name] as Engine, 'x')).text).toBe('served')
  await Promise.all([opened.close(), server.close()])
  expect(server.bodies.map((body) => body.model)).toEqual(['llama', 'llama', 'llama'])
  expect(server.keys).toEqual(['Bearer key-of-openai', 'Bearer key-of-openai', 'Bearer key-of-other'])
  expect(server.bodies[2]?.top_k).toBe(3)
})

test('a key that is not in the environment is missed before anything is sent', async () => {
  const engines = { parts: { model: 'openai:gpt', apiKeyEnv: 'OTHER_KEY' } }
  await expect(openEngine('parts', { env: {}, config: { engines } })).rejects.toThrow(/OTHER_KEY/)
  await expect(openEngine('openai:gpt', { env: {}, config })).rejects.toThrow(/OPENAI_API_KEY/)
})

test("an engine with a price tells each completion's cost", async () => {
  const { usage } = await ask(await open('paid'), 'three words here')
  expect(usage.cost).toBeCloseTo((3 * 2 + usage.outputTokens * 10) / 1e6, 12)
})

test('names of a config that stand for each other are an error', async () => {
  await expect(open('one')).rejects.toThrow(
    'one -> other -> one: these names point to each other in a circle',
  )
})

test.each([
  [
    'smolm2',
    /unknown engine "smolm2"; did you mean smollm2\? Names from the config: quick, .*; in this process: smollm2, .*; servers: /,
  ],
  ['opnai:gpt', /did you mean openai:gpt\?/],
  ['model.gguf', /did you mean gguf:model.gguf\?/],
  ['http://127.0.0.1:8000/v1', /expected URL#MODEL, such as http:\/\/127.0.0.1:8000\/v1#llama/],
  ['localhost:8000/v1#llama', /did you mean URL#MODEL/],
  ['quik', /did you mean quick\?/],
  ['gguf:', /expected gguf:FILE, got "gguf:"/],
  ['constructor', /unknown engine "constructor"\. Names /],
])('the wrong name %s is a usage error that lists the right ones', async (name, message) => {
  const error = await open(name).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(UsageError)
  expect((error as Error).message).toMatch(message)
})

test('names that mean the same share one engine, which is closed once', async () => {
  let closed = 0
  let made = 0
  const make = () => {
    made++
    return { ...scriptedEngine([{ replies: ['x'] }]), close: async () => void closed++ }
  }
  const engines = { a: make, b: 'a', c: 'scripted:echo', d: 'c' }
  const opened = await openEngines(['a', 'b', 'a', 'c', 'd'], { config: { engines } })
  expect(Object.keys(opened.engines)).toEqual(['a', 'b', 'c', 'd'])
  expect(opened.engines.a).toBe(opened.engines.b)
  expect(opened.engines.c).toBe(opened.engines.d)
  expect(made).toBe(1)
  await opened.close()
  expect(closed).toBe(1)
})

test('when one cannot be opened, the others are closed', async () => {
  let closed = 0
  const a = () => ({ ...scriptedEngine([]), close: async () => void closed++ })
  await expect(openEngines(['a', 'nothing'], { config: { engines: { a } } })).rejects.toThrow(UsageError)
  expect(closed).toBe(1)
})

test('a setting of embedded models is refused where none is opened', async () => {
  const lost = openEngines(['scripted:echo', 'http://127.0.0.1:9/v1#a'], { config, threads: 2, lora: 'a' })
  await expect(lost).rejects.toThrow('`threads`, `lora`: only for embedded models')
  await expect(openEngine('quick', { config, lora: 'a.gguf' })).rejects.toThrow(UsageError)
})

test('raw text is for embedded models and servers', async () => {
  expect(await openEngine('http://127.0.0.1:9/v1#a', { config, raw: true })).toHaveProperty('id')
  expect(await openEngine('ollama:a', { config, raw: true })).toHaveProperty('id')
  const lost = openEngine('scripted:echo', { config, raw: true })
  await expect(lost).rejects.toThrow(
    '`raw`: only for embedded models (smollm2, gguf:FILE, hf:…) and servers with',
  )
})

test('the earlier name of an option is an error that tells the new one', async () => {
  const options = { retries: 2 } as object
  await expect(openEngine('scripted:echo', options)).rejects.toThrow('`retries`: use `maxRetries`')
})
