import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import type { CompletionEnd, Engine } from '../../core/provider/engine.ts'
import { describeError, UsageError } from '../../core/provider/errors.ts'
import { openEngine } from '../open.ts'
import type { OpenOptions } from '../open-options.ts'
import { findHere } from './found.ts'
import { lmStudio, ollama, startKind } from './servers.fixture.ts'
import { addressOf, namedServers, providers } from './table.ts'

async function ask(engine: Engine): Promise<CompletionEnd> {
  const messages = [{ role: 'user' as const, content: 'Name a river.' }]
  for await (const event of engine.generate({ messages, n: 1, seeds: [7], sampling: { maxTokens: 50 } })) {
    if (event.type === 'completion-failed') throw event.error
    if (event.type === 'completion-end') return event
  }
  throw new Error('no end')
}

/** A variable, as `headers` of a config name it. */
const variableIn = (variable: string) => `\${${variable}}`
const open = (name: string, options: OpenOptions = {}) =>
  openEngine(name, { config: {}, env: {}, ...options })

test.each([
  [{}, 'http://127.0.0.1:11434/v1'],
  [{ OLLAMA_HOST: ' ' }, 'http://127.0.0.1:11434/v1'],
  [{ OLLAMA_HOST: '0.0.0.0' }, 'http://127.0.0.1:11434/v1'],
  [{ OLLAMA_HOST: '0.0.0.0:9' }, 'http://127.0.0.1:9/v1'],
  [{ OLLAMA_HOST: ':5000' }, 'http://127.0.0.1:5000/v1'],
  [{ OLLAMA_HOST: 'box.local' }, 'http://box.local:11434/v1'],
  [{ OLLAMA_HOST: '::' }, 'http://[::1]:11434/v1'],
  [{ OLLAMA_HOST: '[::1]:7' }, 'http://[::1]:7/v1'],
  [{ OLLAMA_HOST: 'https://ollama.example' }, 'https://ollama.example/v1'],
  [{ OLLAMA_HOST: 'http://box:80/proxy/' }, 'http://box/proxy'],
])('%j: Ollama is asked at %s', (env, address) => {
  expect(addressOf(namedServers.ollama as (typeof namedServers)[string], env)).toBe(address)
})

test('the address of llama-server has its port in a variable of its own', () => {
  const server = namedServers['llama-server'] as (typeof namedServers)[string]
  expect(addressOf(server, { LLAMA_ARG_PORT: '9000' })).toBe('http://127.0.0.1:9000/v1')
  expect(addressOf(server, { LLAMA_ARG_HOST: '0.0.0.0', LLAMA_ARG_PORT: '9000' })).toBe(
    'http://127.0.0.1:9000/v1',
  )
})

test.each([
  ['ollama:llama3.2', ollama, (port: number) => ({ OLLAMA_HOST: `127.0.0.1:${port}` })],
  ['lmstudio:qwen/qwen3-4b', lmStudio, (port: number) => ({ LMSTUDIO_BASE_URL: `http://127.0.0.1:${port}` })],
])('%s is asked where its variable says, and gets no key of OpenAI', async (name, kind, envOf) => {
  const server = await startKind(kind, 'The Rhine.')
  const env = {
    ...envOf(server.port),
    OPENAI_API_KEY: 'sk-of-openai-0123',
    OPENAI_CUSTOM_HEADERS: 'x-own: 1',
  }
  const engine = await open(name, { env })
  expect(await ask(engine)).toMatchObject({ text: 'The Rhine.', finishReason: 'stop' })
  expect(server.came).toHaveLength(1)
  expect(server.came[0]).toMatchObject({
    path: '/v1/chat/completions',
    body: { model: name.slice(name.indexOf(':') + 1) },
  })
  expect(server.came[0]?.headers).not.toHaveProperty('authorization')
  expect(server.came[0]?.headers).not.toHaveProperty('x-own')
  const wrong = await open(name.replace(/:.*/, ':none-such'), { env })
  await expect(ask(wrong)).rejects.toThrow(/none-such/)
  const found = await findHere({ env })
  expect(found).toContainEqual(
    expect.objectContaining({ name: name.replace(/:.*/, ''), address: `http://127.0.0.1:${server.port}/v1` }),
  )
  await server.close()
  expect(await findHere({ env })).not.toContainEqual(
    expect.objectContaining({ name: name.replace(/:.*/, '') }),
  )
})

test('a server that listens with a key is found without sending one', async () => {
  const keys: unknown[] = []
  const server = createServer((request, response) => {
    keys.push(request.headers.authorization)
    response.writeHead(401).end()
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  const found = await findHere({ env: { VLLM_BASE_URL: address, VLLM_API_KEY: 'key-of-vllm' } })
  expect(found.find(({ name }) => name === 'vllm')).toEqual({
    name: 'vllm',
    about: 'vLLM',
    address,
    model: `vllm:${namedServers.vllm?.example}`,
  })
  expect(keys).toEqual([undefined])
  server.close()
})

test('keys that are set are found by their names, and never their values', async () => {
  const env = {
    MISTRAL_API_KEY: 'value-1',
    AI_GATEWAY_API_KEY: 'value-2',
    AZURE_API_KEY: 'value-3',
    OPENROUTER_API_KEY: 'value-4',
    AWS_ACCESS_KEY_ID: 'value-5',
    AWS_SECRET_ACCESS_KEY: 'value-6',
    AWS_DEFAULT_REGION: 'eu-north-1',
  }
  const found = (await findHere({ env })).filter(({ keys }) => keys)
  expect(found.map(({ name, keys, install }) => [name, keys, install])).toEqual([
    ['openrouter', ['OPENROUTER_API_KEY'], undefined],
    ['mistral', ['MISTRAL_API_KEY'], 'npm install @ai-sdk/mistral'],
    [
      'bedrock',
      ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_DEFAULT_REGION'],
      'npm install @ai-sdk/amazon-bedrock',
    ],
    ['gateway', ['AI_GATEWAY_API_KEY'], undefined],
  ])
  expect(JSON.stringify(found)).not.toMatch(/value-|eu-north/)
})

test.each(Object.entries(providers))('%s: says which key is missing', async (scheme, { needs, ...row }) => {
  const error = await open(`${scheme}:${row.example}`).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(UsageError)
  for (const names of Object.values(needs[0] ?? {})) expect(String(error)).toContain(names[0])
  if (row.package !== 'ai') expect(String(error)).toContain(`npm install ${row.package},`)
})

test.each([
  ['openrouter:a/b', {}, 'openrouter:a/b needs a key: set OPENROUTER_API_KEY'],
  [
    'mistral:7b',
    { MISTRAL_API_KEY: 'k' },
    'mistral:7b needs the package: npm install @ai-sdk/mistral. Is it a model of Ollama? Then: ollama:mistral:7b',
  ],
  ['azure:d', { AZURE_API_KEY: 'k' }, 'set AZURE_RESOURCE_NAME, or AZURE_BASE_URL'],
  ['antropic:claude', {}, 'did you mean anthropic:claude?'],
])('%s with %j: %s', async (name, env, message) => {
  await expect(open(name, { env })).rejects.toThrow(message)
})

/** The gateway of the `ai` package, in its own wire format. */
async function startGateway(answer: (response: import('node:http').ServerResponse) => void) {
  const came: { headers: import('node:http').IncomingHttpHeaders; body: Record<string, unknown> }[] = []
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece)
    came.push({ headers: request.headers, body: JSON.parse(Buffer.concat(pieces).toString()) })
    answer(response)
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v4/ai`
  return { baseURL, came, close: () => server.close() }
}

const gatewayParts = [
  { type: 'stream-start', warnings: [] },
  { type: 'text-start', id: '0' },
  { type: 'text-delta', id: '0', delta: 'The Rhine.' },
  { type: 'text-end', id: '0' },
  {
    type: 'finish',
    finishReason: { unified: 'stop', raw: 'stop' },
    usage: { inputTokens: { total: 9 }, outputTokens: { total: 4 } },
  },
]

test("gateway:NAME is asked through the `ai` package, with the config's headers and extra fields", async () => {
  const gateway = await startGateway((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end(gatewayParts.map((part) => `data: ${JSON.stringify(part)}\n\n`).join(''))
  })
  const env = { AI_GATEWAY_API_KEY: 'key-of-gateway', TEAM: 'team-secret-1' }
  const entry = {
    provider: 'gateway',
    model: 'openai/gpt-5-mini',
    baseURL: gateway.baseURL,
    headers: { 'x-team': variableIn('TEAM') },
    extraBody: { service_tier: 'flex' },
  }
  const engine = await open('mine', { env, config: { engines: { mine: entry } } })
  expect(engine.id).toBe('gateway:openai/gpt-5-mini')
  expect(await ask(engine)).toMatchObject({ text: 'The Rhine.', usage: { inputTokens: 9, outputTokens: 4 } })
  expect(gateway.came[0]?.headers).toMatchObject({
    authorization: 'Bearer key-of-gateway',
    'ai-language-model-id': 'openai/gpt-5-mini',
    'x-team': 'team-secret-1',
  })
  expect(gateway.came[0]?.body).toMatchObject({ service_tier: 'flex' })
  gateway.close()
})

test('a key or header that a server repeats is hidden in the error', async () => {
  const told = 'no: key plain-value-123 of team-secret-1'
  const gateway = await startGateway((response) =>
    response
      .writeHead(400, { 'content-type': 'application/json' })
      .end(JSON.stringify({ error: { message: told, type: 'invalid_request_error' } })),
  )
  const env = { PLAIN: 'plain-value-123', TEAM: 'team-secret-1' }
  const more = { apiKeyEnv: 'PLAIN', headers: { 'api-key': variableIn('TEAM') } }
  const engines = {
    gateway: { provider: 'gateway', model: 'm', baseURL: gateway.baseURL, ...more },
    server: { model: 'm', baseURL: gateway.baseURL, ...more },
  }
  for (const name of Object.keys(engines)) {
    const error = await ask(await open(name, { env, config: { engines } })).catch(describeError)
    expect(error).toMatchObject({ message: expect.stringContaining('key [hidden] of [hidden]') })
  }
  expect(gateway.came.at(-1)?.headers).toMatchObject({
    'api-key': 'team-secret-1',
    authorization: 'Bearer plain-value-123',
  })
  gateway.close()
})

test('a header whose variable is not set, and the key of a provider for another server, are refused', async () => {
  const server = { model: 'm', baseURL: 'http://127.0.0.1:1/v1', headers: { 'api-key': variableIn('TEAM') } }
  const elsewhere = { provider: 'gateway', model: 'm', baseURL: 'https://proxy.example/v1' }
  const engines = { server, elsewhere }
  const env = { AI_GATEWAY_API_KEY: 'key-of-gateway' }
  await expect(open('server', { env, config: { engines } })).rejects.toThrow(
    'engines.server.headers.api-key: expected a value in the environment variable TEAM, but it is not set',
  )
  await expect(open('elsewhere', { env, config: { engines } })).rejects.toThrow(
    /expected apiKeyEnv, the variable that holds the key of https:\/\/proxy.example/,
  )
})
