import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { aftHere } from '../../../test/aft-here.ts'

const bin = path.join(import.meta.dirname, '../../../bin/aft.js')
const scratch = () => mkdtempSync(path.join(tmpdir(), 'serve-'))
/** For a start that is refused. */
const run = (...args: string[]) => aftHere(['serve', ...args])

test('the first line is the address, which answers, and SIGTERM ends it with 0', async () => {
  const child = spawn(process.execPath, [bin, 'serve', '--model', 'scripted:echo', '--port', '0'])
  try {
    let told = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      told += text
    })
    const [line] = await once(child.stdout.setEncoding('utf8'), 'data')
    const response = await fetch(`${line.trim()}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'aft-fast', messages: [{ role: 'user', content: 'Name a river.' }] }),
    })
    expect(await response.json()).toMatchObject({
      choices: [{ finish_reason: 'stop' }],
      aft: { degraded: false },
    })
    child.kill('SIGTERM')
    expect((await once(child, 'close'))[0]).toBe(0)
    const url = line.trim()
    expect(told).toContain(
      `  page      ${url}
  base URL  ${url}/v1 (OpenAI), ${url} (Anthropic)
  models    aft, aft-fast, paper, moa, rsa, single
  aft       aft, 4 completions, with scripted:echo
  stop      Ctrl-C
`,
    )
  } finally {
    child.kill('SIGKILL')
  }
})

test('SIGTERM lets a running answer end, and refuses later requests', async () => {
  const script = path.join(scratch(), 'slow.json')
  writeFileSync(script, JSON.stringify([{ replies: [{ text: 'a b c d e f', delayMs: 100 }] }]))
  const child = spawn(process.execPath, [bin, 'serve', '--model', `scripted:${script}`, '--port', '0'])
  try {
    const [line] = await once(child.stdout.setEncoding('utf8'), 'data')
    const ask = () =>
      fetch(`${line.trim()}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'single', stream: true, messages: [{ role: 'user', content: 'x' }] }),
      })
    const response = await ask()
    child.kill('SIGTERM')
    const exit = once(child, 'exit')
    await expect
      .poll(() =>
        ask().then(
          (r) => r.status,
          () => 503,
        ),
      )
      .toBe(503)
    expect((await response.text()).trimEnd().endsWith('data: [DONE]')).toBe(true)
    expect((await exit)[0]).toBe(0)
  } finally {
    child.kill('SIGKILL')
  }
})

test("a public address without clients' keys is an error that names the flags", async () => {
  const start = ['--model', 'scripted:echo', '--host', '0.0.0.0', '--port', '0']
  expect(await run(...start)).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(
      /--client-key-env or --client-key-file, or --without-key to serve everybody$/m,
    ),
  })
  expect(await run(...start, '--api-key-env', 'PATH')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/--client-key-env or .*--api-key-env is the key that this server sends/),
  })
  expect(await run(...start, '--api-key-file', 'keys.txt')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--client-key-file'),
  })
})

test('--api-key-env goes to the model, --client-key-env is asked of clients', async () => {
  const authorizations: (string | undefined)[] = []
  const upstream = createHttpServer((request, response) => {
    authorizations.push(request.headers.authorization)
    response.writeHead(404).end()
  }).listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  const { port } = upstream.address() as AddressInfo
  const start = async (...more: string[]) => {
    const model = `http://127.0.0.1:${port}/v1#llama`
    const args = [bin, 'serve', '--model', model, '--port', '0', '--api-key-env', 'UPSTREAM', ...more]
    const env = { ...process.env, UPSTREAM: 'upstream-key', CLIENT: 'client-key' }
    const child = spawn(process.execPath, args, { env })
    const [line] = await once(child.stdout.setEncoding('utf8'), 'data')
    const ask = (key?: string) =>
      fetch(`${line.trim()}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) },
        body: JSON.stringify({ model: 'single', messages: [{ role: 'user', content: 'x' }] }),
      })
    return { child, ask }
  }
  const closed = await start('--client-key-env', 'CLIENT')
  try {
    expect((await closed.ask()).status).toBe(401)
    expect((await closed.ask('upstream-key')).status).toBe(401)
    expect(authorizations).toEqual([])
    expect((await closed.ask('client-key')).status).toBe(502)
    expect(new Set(authorizations)).toEqual(new Set(['Bearer upstream-key']))
  } finally {
    closed.child.kill('SIGKILL')
  }
  const open = await start()
  try {
    const [note] = await once(open.child.stderr.setEncoding('utf8'), 'data')
    expect(note).toMatch(/^clients need no key: --api-key-env is .* --client-key-env is for clients\n/)
    expect((await open.ask()).status).toBe(502)
  } finally {
    open.child.kill('SIGKILL')
    upstream.close()
  }
})

test('the presets of the config are models, and of an address only the model is shown', async () => {
  const folder = scratch()
  writeFileSync(
    path.join(folder, 'aft.config.json'),
    JSON.stringify({
      engines: { house: 'scripted:echo' },
      presets: { 'house-blend': { model: 'house', width: 2, depth: 1, maxTokens: 40 } },
    }),
  )
  const args = [bin, 'serve', '--model', 'http://127.0.0.1:9/v1#llama', '--port', '0']
  const child = spawn(process.execPath, args, { cwd: folder })
  try {
    const [line] = await once(child.stdout.setEncoding('utf8'), 'data')
    const models = await (await fetch(`${line.trim()}/v1/models`)).json()
    expect(models).toMatchObject({ data: [{}, {}, {}, {}, {}, {}, { id: 'house-blend' }] })
    const ask = async (body: object) => {
      const response = await fetch(`${line.trim()}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ messages: [{ role: 'user', content: 'Name a river.' }], ...body }),
      })
      return response.json()
    }
    expect(await ask({ model: 'house-blend' })).toMatchObject({
      aft: { answeredBy: 'house', layers: [{ completions: [{}, {}] }, { completions: [{}] }] },
    })
    expect(await ask({ model: 'aft', aft: { proposers: ['nobody'] } })).toMatchObject({
      error: { message: expect.stringMatching(/there are: llama, house$/) },
    })
  } finally {
    child.kill('SIGKILL')
  }
})

test('an impossible preset is refused at the start', async () => {
  const folder = scratch()
  writeFileSync(path.join(folder, 'aft.config.json'), '{"presets": {"x": {"width": 0}}}')
  const refused = await aftHere(['serve', '--port', '0'], { cwd: folder })
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('presets.x.width') })
})

test('a file for fixes that cannot be written is an error at the start', async () => {
  const refused = await run('--model', 'scripted:echo', '--port', '0', '--fixes', '/nowhere/at/all.jsonl')
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('--fixes') })
})

test.each(['--fixes', '--ratings'])(
  '%s takes no packed file, which a line of text would spoil',
  async (flag) => {
    const file = path.join(scratch(), 'lines.jsonl.gz')
    writeFileSync(file, gzipSync('{}\n'))
    const before = readFileSync(file)
    const refused = await run('--model', 'scripted:echo', '--port', '0', flag, file)
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`${flag} ${file}: lines are not packed`),
    })
    expect(readFileSync(file)).toEqual(before)
  },
)
