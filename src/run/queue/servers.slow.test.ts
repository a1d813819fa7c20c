/** A whole run through the servers that a queue can stand on, and the ones that it refuses. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { aft } from '../../../test/command-line.ts'
import { installValkey } from '../../../test/peers/valkey.ts'
import {
  aftPart,
  hasRedis,
  type Part,
  pretendRedis,
  startRedis,
  startUpstream,
} from '../../../test/queue-parts.ts'

let folder: string
let parts: Part[]
const at = (name: string) => join(folder, name)
const PROMPTS = 8

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'aft-queue-servers-'))
  parts = []
  const rows = Array.from({ length: PROMPTS }, (_, i) => `{"prompt":"question ${i}"}\n`)
  writeFileSync(at('p.jsonl'), rows.join(''))
})
afterEach(async () => {
  for (const part of parts) await part.kill()
  rmSync(folder, { recursive: true, force: true })
})

async function startServer(options: Parameters<typeof startRedis>[1]): Promise<number> {
  const { part, port } = await startRedis(folder, options)
  parts.push(part)
  return port
}

/** Runs all prompts with one worker. Returns everything that the commands and files said. */
async function runThrough(queue: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const upstream = await startUpstream(folder, 20)
  const worker = aftPart('worker', ['work', '--queue', queue, '--run', 'r'], folder, env)
  parts.push(upstream.part, worker.start())
  const args = ['run', 'p.jsonl', '-o', 'a.jsonl', '--queue', queue, '--run', 'r', '--model', upstream.model]
  const run = await aft([...args, '--width', '2', '--depth', '1', '--no-progress'], { cwd: folder, env })
  expect(run.stderr).toContain(`${PROMPTS} of ${PROMPTS} answered`)
  expect(run.code).toBe(0)
  expect(await worker.ended()).toBe(0)
  const status = await aft(['status', '--queue', queue, '--json'], { cwd: folder, env })
  expect(status.code).toBe(0)
  return [
    run.stderr,
    run.stdout,
    status.stdout,
    worker.log,
    readFileSync(at('a.jsonl.journal'), 'utf8'),
  ].join()
}

/** A certificate for localhost from an authority of our own. */
function makeCertificate(): void {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
  const key = ['-newkey', 'rsa:2048', '-nodes']
  openssl('req', '-x509', ...key, '-days', '2', '-subj', '/CN=own', '-keyout', 'ca.key', '-out', 'ca.crt')
  openssl('req', ...key, '-subj', '/CN=localhost', '-keyout', 'redis.key', '-out', 'redis.csr')
  writeFileSync(at('names'), 'subjectAltName=DNS:localhost')
  const signed = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'names']
  openssl('x509', '-req', '-in', 'redis.csr', ...signed, '-days', '2', '-out', 'redis.crt')
}

describe.skipIf(!hasRedis())('a queue (skipped without redis-server)', () => {
  test('over TLS, with an authority and a password of its own; none is shown, and an unknown authority is refused', async () => {
    makeCertificate()
    const password = 'pa-5ecret/word'
    const files = [
      '--tls-cert-file',
      at('redis.crt'),
      '--tls-key-file',
      at('redis.key'),
      '--tls-auth-clients',
      'no',
    ]
    const more = ['--port', '0', '--tls-port', 'PORT', ...files, '--requirepass', password]
    const port = await startServer({ more })
    const queue = `rediss://localhost:${port}/0`
    const trusted = { NODE_EXTRA_CA_CERTS: at('ca.crt') }
    const said = await runThrough(queue, { ...trusted, AFT_QUEUE_PASSWORD: password })
    const inAddress = `rediss://:${encodeURIComponent(password)}@localhost:${port}/0`
    const known = await aft(['status', '--queue', inAddress], { cwd: folder, env: trusted })
    expect(known).toMatchObject({ code: 0, stdout: 'no runs\n' })
    const foreign = await aft(['status', '--queue', inAddress], { cwd: folder })
    expect(foreign.code).toBe(1)
    expect(foreign.stderr).toContain('NODE_EXTRA_CA_CERTS')
    const other = await aft(['status', '--queue', inAddress.replace('localhost', '127.0.0.1')], {
      cwd: folder,
      env: trusted,
    })
    expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining('127.0.0.1') })
    const plain = await aft(['status', '--queue', inAddress.replace('rediss', 'redis')], { cwd: folder })
    expect(plain).toMatchObject({ code: 1, stderr: expect.stringContaining('rediss://') })
    const all = [said, known, foreign, other, plain].map((one) => JSON.stringify(one)).join()
    expect(all).not.toContain('5ecret')
  })

  test('of Valkey answers all prompts', async () => {
    const program = installValkey()
    if (program === undefined) return
    const port = await startServer({ program })
    const info = execFileSync('redis-cli', ['-p', `${port}`, 'info', 'server'], { encoding: 'utf8' })
    expect(info).toContain('server_name:valkey')
    await runThrough(`redis://127.0.0.1:${port}/0`)
  })

  test('with a user of an access list answers all prompts; one that may not do enough is an error that says so', async () => {
    const port = await startServer({
      more: [
        '--port',
        'PORT',
        '--user',
        'works',
        'on',
        '>worker-word',
        '~*',
        '&*',
        '+@all',
        '--user',
        'looks',
        'on',
        '>looker-word',
        '~*',
        '+ping',
      ],
    })
    const said = await runThrough(`redis://works:worker-word@127.0.0.1:${port}/0`)
    expect(said).not.toContain('worker-word')
    const refused = await aft(['status', '--queue', `redis://looks:looker-word@127.0.0.1:${port}/0`], {
      cwd: folder,
    })
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('NOPERM') })
    expect(refused.stderr).not.toContain('looker-word')
  })
})

describe('a queue is refused on', () => {
  test.each([
    [
      'a Redis that is too old',
      'redis_version:6.0.16\r\n',
      'expected Redis 6.2 or newer, or Valkey, got 6.0.16',
    ],
    [
      'one that drops keys',
      'redis_version:7.2.0\r\nmaxmemory_policy:allkeys-lru\r\n',
      'maxmemory-policy is allkeys-lru',
    ],
    ['what is no Redis', 'hello\r\n', 'expected Redis 6.2 or newer, or Valkey'],
  ])('%s, by every command', async (_, info, message) => {
    const { server, url } = await pretendRedis(info)
    const queue = ['--queue', url]
    try {
      const commands = [
        ['status'],
        ['work'],
        ['run', 'p.jsonl', '-o', 'a.jsonl', '--model', 'http://127.0.0.1:9/v1#m'],
      ]
      const ends = commands.map((args) => aft([...args, ...queue], { cwd: folder }))
      for (const end of await Promise.all(ends))
        expect(end).toMatchObject({ code: 2, stderr: expect.stringContaining(message) })
    } finally {
      server.close()
    }
  })
})
