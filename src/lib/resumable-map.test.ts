import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type JournalFile, type JournalFormat, openJournal } from './journal-file.ts'
import { mapResumably } from './resumable-map.ts'

/** Squares numbers, in two recorded steps: a journal that knows nothing of this project. */
type Line =
  | { type: 'number'; key: string; value: number }
  | { type: 'half'; key: string; half: number }
  | { type: 'square'; key: string; square: number }
  | { type: 'error'; key: string }

const roles = { number: 'item', half: 'part', square: 'done', error: 'failed' } as const
const format: JournalFormat<Line> = {
  header: { type: 'squares' },
  checkHeader: () => {},
  parse: (value) => value as Line,
  keyOf: (line) => line.key,
  roleOf: (line) => roles[line.type],
}

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'map-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function withJournal<T>(use: (journal: JournalFile<Line>) => Promise<T>): Promise<T> {
  const journal = await openJournal(join(folder, 'j'), format)
  try {
    return await use(journal)
  } finally {
    journal.close()
  }
}
const lines = () =>
  readFileSync(join(folder, 'j'), 'utf8')
    .trim()
    .split('\n')
    .map((l) => JSON.parse(l) as Line)
const lineOf = (value: number): Line => ({ type: 'number', key: String(value), value })
const square = async (value: number): Promise<Line> => ({
  type: 'square',
  key: String(value),
  square: value ** 2,
})
const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('the resumable map', () => {
  it('does every item once and passes over what is done', () =>
    withJournal(async (journal) => {
      const asked: number[] = []
      const work = (value: number) => {
        asked.push(value)
        return square(value)
      }
      expect(await mapResumably([1, 2], { journal, lineOf, work, active: 2 })).toBe('done')
      expect(await mapResumably([1, 2, 3], { journal, lineOf, work, active: 2 })).toBe('done')
      expect(asked).toEqual([1, 2, 3])
      expect(journal.ends('3')?.end).toEqual({ type: 'square', key: '3', square: 9 })
    }))

  it('starts items in order, with so many at work at most, and tells each its position', () =>
    withJournal(async (journal) => {
      const started: [number, number][] = []
      let [now, most] = [0, 0]
      const work = async (value: number, { position }: { position: number }) => {
        started.push([value, position])
        most = Math.max(most, ++now)
        await turn()
        now--
        return square(value)
      }
      await mapResumably([5, 6, 7, 8, 9], { journal, lineOf, work, active: 2 })
      expect(started).toEqual([5, 6, 7, 8, 9].map((value, i) => [value, i]))
      expect(most).toBe(2)
    }))

  it('gives the parts of an interrupted item back to the next run', async () => {
    const stop = new AbortController()
    await withJournal(async (journal) => {
      const work = async (value: number, job: { record(line: Line): void; signal: AbortSignal }) => {
        job.record({ type: 'half', key: String(value), half: 1 })
        stop.abort('enough')
        job.signal.throwIfAborted()
        return square(value)
      }
      const outcome = await mapResumably([4, 5], { journal, lineOf, work, active: 1, signal: stop.signal })
      expect(outcome).toBe('interrupted')
    })
    await withJournal(async (journal) => {
      const recorded: Line[][] = []
      const work = (value: number, job: { recorded: Line[] }) => {
        recorded.push(job.recorded)
        return square(value)
      }
      expect(await mapResumably([4, 5], { journal, lineOf, work, active: 1 })).toBe('done')
      expect(recorded).toEqual([[{ type: 'half', key: '4', half: 1 }], []])
    })
    expect(lines().filter((line) => line.type === 'number')).toHaveLength(2)
  })

  it('tries an item that failed again, without the parts of the failed attempt', () =>
    withJournal(async (journal) => {
      const recorded: Line[][] = []
      const work = async (
        value: number,
        job: { recorded: Line[]; record(line: Line): void },
      ): Promise<Line> => {
        recorded.push(job.recorded)
        job.record({ type: 'half', key: String(value), half: 1 })
        return recorded.length === 1 ? { type: 'error', key: String(value) } : square(value)
      }
      await mapResumably([4], { journal, lineOf, work, active: 1 })
      expect(journal.isDone('4')).toBe(false)
      await mapResumably([4], { journal, lineOf, work, active: 1 })
      expect(recorded).toEqual([[], []])
      expect(journal.isDone('4')).toBe(true)
    }))

  it('throws what the work throws, aborts the other items and starts no more', () =>
    withJournal(async (journal) => {
      const started: number[] = []
      const work = async (value: number, { signal }: { signal: AbortSignal }) => {
        started.push(value)
        if (value === 2) throw new Error('a bug')
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        throw signal.reason
      }
      const map = mapResumably([1, 2, 3, 4], { journal, lineOf, work, active: 2 })
      await expect(map).rejects.toThrow('a bug')
      expect(started).toEqual([1, 2])
    }))

  it('waits while an item may not start, and is held once nothing at work can change that', () =>
    withJournal(async (journal) => {
      let budget = 2
      const work = async (value: number) => {
        await turn()
        return square(value)
      }
      const mayStart = () => budget-- > 0
      expect(await mapResumably([1, 2, 3, 4], { journal, lineOf, work, active: 9, mayStart })).toBe('held')
      expect(['1', '2', '3'].map((key) => journal.isDone(key))).toEqual([true, true, false])
    }))

  it('goes on from a journal that was cut anywhere', async () => {
    await withJournal((journal) => mapResumably([1, 2, 3], { journal, lineOf, work: square, active: 3 }))
    const whole = readFileSync(join(folder, 'j'))
    for (let bytes = whole.length; bytes >= 0; bytes--) {
      writeFileSync(join(folder, 'j'), whole.subarray(0, bytes))
      await withJournal((journal) => mapResumably([1, 2, 3], { journal, lineOf, work: square, active: 3 }))
      const keys = lines().map((line) => `${line.type} ${line.key}`)
      expect(keys.toSorted()).toEqual([
        'number 1',
        'number 2',
        'number 3',
        'square 1',
        'square 2',
        'square 3',
        'squares undefined',
      ])
      expect(readFileSync(join(folder, 'j')).length).toBe(whole.length)
    }
  })
})
