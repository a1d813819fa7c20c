/** Sends the lines of one prompt to the submitter, in order, while this worker holds the prompt. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { type RunKeys, recordLines } from './keys.ts'

/** The reason why the work on a prompt is aborted here: another worker has it now. */
export class TakenOver extends Error {
  override name = 'TakenOver'
  constructor(message = 'another worker has taken the prompt over') {
    super(message)
  }
}

const RETRY_MS = 1_000

/** Sends lines. */
export interface Recorder {
  /** Sends a line soon. Lines that end together are sent together. */
  record(line: object): void
  /** Sends the last line. Resolves when Redis has all lines. @throws TakenOver if they are not wanted */
  end(line: object): Promise<void>
  /** Sends all lines again. The submitter drops those that it has. */
  sendAgain(): void
}

/** Makes a recorder. `onLost` is called if this worker no longer holds the prompt. */
export function createRecorder(
  redis: Redis,
  held: { keys: RunKeys; job: string; token: string },
  onLost: (reason: unknown) => void,
): Recorder {
  const all: string[] = []
  let pending: string[] = []
  let sending: Promise<void> | undefined
  let lost: unknown

  const fail = (reason: unknown) => {
    lost ??= reason
    pending = []
    onLost(lost)
  }
  /** A full or restarting server is asked again until the lock is gone: completions are not thrown away for it. */
  const send = async (lines: string[], role: 'part' | 'end') => {
    while (lost === undefined) {
      try {
        if (!(await recordLines(redis, held, lines, role))) fail(new TakenOver())
        return
      } catch (error) {
        if (redis.status === 'end') fail(error)
        else await delay(RETRY_MS, undefined, { ref: false })
      }
    }
  }
  const sendAll = async () => {
    await Promise.resolve() // what this turn records is sent at once
    while (pending.length > 0) {
      const lines = pending
      pending = []
      await send(lines, 'part')
    }
  }
  const sendSoon = () => {
    sending ??= sendAll().finally(() => {
      sending = undefined
    })
  }
  return {
    record(line) {
      const text = JSON.stringify(line)
      all.push(text)
      pending.push(text)
      sendSoon()
    },
    sendAgain() {
      if (lost !== undefined || all.length === 0) return
      pending = [...all]
      sendSoon()
    },
    async end(line) {
      while (sending) await sending
      await send([JSON.stringify(line)], 'end')
      if (lost !== undefined) throw lost
    },
  }
}
