/** For tests and benches of the queue: Redis, an upstream, workers and a submitter, each a process that may be killed. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const root = path.join(import.meta.dirname, '..')
const launcher = path.join(root, 'bin/aft.js')

/** Whether Debian's redis-server, or another one, is there. */
export function hasRedis(): boolean {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** A program that is started again when it was killed. */
export class Part {
  readonly name: string
  child!: ChildProcess
  readonly #args: [command: string, args: string[]]
  readonly #folder: string
  readonly #env: NodeJS.ProcessEnv

  constructor(
    name: string,
    args: [command: string, args: string[]],
    folder: string,
    env: NodeJS.ProcessEnv = {},
  ) {
    this.name = name
    this.#args = args
    this.#folder = folder
    this.#env = env
  }

  /** Starts it; what it writes goes to NAME.log. */
  start(): this {
    const log = openSync(path.join(this.#folder, `${this.name}.log`), 'a')
    const [command, args] = this.#args
    this.child = spawn(command, args, {
      cwd: this.#folder,
      stdio: ['ignore', log, log],
      env: { ...process.env, NO_COLOR: '1', ...this.#env },
    })
    running.add(this.child)
    this.child.once('exit', () => running.delete(this.child))
    return this
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  get log(): string {
    return readFileSync(path.join(this.#folder, `${this.name}.log`), 'utf8')
  }

  /** Waits for its end. */
  async ended(): Promise<number | null> {
    if (this.isRunning) await once(this.child, 'exit')
    return this.child.exitCode
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (!this.isRunning) return
    const ended = once(this.child, 'exit')
    this.child.kill('SIGCONT')
    this.child.kill(signal)
    await ended
  }
}

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Starts redis-server, or another program like it, with an append-only file on a free port. `PORT` in an argument is its port. */
export async function startRedis(
  folder: string,
  { program = 'redis-server', more = ['--port', 'PORT'] }: { program?: string; more?: string[] } = {},
): Promise<{ part: Part; port: number }> {
  mkdirSync(path.join(folder, 'redis'), { recursive: true })
  const port = await freePort()
  const args = [
    '--bind',
    '127.0.0.1',
    '--dir',
    path.join(folder, 'redis'),
    '--save',
    '',
    '--appendonly',
    'yes',
  ]
  const own = more.map((text) => (text === 'PORT' ? `${port}` : text))
  const part = new Part('redis', [program, [...args, ...own]], folder).start()
  await untilListening(port)
  return { part, port }
}

/** Speaks as much of Redis as it takes to be asked what it is. */
export async function pretendRedis(info: string): Promise<{ server: Server; url: string }> {
  const server = createServer((socket) => {
    socket.on('data', (data) => {
      for (const command of String(data).match(/\$\d+\r\n(info|client|select|hello|auth|ping)\r\n/gi) ?? [])
        socket.write(/info/i.test(command) ? `$${info.length}\r\n${info}\r\n` : '+OK\r\n')
    })
    socket.on('error', () => {})
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}/0` }
}

/** Starts the upstream of campaigns. */
export async function startUpstream(
  folder: string,
  ms: number,
): Promise<{ part: Part; model: string; log: string; port: number }> {
  const port = await freePort()
  const log = path.join(folder, 'upstream.asked')
  const program = path.join(root, 'bench/campaign-upstream.ts')
  const args = [program, '--port', `${port}`, '--log', log, '--ms', `${ms}`]
  const part = new Part('upstream', [process.execPath, args], folder).start()
  await untilListening(port)
  return { part, model: `http://127.0.0.1:${port}/v1#m`, log, port }
}

/** A process of the command line. */
export function aftPart(name: string, args: string[], folder: string, env?: NodeJS.ProcessEnv): Part {
  return new Part(name, [process.execPath, [launcher, ...args]], folder, env)
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Waits until something listens on the port, for at most a minute. */
export async function untilListening(port: number): Promise<void> {
  const { connect } = await import('node:net')
  for (let tries = 0; tries < 1_200; tries++) {
    const socket = connect(port, '127.0.0.1')
    const isThere = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false)
    socket.destroy()
    if (isThere) return
    await delay(50)
  }
  throw new Error(`nothing listens on port ${port}`)
}

/** What a test of a queue has: a folder, Redis, an upstream, and the parts that it starts there. */
export interface QueueFolder {
  folder: string
  url: string
  redis: Part
  upstream: Awaited<ReturnType<typeof startUpstream>>
  at(name: string): string
  /** Starts a part, which is killed at the end. */
  start(part: Part): Part
  end(): Promise<void>
}

/** Makes a folder with Redis and an upstream that takes `ms` for a completion. */
export async function openQueueFolder(ms: number): Promise<QueueFolder> {
  const folder = mkdtempSync(path.join(tmpdir(), 'aft-queue-'))
  const { part: redis, port } = await startRedis(folder)
  const upstream = await startUpstream(folder, ms)
  const parts: Part[] = []
  return {
    folder,
    url: `redis://127.0.0.1:${port}/0`,
    redis,
    upstream,
    at: (name) => path.join(folder, name),
    start(part) {
      parts.push(part.start())
      return part
    },
    async end() {
      for (const part of [...parts, redis, upstream.part]) await part.kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** How many lines a file has; none if it is not there. */
export function countLines(file: string): number {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0
}

/** Waits until a journal has so many lines more, for at most two minutes. */
export async function grown(journal: string, lines: number): Promise<void> {
  const wanted = countLines(journal) + lines
  for (let tries = 0; countLines(journal) < wanted && tries < 4_800; tries++) await delay(25)
}

/** The lines of a journal without what differs between two runs that do the same: times, places, and who shared a request. */
export function comparable(journal: string): string[] {
  const lines = readFileSync(journal, 'utf8').trimEnd().split('\n').slice(1)
  return lines
    .map((line) => JSON.parse(line))
    .filter(({ type }) => type !== 'usage')
    .map(({ ms, at, usage, ...record }) => JSON.stringify(record))
    .sort()
}

/** What a journal and the log of an upstream say of a run. */
export function countRun(journal: string, log: string) {
  const lines = readFileSync(journal, 'utf8')
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => JSON.parse(line))
  const tally = (keys: string[]) => {
    const seen = new Map<string, number>()
    for (const key of keys) seen.set(key, (seen.get(key) ?? 0) + 1)
    return { distinct: seen.size, again: keys.length - seen.size }
  }
  const answers = lines.filter(({ type, error }) => type === 'answer' && !error)
  const failures = lines.filter(({ type, error }) => type === 'answer' && error)
  const completions = lines.filter(({ type }) => type === 'completion')
  const asked = readFileSync(log, 'utf8').trimEnd().split('\n')
  const of = (word: string) => asked.filter((line) => line.startsWith(`${word} `))
  const faults: Record<string, number> = {}
  for (const line of of('fault')) {
    const kind = line.split(' ')[1] as string
    faults[kind] = (faults[kind] ?? 0) + 1
  }
  return {
    answers: tally(answers.map(({ prompt }) => prompt)),
    failed: failures.length,
    failedReasons: [...new Set(failures.map(({ error }) => `${error.kind}: ${error.message}`.slice(0, 120)))],
    completions: tally(
      completions.map(({ prompt, layer, index, seed }) => `${prompt} ${layer} ${index} ${seed}`),
    ),
    asked: tally(of('ask')),
    sent: tally(of('end')),
    faults,
  }
}
