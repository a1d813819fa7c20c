/** Sets up the Python that trains: a separate environment with pinned requirements. */
import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { UsageError } from '../core/provider/errors.ts'
import { findCacheFolder } from '../lib/cache-folder.ts'
import { takeLock } from '../lib/lock.ts'
import { makeFolder } from '../lib/make-folder.ts'

/** The folder with the Python files and requirements, next to `src` and `dist`. */
export const trainerFolder = path.join(import.meta.dirname, '../../trainer')
const requirementsFile = path.join(trainerFolder, 'requirements.txt')
const converterFile = path.join(trainerFolder, 'converter.txt')
const pythonInVenv = process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python']

/** Options for the programs that set up the environment. */
export interface SetUpOptions {
  signal?: AbortSignal
  /** Gets each command before it runs. */
  onLine?: (line: string) => void
}

/** Returns the paths of environment and converters, even if they do not exist yet. */
export function findEnvironment(env = process.env): { folder: string; python: string; converter: string } {
  const cache = findCacheFolder(env)
  const named = (kind: string, file: string) =>
    path.join(cache, kind, createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 12))
  const folder = named('trainer', requirementsFile)
  return { folder, python: path.join(folder, ...pythonInVenv), converter: named('converter', converterFile) }
}

/** Says whether a folder was completed. */
export function isComplete(folder: string): boolean {
  return existsSync(path.join(folder, 'complete'))
}

/**
 * Makes the environment and the converters if they are missing. A second process waits for the first.
 * @param own the user's Python; it is used instead of an environment, and nothing is installed into it
 * @throws UsageError with the message of the command that failed
 */
export async function setUpEnvironment(options: SetUpOptions = {}, own?: string): Promise<void> {
  const { folder, python, converter } = findEnvironment()
  if (own === undefined) await makeOnce(folder, options, () => makeTrainer(folder, python, options))
  await makeOnce(converter, options, () => {
    const args = ['--quiet', '--no-deps', '--target', converter, '-r', converterFile]
    return install(own ?? python, args, options)
  })
}

async function makeOnce(folder: string, { signal }: SetUpOptions, make: () => Promise<void>): Promise<void> {
  if (isComplete(folder)) return
  makeFolder(path.dirname(folder))
  let lock = takeLock(`${folder}.lock`)
  for (; !lock; lock = takeLock(`${folder}.lock`)) await delay(500, undefined, { signal })
  try {
    if (isComplete(folder)) return
    rmSync(folder, { recursive: true, force: true })
    await make()
    writeFileSync(path.join(folder, 'complete'), '')
  } finally {
    lock.release()
  }
}

/** Makes the environment. uv picks the build of torch for the machine; pip gets the one without CUDA if there is no GPU. */
async function makeTrainer(folder: string, python: string, options: SetUpOptions): Promise<void> {
  if (await runs('uv', '--version')) {
    await runLoud('uv', ['venv', '--seed', '--python', '3.11', folder], options)
    const args = ['pip', 'install', '--python', python, '--torch-backend', 'auto', '-r', requirementsFile]
    return runLoud('uv', args, options)
  }
  await runLoud(await findPython(), ['-m', 'venv', folder], options)
  const torch = `torch==${readPins().torch}`
  if (await runs('nvidia-smi', '-L')) await install(python, [torch], options)
  else {
    await install(python, [`${torch}+cpu`], options).catch(() => {
      options.signal?.throwIfAborted()
      options.onLine?.(`the package index has no ${torch}+cpu; ${torch} may bring CUDA, several GB`)
      return install(python, [torch], options)
    })
  }
  await install(python, ['-r', requirementsFile], options)
}

function install(python: string, args: string[], options: SetUpOptions): Promise<void> {
  return runLoud(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...args], options)
}

/**
 * Installs the trackers that `report_to` of a recipe names, TensorBoard and trackio, into the environment.
 * @throws UsageError with the message of the command that failed
 */
export function installTrackers(python: string, options: SetUpOptions = {}): Promise<void> {
  return install(python, ['-r', requirementsFile, '-r', path.join(trainerFolder, 'trackers.txt')], options)
}

/** Reads the pinned version of each package. */
export function readPins(): Record<string, string> {
  const lines = readFileSync(requirementsFile, 'utf8').split('\n')
  return Object.fromEntries(
    lines.filter((line) => line.includes('==')).map((line) => line.trim().split('==')),
  )
}

async function findPython(): Promise<string> {
  for (const name of ['python3.11', 'python3.12', 'python3.13', 'python3.10', 'python3', 'python']) {
    const minor = await run(name, ['-c', 'import sys, venv; print(sys.version_info[1])']).catch(() => '')
    if (Number(minor) >= 10 && Number(minor) <= 13) return name
  }
  throw new UsageError(
    'found no Python 3.10 to 3.13 with venv: install one (Debian: python3 and python3-venv), or uv',
  )
}

const runs = (name: string, ...args: string[]) =>
  run(name, args).then(
    () => true,
    () => false,
  )

/** Runs a program and returns its standard output. */
export async function run(command: string, args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args, { encoding: 'utf8', maxBuffer: 1 << 24 })
  return stdout.trim()
}

/**
 * Runs a program to its end, after reporting its command.
 * @throws UsageError with the last error line that it wrote
 */
export function runLoud(
  command: string,
  args: string[],
  { signal, onLine, env }: SetUpOptions & { env?: NodeJS.ProcessEnv },
): Promise<void> {
  onLine?.(`${command} ${args.join(' ')}`)
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      signal,
    })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-8_000)
      })
    }
    let failure: Error | undefined
    child.on('error', (error) => {
      failure = error
    })
    child.on('close', (code) => {
      if (signal?.aborted) return reject(signal.reason)
      if (code === 0) return resolve()
      const lines = said.trim().split('\n')
      const line = failure?.message ?? lines.findLast((text) => /error/i.test(text)) ?? lines.at(-1)
      reject(new UsageError(`${line?.trim()} (from: ${[command, ...args].join(' ')})`))
    })
  })
}
