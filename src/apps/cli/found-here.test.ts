import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { aftHere } from '../../../test/aft-here.ts'
import { startChatServer } from '../../../test/chat-server.ts'
import { aft } from '../../../test/command-line.ts'
import { ollama, startKind } from '../../engines/named/servers.fixture.ts'
import { scriptedEngine } from '../../engines/scripted/scripted.ts'

const folder = mkdtempSync(join(tmpdir(), 'aft-found-'))
const nowhere = '127.0.0.1:1'
const env = {
  AFT_CACHE_DIR: join(folder, 'cache'),
  OLLAMA_HOST: nowhere,
  LMSTUDIO_BASE_URL: nowhere,
  VLLM_BASE_URL: nowhere,
  LLAMA_ARG_HOST: nowhere,
  SGLANG_BASE_URL: nowhere,
}

test('`aft models` and `aft doctor` list servers that answer and keys that are set, with the line to use', async () => {
  const server = await startKind(ollama, 'Hello.')
  const here = { ...env, OLLAMA_HOST: `http://127.0.0.1:${server.port}`, MISTRAL_API_KEY: 'value-of-the-key' }
  const models = await aftHere(['models'], { env: here })
  expect(models.stdout).toContain(
    `Also found here:

Ollama answers at http://127.0.0.1:${server.port}/v1 with 2 models: llama3.2:latest, qwen3:4b
  $ aft ask "…" --model ollama:llama3.2:latest
Mistral: MISTRAL_API_KEY is set
  $ npm install @ai-sdk/mistral
  $ aft ask "…" --model mistral:mistral-small-latest
`,
  )
  const listed = await aftHere(['models', 'list', '--json'], { env: here })
  expect(JSON.parse(listed.stdout).found).toEqual([
    {
      name: 'ollama',
      about: 'Ollama',
      address: `http://127.0.0.1:${server.port}/v1`,
      models: ['llama3.2:latest', 'qwen3:4b'],
      model: 'ollama:llama3.2:latest',
    },
    {
      name: 'mistral',
      about: 'Mistral',
      keys: ['MISTRAL_API_KEY'],
      model: 'mistral:mistral-small-latest',
      install: 'npm install @ai-sdk/mistral',
    },
  ])
  const doctor = await aftHere(['doctor'], { env: here })
  expect(doctor.stdout).toMatch(
    /^ok {4}ollama: Ollama answers at .* 2 models: .*: aft ask "…" --model ollama:llama3.2:latest$/m,
  )
  expect(models.stdout + listed.stdout + doctor.stdout).not.toContain('value-of-the-key')
  const { stdout } = await aftHere(
    ['ask', 'Hi', '--model', 'ollama:llama3.2:latest', '--width', '2', '--depth', '1'],
    { env: here },
  )
  expect(stdout).toBe('Hello.\n')
  await server.close()
})

test('`aft doctor` does not call optional parts wrong', async () => {
  const { stdout, code } = await aft(['doctor'], { env })
  expect(code).toBe(0)
  expect(stdout).toMatch(/^none {2}smollm2: not here yet: aft models pull smollm2/m)
  expect(stdout).toMatch(/^none {2}trainer: not installed; only training needs it: aft train setup$/m)
  expect(stdout).not.toMatch(/^wrong/m)
})

test('a provider of the project is found in the folder where the command runs', async () => {
  const server = await startChatServer(scriptedEngine([{ replies: ['Found.'] }]))
  const place = join(folder, 'project', 'node_modules', '@ai-sdk', 'groq')
  mkdirSync(place, { recursive: true })
  const exports = { '.': { import: './index.js' } }
  writeFileSync(
    join(place, 'package.json'),
    JSON.stringify({ name: '@ai-sdk/groq', version: '1.0.0', type: 'module', exports }),
  )
  const real = import.meta.resolve('@ai-sdk/openai-compatible')
  const source = `import { createOpenAICompatible } from ${JSON.stringify(real)}
    export const createGroq = (settings) => createOpenAICompatible({ name: 'groq', ...settings })`
  writeFileSync(join(place, 'index.js'), source)
  const fast = { provider: 'groq', model: 'llama', baseURL: server.baseURL }
  const project = join(folder, 'project')
  writeFileSync(join(project, 'aft.config.json'), JSON.stringify({ engines: { fast } }))
  const options = { cwd: project, env: { ...env, GROQ_API_KEY: 'key-of-groq' } }
  const { stdout, stderr } = await aft(
    ['ask', 'Hi', '--model', 'fast', '--width', '1', '--depth', '0'],
    options,
  )
  expect({ stdout, stderr: stderr.includes('error') }).toEqual({ stdout: 'Found.\n', stderr: false })
  expect(server.keys).toEqual(['Bearer key-of-groq'])
  await server.close()
})
