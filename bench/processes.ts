/** Starts the processes of a bench and measures what they take. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { text } from 'node:stream/consumers'

export interface Started {
  /** The first line that it printed. */
  line: string
  pid: number
  /** User and system time so far. */
  cpuMs(): number
  /** Its peak memory. */
  peakBytes(): number
  close(): void
}

const root = path.join(import.meta.dirname, '..')
const children = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

/** Starts a program of this project and waits for its first line. Its launcher must not start another process. */
export async function startProgram(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Started> {
  return startCommand(process.execPath, args, env)
}

export async function startCommand(
  command: string,
  args: string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Started> {
  const child = spawn(command, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.add(child)
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (data) => resolve(String(data).split('\n')[0]?.trim() ?? ''))
    child.once('exit', (code) => reject(new Error(`${command} ${args.join(' ')} ended with ${code}`)))
  })
  const pid = child.pid as number
  return {
    line,
    pid,
    cpuMs: () => readCpuMs(pid),
    peakBytes: () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024,
    close: () => {
      children.delete(child)
      child.kill('SIGKILL')
    },
  }
}

/** Runs a program to its end and reads what it printed as JSON. */
export async function runProgram<T>(args: string[]): Promise<{ printed: T; cpuMs: number }> {
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  children.add(child)
  let cpuMs = 0
  const timer = setInterval(() => {
    cpuMs = readCpuMs(child.pid as number)
  }, 100)
  const printed = await text(child.stdout)
  clearInterval(timer)
  children.delete(child)
  return { printed: JSON.parse(printed), cpuMs }
}

/** What a command of `aft` took, with the start of its process. */
export interface Measured {
  seconds: number
  cpuMs: number
  peakBytes: number
  /** What it printed. */
  output: string
}

/**
 * Runs a command of `aft` in a process of its own.
 * @param options `onStart` gets the id of the process; `checkout` is the folder whose `aft` runs, this one by default
 * @throws Error if it fails
 */
export async function runMeasured(
  args: string[],
  { onStart, checkout = root }: { onStart?: (pid: number) => void; checkout?: string } = {},
): Promise<Measured> {
  const start = performance.now()
  const stdio = ['ignore', 'pipe', 'pipe'] as const
  const child = spawn(process.execPath, ['bench/measured-cli.ts', ...args], {
    cwd: checkout,
    stdio: [...stdio],
  })
  children.add(child)
  onStart?.(child.pid as number)
  const [printed, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  children.delete(child)
  if (child.exitCode !== 0) throw new Error(`aft ${args.join(' ')} ended with ${child.exitCode}: ${errors}`)
  const seconds = (performance.now() - start) / 1000
  const end = printed.trimEnd().lastIndexOf('\n') + 1
  return { seconds, output: printed.slice(0, end), ...JSON.parse(printed.slice(end)) }
}

/** Reads the time in ticks of 10 ms; 0 if the process has ended. */
export function readCpuMs(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return (Number(fields[11]) + Number(fields[12])) * 10
  } catch {
    return 0
  }
}

/** Returns the value that a share of all values are below. */
export function percentile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
