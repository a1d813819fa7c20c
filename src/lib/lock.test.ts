import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { takeLock } from './lock.ts'

const holder = `
const { takeLock } = await import(${JSON.stringify(new URL('./lock.ts', import.meta.url).href)})
console.log(takeLock(process.argv[1]) ? 'has ' + process.pid : 'has not')
setInterval(() => {}, 1e9)`

let folder: string
let file: string
const children: ChildProcess[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock-'))
  file = join(folder, 'x.lock')
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

/** Starts a process and returns the first line that it writes. */
async function start(
  command: string,
  args: string[],
): Promise<{ child: ChildProcess; line: string; stderr: () => string }> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  children.push(child)
  let stderr = ''
  child.stderr?.on('data', (data) => (stderr += data))
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout?.once('data', (data) => resolve(String(data).trim()))
    child.once('exit', () => reject(new Error(stderr)))
  })
  return { child, line, stderr: () => stderr }
}
const startHolder = () => start(process.execPath, ['--input-type=module', '-e', holder, file])

test('a lock is held once in a process, and free after its release', () => {
  const lock = takeLock(file)
  expect(lock).toBeDefined()
  expect(takeLock(file)).toBeUndefined()
  lock?.release()
  lock?.release()
  expect(existsSync(file)).toBe(false)
  const again = takeLock(file)
  expect(again).toBeDefined()
  again?.release()
})

test('a lock is held once on a machine, and Node warns of nothing', async () => {
  const { line, stderr } = await startHolder()
  expect(line).toMatch(/^has \d+$/)
  expect(takeLock(file)).toBeUndefined()
  expect((await startHolder()).line).toBe('has not')
  expect(stderr()).toBe('')
})

test('a lock that was refused in the same process is still held', async () => {
  const lock = takeLock(file)
  takeLock(file)
  globalThis.gc?.()
  expect((await startHolder()).line).toBe('has not')
  lock?.release()
  expect((await startHolder()).line).toMatch(/^has \d+$/)
})

test('a lock dies with its process: it is free the moment that is gone', async () => {
  const { child } = await startHolder()
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
  const lock = takeLock(file)
  expect(lock).toBeDefined()
  lock?.release()
})

test.skipIf(process.platform !== 'linux')('a zombie holds no lock', async () => {
  const inShell = `"$0" --input-type=module -e "$1" "$2" & exec sleep 60`
  const { line } = await start('/bin/sh', ['-c', inShell, process.execPath, holder, file])
  const pid = Number(line.split(' ')[1])
  process.kill(pid, 'SIGKILL')
  const isZombie = () => {
    const state = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]
    return state?.startsWith('Z') && readdirSync(`/proc/${pid}/task`).length === 1 // its threads are gone
  }
  while (!isZombie()) await delay(5)
  const lock = takeLock(file)
  expect(lock).toBeDefined()
  lock?.release()
})

describe('a file that cannot be made', () => {
  test('is an error that says why', () => {
    expect(() => takeLock(join(folder, 'none', 'x.lock'))).toThrow(
      /none.*x\.lock: cannot be locked: unable to open database file/,
    )
  })
})
