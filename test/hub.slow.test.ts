/** Data sets and models are uploaded by the hub's own client, to a loopback server that speaks the hub's API. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { aft } from './command-line.ts'

const TOKEN = 'hf_loopbacktokenloopbacktoken0000'
const cwd = mkdtempSync(path.join(tmpdir(), 'hub-'))
const asked: string[] = []
let created: Record<string, unknown> = {}
let files: Record<string, string> = {}

const server = createServer(async (request, response) => {
  const { method, url = '', headers } = request
  asked.push(`${method} ${url}`)
  const answer = (value: object, status = 200) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  }
  if (headers.authorization !== `Bearer ${TOKEN}`) return answer({ error: 'Invalid credentials' }, 401)
  const body = await readBody(request)
  if (url === '/api/repos/create') {
    created = JSON.parse(body)
    return answer({ url: `${endpoint}/${placeOf()}` })
  }
  if (url === '/api/validate-yaml') return answer({ errors: [], warnings: [] })
  if (url.includes('/preupload/')) {
    const { files } = JSON.parse(body) as { files: { path: string }[] }
    return answer({
      files: files.map((file) => ({ path: file.path, uploadMode: 'regular', shouldIgnore: false })),
    })
  }
  if (!url.includes('/commit/')) return answer({ error: 'not found' }, 404)
  for (const line of body.trim().split('\n')) {
    const { key, value } = JSON.parse(line)
    if (key === 'file') files[value.path] = Buffer.from(value.content, 'base64').toString()
  }
  answer({ success: true, commitOid: 'f'.repeat(40), commitUrl: `${endpoint}/${placeOf()}/commit/f` })
})

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

const placeOf = () => `${created.type === 'dataset' ? 'datasets/' : ''}me/${created.name}`

let endpoint: string
let env: NodeJS.ProcessEnv
beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  env = { HF_ENDPOINT: endpoint, HF_TOKEN: TOKEN, HF_HOME: path.join(cwd, 'home') }
})
afterAll(() => {
  server.close()
  rmSync(cwd, { recursive: true, force: true })
})

const frontOf = (card: string) => parse(/^---\n([\s\S]*?)---\n/.exec(card)?.[1] ?? '')

test('a data set gets its rows and a card that says how to load them', async () => {
  const build = ['--format', 'arithmetic', '--problems', '40', '--sft-twin', '--license', 'MIT']
  expect(await aft(['data', 'build', ...build, '-o', 'data'], { cwd })).toMatchObject({ code: 0 })
  const dry = await aft(['data', 'push', 'data', 'me/rows', '--dry-run'], { cwd, env })
  expect(dry).toMatchObject({ code: 0, stdout: expect.stringContaining('train.jsonl') })
  expect(asked).toEqual([])
  files = {}
  const { code, stdout, stderr } = await aft(['data', 'push', 'data', 'me/rows', '--private'], { cwd, env })
  expect({ code, stdout, stderr: stderr.slice(-1500) }).toEqual({
    code: 0,
    stderr: expect.anything(),
    stdout: `${endpoint}/datasets/me/rows/commit/f\n`,
  })
  expect(created).toMatchObject({ name: 'rows', organization: 'me', type: 'dataset' })
  expect(created.private === true || created.visibility === 'private').toBe(true)
  expect(Object.keys(files)).toEqual(
    expect.arrayContaining([
      'README.md',
      'train.jsonl',
      'validation.jsonl',
      'sft/train.jsonl',
      'report.html',
    ]),
  )
  expect(Object.keys(files)).not.toContain('dropped.jsonl')
  const card = files['README.md'] as string
  expect(frontOf(card)).toMatchObject({
    license: 'mit',
    size_categories: ['n<1K'],
    configs: [{ config_name: 'default' }, { config_name: 'sft' }],
  })
  expect(card).toContain('load_dataset("me/rows")')
})

test('a model gets its weights at the root, its usage and the table of its evaluation', async () => {
  const put = (name: string, text: string) => {
    mkdirSync(path.dirname(path.join(cwd, name)), { recursive: true })
    writeFileSync(path.join(cwd, name), text)
  }
  put('tuned/model/adapter_config.json', '{}')
  put('tuned/model/adapter_model.safetensors', 'weights')
  put('tuned/adapter.gguf', 'gguf')
  put('tuned/aft-model.json', '{}')
  put('tuned/trainer/checkpoint-1/optimizer.pt', 'secret')
  put(
    'tuned/README.md',
    '---\nbase_model: b/base\nlibrary_name: peft\n---\n\n# base, tuned\n\nLicense of the base: Apache-2.0. License of the data: MIT.\n\n## Recipe\n\nx\n',
  )
  put('q.jsonl', '{"question":"1+2?","answer":"#### 3"}\n{"question":"2+2?","answer":"#### 4"}\n')
  const evaluated = ['eval', 'gsm8k', 'q.jsonl', '--model', 'scripted:echo', '--width', '2', '-o', 'results']
  expect(await aft(evaluated, { cwd })).toMatchObject({ code: 0 })
  files = {}
  const { code, stderr } = await aft(['train', 'push', 'tuned', 'me/model', '--results', 'results'], {
    cwd,
    env,
  })
  if (code !== 0) throw new Error(stderr)
  expect(Object.keys(files).sort()).toEqual(
    [
      'README.md',
      'adapter.gguf',
      'adapter_config.json',
      'adapter_model.safetensors',
      'aft-model.json',
    ].sort(),
  )
  const card = files['README.md'] as string
  expect(frontOf(card)).toMatchObject({
    base_model: 'b/base',
    license: 'apache-2.0',
    pipeline_tag: 'text-generation',
    library_name: 'peft',
  })
  expect(card).toContain('pipeline("text-generation", model="me/model")')
  expect(card).toMatch(/## Evaluation\n\n\| task [\s\S]*\| gsm8k \| .* \| majority/)
  expect(card.indexOf('## Use')).toBeLessThan(card.indexOf('## Recipe'))
})

test('a wrong name, a folder without a model and a wrong token are errors, and the token is in none', async () => {
  const push = (...args: string[]) =>
    aft(args, { cwd, env: { ...env, HF_TOKEN: 'hf_wrongwrongwrongwrongwrongwrong00' } })
  expect(await push('data', 'push', 'data', 'rows')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('expected a repository USER/NAME, got rows'),
  })
  expect(await push('train', 'push', 'data', 'me/rows')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('has no finished model'),
  })
  const refused = await push('data', 'push', 'data', 'me/rows')
  expect(refused).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('me/rows is not uploaded: the hub refused it (401)'),
  })
  expect(refused.stderr).not.toContain('hf_wrong')
})
