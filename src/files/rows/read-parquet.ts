/** Reads the rows of a Parquet file. A process of its own decodes them, so that no forged file takes this one with it. */
import { fork } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { createChannel } from '../../lib/channel.ts'
import { entryBeside } from '../../lib/entry.ts'
import { FileError } from '../../lib/file-error.ts'
import { compileCache } from '../../lib/worker-pool.ts'
import type { RawRecord } from './row.ts'

/** What is read of a Parquet file. */
export interface Wanted {
  /** Top-level columns; one that the file lacks is an error. All are read if none are given. */
  columns?: string[]
  /** Further columns, read if the file has them. */
  optionalColumns?: string[]
}

/** What decoding may take: the processor's time for each row group, and more for a large one; and the memory of its process. */
export interface Limits {
  processorMs: number
  memoryBytes: number
}

/** What the process is asked to do. */
export interface Task {
  wanted: Wanted
  limits: Limits
}

/** Some rows, none after the last; or what is wrong with the file. */
export type Answer = { rows: object[] } | { problem: string }

/** A row group of 1 GiB and its texts take less memory. */
const LIMITS: Limits = { processorMs: 10_000, memoryBytes: 2 ** 32 }

/** Batches that are asked for before they are needed: the process decodes while this one works. */
const AHEAD = 2

/**
 * Yields a file's rows as objects; `line` counts rows from 1.
 * @throws FileError if it is no Parquet file, lacks a column or is broken, or needs too much memory or time
 */
export async function* readParquet(
  file: string,
  wanted: Wanted = {},
  limits = LIMITS,
): AsyncGenerator<RawRecord> {
  const decoder = startDecoder(file, { wanted, limits })
  try {
    let line = 1
    for (let i = 0; i < AHEAD; i++) decoder.ask()
    for await (const answer of decoder.answers) {
      if ('problem' in answer) throw new FileError(file, answer.problem)
      if (answer.rows.length === 0) return
      decoder.ask()
      for (const value of answer.rows) yield { file, line: line++, value }
    }
  } finally {
    decoder.end()
  }
}

function startDecoder(file: string, task: Task) {
  const fd = openSync(file, 'r')
  const answers = createChannel<Answer>()
  const child = fork(entryBeside(import.meta.url, 'parquet-process'), [JSON.stringify(task)], {
    stdio: [fd, 'ignore', 'pipe', 'ipc'],
    serialization: 'advanced',
    execArgv: [],
    env: { ...compileCache(), SystemRoot: process.env.SystemRoot }, // no key of the user's; Windows needs the last
  })
  closeSync(fd)
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(0, 10_000)
  })
  child.on('message', (answer: Answer) => answers.push(answer))
  child.on('error', (error) => answers.end(error))
  child.on('close', (code, signal) => {
    answers.push({ problem: `cannot be read as Parquet: ${explainEnd(said, signal ?? `code ${code}`)}` })
    answers.end()
  })
  return {
    answers,
    ask: () => child.connected && child.send('more', () => {}),
    end: () => child.kill('SIGKILL'),
  }
}

function explainEnd(said: string, how: string): string {
  if (said.includes('heap out of memory')) return 'takes more memory than there is'
  const line = said.split('\n').find((text) => text.includes(': takes more than '))
  return line ?? `the process that decodes it ended with ${how} ${said}`.trim()
}
