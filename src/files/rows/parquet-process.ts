/**
 * The process that decodes a Parquet file for `read-parquet.ts`: its standard input is the file, and each message asks for
 * more rows. A forged file can make the decoder loop, or ask for so much at once that V8 ends the process with all of its
 * threads. So it is not done in a thread, and a thread here measures what is taken.
 */
import { writeSync } from 'node:fs'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import type { Answer, Limits, Task } from './read-parquet.ts'

/** What is read, and what it may take. */
interface Step extends Limits {
  where: string
}

/** Less than the slowest machine decodes. */
const BYTES_PER_MS = 10_000

if (isMainThread) await answerAsked(JSON.parse(process.argv[2] ?? '') as Task)
else watch()

async function answerAsked({ wanted, limits }: Task): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {}) // the reader's to heed
  const send = (answer: Answer) => process.send?.(answer)
  // A broken column may be found after another one has ended the reading.
  process.on('uncaughtException', ({ message }) => send({ problem: `cannot be read as Parquet: ${message}` }))
  const watcher = new Worker(new URL(import.meta.url))
  watcher.unref()
  const { decodeParquet } = await import('./decode-parquet.ts')
  const batches = decodeParquet(0, wanted, (where, bytes) => {
    const processorMs = limits.processorMs + Math.max(0, bytes) / BYTES_PER_MS
    const step: Step = { where, processorMs, memoryBytes: limits.memoryBytes }
    watcher.postMessage(step)
  })
  process.on('message', () => {
    const answer = batches.next().then(
      ({ value }) => ({ rows: value ?? [] }),
      ({ message }) => ({ problem: message }),
    )
    answer.then(send)
  })
}

/** Ends the process, and says why, if a step takes too much: no code in the loop itself could. */
function watch(): void {
  let step: Step | undefined
  let fromMs = 0
  parentPort?.on('message', (next: Step) => {
    step = next
    fromMs = usedMs()
  })
  const end = (problem: string) => {
    writeSync(2, `${step?.where}: takes more than ${problem}\n`)
    process.kill(process.pid, 'SIGKILL')
  }
  setInterval(() => {
    if (!step) return
    if (usedMs() - fromMs > step.processorMs) end(`${step.processorMs.toFixed(0)} ms of the processor's time`)
    if (process.memoryUsage.rss() > step.memoryBytes) end(`${step.memoryBytes / 2 ** 20} MiB of memory`)
  }, 20)
}

/** Of all threads. */
function usedMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}
