/** For tests: a disk on which the n-th write, rename or truncation fails. In this process only, and only in one folder. */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import path from 'node:path'

/**
 * How it fails. `full`: no write works from the n-th on, until the disk is mended. `torn`: half of the n-th is written,
 * then it fails. `short`: the system takes half of the n-th and says so; a caller must write the rest.
 */
export type Fault = 'full' | 'torn' | 'short'

/** A disk that fails. */
export interface FailingDisk {
  /** Operations until now. */
  count(): number
  /** Whether the fault has happened. */
  hasFailed(): boolean
  mend(): void
}

type Any = (...args: never[]) => unknown

/** Makes the n-th operation (from 1) in the folder fail. With n = 0 none fails: they are counted. */
export function failingDisk(folder: string, n: number, fault: Fault): FailingDisk {
  const inside = (file: unknown) =>
    typeof file === 'string' && !path.relative(folder, path.resolve(file)).startsWith('..')
  const open = new Set<number>()
  const restores: (() => void)[] = []
  let [count, failed] = [0, false]
  /** Counts an operation, and says what it shall do. */
  const next = (): 'work' | 'half' | 'fail' => {
    count++
    const isHit = n > 0 && (fault === 'full' ? count >= n : count === n)
    if (!isHit) return 'work'
    failed = true
    return fault === 'full' ? 'fail' : 'half'
  }
  const error = (code: string, call: string) =>
    Object.assign(new Error(`${code}: injected, ${call}`), { code, syscall: call })
  const failure = (call: string) => error(fault === 'full' ? 'ENOSPC' : 'EIO', call)
  const patch = (owner: object, name: string, make: (original: Any) => Any) => {
    const original = Reflect.get(owner, name) as Any
    Reflect.set(owner, name, make(original.bind(owner) as Any))
    restores.push(() => Reflect.set(owner, name, original))
  }

  patchOpening(patch, { inside, open })
  patch(
    fs,
    'writeSync',
    (write) =>
      ((fd: number, data: Uint8Array | string, at?: number, length?: number, place?: number) => {
        const call = write as (...args: unknown[]) => number
        if (!open.has(fd)) return call(fd, data, at, length, place)
        const what = next()
        if (what === 'work') return call(fd, data, at, length, place)
        if (what === 'fail') throw failure('write')
        const bytes =
          typeof data === 'string'
            ? Buffer.from(data)
            : data.subarray(at ?? 0, (at ?? 0) + (length ?? data.length))
        const half = call(fd, bytes, 0, bytes.length >> 1, place)
        if (fault === 'short') return half
        throw failure('write')
      }) as Any,
  )
  patch(
    fs,
    'write',
    (write) =>
      ((fd: number, data: Uint8Array, at: number, length: number, place: unknown, done: Any) => {
        const call = write as (...args: unknown[]) => void
        const what = open.has(fd) ? next() : 'work'
        if (what === 'work') return call(fd, data, at, length, place, done)
        if (what === 'fail') return (done as (error: Error) => void)(failure('write'))
        const end = done as (error: Error | null, written: number, data: unknown) => void
        call(fd, data, at, length >> 1, place, (problem: Error | null, written: number) =>
          fault === 'short' ? end(problem, written, data) : end(failure('write'), 0, data),
        )
      }) as Any,
  )
  patch(
    fs,
    'writev',
    () =>
      ((fd: number, pieces: Uint8Array[], place: unknown, done: Any) => {
        const bytes = Buffer.concat(pieces)
        ;(fs.write as (...args: unknown[]) => void)(
          fd,
          bytes,
          0,
          bytes.length,
          place ?? null,
          (error: Error | null, written: number) =>
            (done as (...args: unknown[]) => void)(error, written, pieces),
        )
      }) as Any,
  )
  const wholes = (owner: object, names: string[], isAsync: boolean) => {
    for (const name of names) {
      patch(
        owner,
        name,
        (write) =>
          ((file: unknown, data: string | Uint8Array, ...more: unknown[]) => {
            const call = write as (...args: unknown[]) => unknown
            const what = inside(file) ? next() : 'work'
            // These write all that they are given, however the system takes it.
            if (what === 'work' || (what === 'half' && fault === 'short')) return call(file, data, ...more)
            if (what === 'half')
              (name.startsWith('append') ? fs.appendFileSync : writeRaw)(
                file as string,
                Buffer.from(data).subarray(0, data.length >> 1),
              )
            if (isAsync) return Promise.reject(failure('write'))
            throw failure('write')
          }) as Any,
      )
    }
  }
  const writeRaw = fs.writeFileSync
  wholes(fs, ['writeFileSync', 'appendFileSync'], false)
  wholes(fs.promises, ['writeFile', 'appendFile'], true)
  const wholly = (owner: object, name: string, isAsync: boolean) =>
    patch(
      owner,
      name,
      (work) =>
        ((file: unknown, ...more: unknown[]) => {
          const isOurs = typeof file === 'number' ? open.has(file) : inside(file)
          const what = isOurs ? next() : 'work'
          if (what === 'work' || fault === 'short')
            return (work as (...args: unknown[]) => unknown)(file, ...more)
          if (isAsync) return Promise.reject(failure(name))
          throw failure(name)
        }) as Any,
    )
  for (const name of ['renameSync', 'fsyncSync', 'fdatasyncSync', 'ftruncateSync', 'mkdirSync'])
    wholly(fs, name, false)
  for (const name of ['rename', 'mkdir']) wholly(fs.promises, name, true)
  syncBuiltinESMExports()
  return {
    count: () => count,
    hasFailed: () => failed,
    mend() {
      for (const restore of restores.splice(0).reverse()) restore()
      syncBuiltinESMExports()
    },
  }
}

/** Notes which descriptors belong to files of the folder. */
function patchOpening(
  patch: (owner: object, name: string, make: (original: Any) => Any) => void,
  { inside, open }: { inside: (file: unknown) => boolean; open: Set<number> },
): void {
  patch(
    fs,
    'openSync',
    (work) =>
      ((file: unknown, ...more: unknown[]) => {
        const fd = (work as (...args: unknown[]) => number)(file, ...more)
        if (inside(file)) open.add(fd)
        return fd
      }) as Any,
  )
  patch(
    fs,
    'open',
    (work) =>
      ((file: unknown, ...more: unknown[]) => {
        const done = more.pop() as (error: Error | null, fd?: number) => void
        ;(work as (...args: unknown[]) => void)(file, ...more, (error: Error | null, fd: number) => {
          if (!error && inside(file)) open.add(fd)
          done(error, fd)
        })
      }) as Any,
  )
  patch(
    fs,
    'closeSync',
    (work) =>
      ((fd: number) => {
        open.delete(fd)
        return (work as (fd: number) => void)(fd)
      }) as Any,
  )
  patch(
    fs,
    'close',
    (work) =>
      ((fd: number, done?: Any) => {
        open.delete(fd)
        return (work as (...args: unknown[]) => void)(fd, done)
      }) as Any,
  )
}
