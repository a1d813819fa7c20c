/** Python environments with pinned packages. Each is made once and kept in the cache folder. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { findCacheFolder } from './cache-folder.ts'
import { takeLock } from './lock.ts'
import { makeFolder } from './make-folder.ts'

const PYTHON = process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python']

/** Which packages the environment has. */
export interface PythonOptions {
  /** Such as `name==1.2.3`; each list of packages has its own environment. */
  packages: string[]
  signal?: AbortSignal
  /** Called with each command before it runs. */
  onLine?: (line: string) => void
}

/**
 * Path of the interpreter of an environment that has the packages. A missing environment is made; a second process waits
 * while a first one makes it; an incomplete one is deleted and made again.
 * @throws Error with the last lines of the command that failed
 */
export async function preparePython({ packages, signal, onLine }: PythonOptions): Promise<string> {
  const name = createHash('sha256').update(packages.join('\n')).digest('hex').slice(0, 12)
  const folder = path.join(findCacheFolder(), 'python', name)
  const python = path.join(folder, ...PYTHON)
  const complete = path.join(folder, 'complete')
  if (existsSync(complete)) return python
  makeFolder(path.dirname(folder))
  let lock = takeLock(`${folder}.lock`)
  for (; !lock; lock = takeLock(`${folder}.lock`)) await delay(500, undefined, { signal })
  try {
    if (existsSync(complete)) return python
    rmSync(folder, { recursive: true, force: true })
    const commands = [
      ['python3', '-m', 'venv', folder],
      [python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages],
    ]
    for (const command of commands) {
      onLine?.(command.join(' '))
      await runProgram(command, { signal })
    }
    writeFileSync(complete, '')
    return python
  } finally {
    lock.release()
  }
}

/** How a program is run. */
export interface ProgramOptions {
  /** Its standard input. */
  input?: string
  env?: Record<string, string>
  signal?: AbortSignal
  /** Called with each piece of text that the program writes to stdout or stderr. */
  onText?: (text: string) => void
}

const KEPT_CHARS = 2_000

/**
 * Runs a program and returns its standard output.
 * @throws Error with the last 2,000 characters of its standard error, or the signal's reason
 */
export function runProgram(
  [command = '', ...args]: string[],
  { input = '', env, signal, onText }: ProgramOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, signal })
    let [output, errors] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
      onText?.(text)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-KEPT_CHARS)
      onText?.(text)
    })
    child.once('error', (error) => reject(signal?.aborted ? signal.reason : error))
    child.once('close', (code) => {
      if (code === 0) resolve(output)
      else reject(new Error(`${command} ended with ${code}: ${errors.trim()}`))
    })
    child.stdin.on('error', () => {}) // a program that reads no input may end before the write
    child.stdin.end(input)
  })
}
