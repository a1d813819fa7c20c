/** For tests: runs `bin/aft.js` as a child process. */
import { type ChildProcess, spawn } from 'node:child_process'
import path from 'node:path'
import type { Readable } from 'node:stream'

const launcher = path.join(import.meta.dirname, '../bin/aft.js')
/** Running children. They are killed at the end, so that a failed test leaves none. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

export interface AftOptions {
  input?: string
  cwd?: string
  env?: NodeJS.ProcessEnv
  /** Node's own flags. */
  nodeFlags?: string[]
  /** File to write the output to; `stdout` of the result is then empty. */
  stdout?: number
  /** Called with the child when it runs. */
  during?: (child: ChildProcess) => void
}

/** Runs the command line and returns its output and exit code. Colors are off; only `cwd` can have a config. */
export async function aft(args: string[], options: AftOptions = {}): Promise<Ended> {
  const child = spawn(process.execPath, [...(options.nodeFlags ?? []), launcher, ...args], {
    cwd: options.cwd,
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, ...options.env },
    stdio: ['pipe', options.stdout ?? 'pipe', 'pipe'],
  })
  running.add(child)
  const stdout = collect(child.stdout)
  const stderr = collect(child.stderr)
  options.during?.(child)
  child.stdin?.on('error', () => {}) // a child that reads nothing may end first
  child.stdin?.end(options.input ?? '')
  const ended = new Promise<Pick<Ended, 'code' | 'signal'>>((resolve) =>
    child.once('close', (code, signal) => {
      running.delete(child)
      resolve({ code, signal })
    }),
  )
  return { ...(await ended), stdout: stdout(), stderr: stderr() }
}

/** Collects the text of a stream, even if it is closed early. */
function collect(stream: Readable | null): () => string {
  let all = ''
  stream?.setEncoding('utf8').on('data', (chunk: string) => {
    all += chunk
  })
  return () => all
}
