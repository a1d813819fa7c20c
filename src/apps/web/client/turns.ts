/** Lets texts that grow at the same time be rendered in turn, so that together they leave time for the page. */

/** Longest time of work before the page rests, and how many times as long it then rests at least. */
const SLICE_MS = 6
const REST = 3
const LEAST_MS = 30

const waiting = new Map<object, () => void>()
let timer: ReturnType<typeof setTimeout> | undefined
let restMs = 0

/** Runs work soon. Work for the same key that still waits is replaced. */
export function whenThereIsTime(key: object, work: () => void): void {
  waiting.set(key, work)
  if (timer === undefined) timer = setTimeout(run, restMs)
}

/** Drops the work of a key. */
export function dropWork(key: object): void {
  waiting.delete(key)
}

function run(): void {
  const startMs = performance.now()
  for (const [key, work] of waiting) {
    waiting.delete(key)
    work()
    if (performance.now() - startMs > SLICE_MS) break
  }
  restMs = Math.min(2_000, Math.max(LEAST_MS, REST * (performance.now() - startMs)))
  timer = waiting.size > 0 ? setTimeout(run, restMs) : undefined
}
