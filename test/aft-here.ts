/** For tests: runs the command line in this process. It saves the start of one per command. */
import { Console } from 'node:console'
import { Readable, Writable } from 'node:stream'
import { onTestFinished } from 'vitest'
import { main } from '../src/apps/cli/main.ts'
import { type AftOptions, aft, type Ended } from './command-line.ts'

let last: Promise<unknown> = Promise.resolve()

/**
 * Runs the command line as `aft` does, but in this process and one at a time. It has a process of its own only if the options
 * need one. For commands that end by themselves.
 */
export function aftHere(args: string[], options: AftOptions = {}): Promise<Ended> {
  if (options.during || options.nodeFlags || options.stdout !== undefined) return aft(args, options)
  const { promise: testEnd, resolve: endTest } = Promise.withResolvers<void>()
  try {
    onTestFinished(async () => {
      endTest()
      await last // it has restored the process
    })
  } catch {} // a hook has no test
  const ended = last.then(() => runHere(args, options, testEnd))
  last = ended.catch(() => {})
  return ended
}

/** A test that ran out of time leaves its command running. The tests after it get their own process back all the same. */
async function runHere(
  args: string[],
  { input = '', cwd, env }: AftOptions,
  testEnd: Promise<void>,
): Promise<Ended> {
  const [stdout, stderr] = [collect(), collect()]
  const restore = [
    replace(process, 'stdout', stdout.stream),
    replace(process, 'stderr', stderr.stream),
    replace(process, 'stdin', Readable.from(input === '' ? [] : [Buffer.from(input)])),
    replace(process, 'argv', [process.execPath, 'aft', ...args]),
    replace(
      process,
      'env',
      withoutUndefined({ ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, ...env }),
    ),
    replace(globalThis, 'console', new Console(stdout.stream, stderr.stream)),
  ]
  const folder = process.cwd()
  if (cwd) process.chdir(cwd)
  const exitCode = process.exitCode
  process.exitCode = undefined
  const listeners = signals.map((name) => process.listeners(name))
  try {
    const isLate = await Promise.race([main(args), testEnd.then(() => true)])
    if (isLate) throw new Error(`the test ended before aft ${args.join(' ')}`)
    return { code: Number(process.exitCode ?? 0), signal: null, stdout: stdout.text(), stderr: stderr.text() }
  } finally {
    for (const [i, name] of signals.entries()) {
      for (const listener of process.listeners(name)) {
        if (!listeners[i]?.includes(listener)) process.off(name, listener)
      }
    }
    process.chdir(folder)
    process.exitCode = exitCode
    for (const undo of restore) undo()
  }
}

const signals = ['SIGINT', 'SIGTERM'] as const

/** As the environment of a child process: what is undefined is not there. */
function withoutUndefined(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined))
}

/** Replaces a property and returns what undoes it. */
function replace<T extends object>(owner: T, name: keyof T & string, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(owner, name)
  Object.defineProperty(owner, name, { value, writable: true, configurable: true, enumerable: true })
  return () => {
    if (before) Object.defineProperty(owner, name, before)
  }
}

/** A stream that keeps what is written to it. */
function collect(): { stream: Writable; text: () => string } {
  const chunks: Buffer[] = []
  const stream = new Writable({
    write(chunk: Buffer, _, done) {
      chunks.push(chunk)
      done()
    },
  })
  return { stream, text: () => Buffer.concat(chunks).toString() }
}
