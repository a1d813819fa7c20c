/** A pool of worker threads: pieces of work are shared out in turn, and results come in the order of the pieces. */
import module from 'node:module'
import path from 'node:path'
import { parentPort, Worker, workerData } from 'node:worker_threads'

/** What the workers run. */
export interface PoolOptions {
  /** The workers' module, which calls `serveWork`: see `entryBeside`. */
  entry: URL
  /** A copy goes to each worker when it starts. */
  data: unknown
  /** The number of workers, at least 1. */
  workers: number
}

/** A piece of work or a result, and those of its buffers that are transferred instead of copied. */
export interface Parcel<T> {
  value: T
  transfer?: ArrayBuffer[]
}

/** Pieces per worker in flight: enough that no worker waits, few enough that memory stays flat. */
const AHEAD = 3

/**
 * Yields the result of each piece.
 * @throws what a worker throws (message and stack), or the source of the pieces; the workers are always terminated
 */
export async function* mapInWorkers<Piece, Result>(
  pieces: AsyncIterable<Parcel<Piece>>,
  { entry, data, workers: count }: PoolOptions,
): AsyncGenerator<Result> {
  const workers = Array.from({ length: count }, () => startWorker<Result>(entry, data))
  const results: Promise<Result>[] = []
  try {
    let next = 0
    for await (const { value, transfer } of pieces) {
      const worker = workers[next++ % count] as ReturnType<typeof startWorker<Result>>
      const result = worker.ask(value, transfer)
      result.catch(() => {}) // thrown when its turn comes
      results.push(result)
      if (results.length >= AHEAD * count) yield await (results.shift() as Promise<Result>)
    }
    for (const result of results) yield await result
  } finally {
    await Promise.all(workers.map((worker) => worker.end()))
  }
}

type Answer<Result> = { value: Result } | { error: unknown }

function startWorker<Result>(entry: URL, data: unknown) {
  const worker = new Worker(entry, { workerData: data, env: { ...process.env, ...compileCache() } })
  const waiting: PromiseWithResolvers<Result>[] = []
  let failure: Error | undefined
  const fail = (error: Error) => {
    failure ??= error
    for (const { reject } of waiting.splice(0)) reject(failure)
  }
  worker.on('message', (answer: Answer<Result>) => {
    const asked = waiting.shift()
    if ('error' in answer) asked?.reject(answer.error)
    else asked?.resolve(answer.value)
  })
  worker.on('error', fail)
  worker.on('exit', (code) => fail(new Error(`a worker thread ended with code ${code}`)))
  return {
    ask(value: unknown, transfer: ArrayBuffer[] = []): Promise<Result> {
      if (failure) return Promise.reject(failure)
      const asked = Promise.withResolvers<Result>()
      waiting.push(asked)
      worker.postMessage(value, transfer)
      return asked.promise
    },
    end: () => worker.terminate(),
  }
}

/** For the environment of workers and processes that use the compile cache of this thread: each starts a third of a second sooner. */
export function compileCache(): { NODE_COMPILE_CACHE?: string } {
  const cache = module.getCompileCacheDir()
  return cache ? { NODE_COMPILE_CACHE: path.dirname(cache) } : {}
}

/** Call it in a worker: handles the pieces one after the other. `make` gets the pool's `data` once. */
export function serveWork<Data, Piece, Result>(
  make: (data: Data) => (piece: Piece) => Promise<Parcel<Result>>,
): void {
  const port = parentPort
  if (!port) throw new Error('this module runs in a worker thread only')
  const work = make(workerData as Data)
  let last = Promise.resolve()
  port.on('message', (piece: Piece) => {
    last = last.then(async () => {
      try {
        const { value, transfer = [] } = await work(piece)
        port.postMessage({ value }, transfer)
      } catch (error) {
        port.postMessage({ error })
      }
    })
  })
}
