import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { takeLock } from '../lib/lock.ts'
import { openRunFolder, readMetrics } from './output.ts'

const record = { pid: process.pid, recipe: { max_steps: 9 }, dataSha256: 'a', startedAt: '' }
const lines: string[] = []
const onLine = (line: string) => lines.push(line)
const metric = (step: number) => ({
  step,
  loss: 1,
  learningRate: 1,
  gradNorm: 1,
  tokens: step * 10,
  seconds: step,
})

/** A run that was killed after step 5, its checkpoint of step 4 half written. */
function makeKilled(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'aft-run-'))
  writeFileSync(path.join(folder, 'run.json'), JSON.stringify(record))
  const rows = [1, 2, 3, 4, 5].map((step) => `${JSON.stringify(metric(step))}\n`).join('')
  writeFileSync(path.join(folder, 'metrics.jsonl'), `${rows}{"step": 6, "lo`)
  for (const step of [2, 4]) mkdirSync(path.join(folder, `checkpoint-${step}`))
  writeFileSync(path.join(folder, 'checkpoint-2/complete'), '')
  return folder
}

test('a run goes on after its last whole checkpoint; what is newer is removed', async () => {
  const path_ = makeKilled()
  const folder = await openRunFolder(path_, record, { resume: true, onLine })
  expect(folder.checkpoint).toEqual({ path: path.join(path_, 'checkpoint-2'), step: 2 })
  expect(folder.before).toEqual({ tokens: 20, seconds: 2 })
  expect(readMetrics(folder.file('metrics.jsonl')).map(({ step }) => step)).toEqual([1, 2])
  expect(existsSync(folder.file('checkpoint-4'))).toBe(false)
  expect(lines.at(-1)).toBe('going on after step 2')
  folder.release()
})

test('without a whole checkpoint it starts from the beginning and says so', async () => {
  const path_ = makeKilled()
  writeFileSync(path.join(path_, 'checkpoint-4/half'), '')
  const { rmSync } = await import('node:fs')
  rmSync(path.join(path_, 'checkpoint-2/complete'))
  const folder = await openRunFolder(path_, record, { resume: true, onLine })
  expect(folder).toMatchObject({ checkpoint: undefined, before: { tokens: 0, seconds: 0 } })
  expect(readFileSync(folder.file('metrics.jsonl'), 'utf8')).toBe('')
  expect(lines.at(-1)).toMatch(/has no whole checkpoint: starting from the beginning/)
  folder.release()
})

test('a run is not begun over another, nor in a folder that holds something else', async () => {
  const options = { resume: false, onLine }
  await expect(openRunFolder(makeKilled(), record, options)).rejects.toThrow('go on with --resume')
  const other = mkdtempSync(path.join(tmpdir(), 'aft-run-'))
  writeFileSync(path.join(other, 'thesis.txt'), '')
  await expect(openRunFolder(other, record, options)).rejects.toThrow('is not empty')
  expect(readdirSync(other)).toEqual(['thesis.txt'])
})

test('a run whose rows were refused can be begun again', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'aft-run-'))
  const first = await openRunFolder(folder, record, { resume: false, onLine })
  first.release()
  const second = await openRunFolder(folder, { ...record, dataSha256: 'b' }, { resume: false, onLine })
  second.release()
})

test('a run goes on with the same rows and recipe only', async () => {
  const options = { resume: true, onLine }
  const path_ = makeKilled()
  await expect(openRunFolder(path_, { ...record, dataSha256: 'b' }, options)).rejects.toThrow(
    'the rows are not those',
  )
  await expect(openRunFolder(path_, { ...record, recipe: { max_steps: 99 } }, options)).rejects.toThrow(
    'max_steps was 9',
  )
})

test('a folder in use is refused with the process that has it', async () => {
  const path_ = makeKilled()
  const folder = await openRunFolder(path_, record, { resume: true, onLine })
  await expect(openRunFolder(path_, record, { resume: true, onLine })).rejects.toThrow(
    `process ${process.pid}`,
  )
  folder.release()
})

test('a trainer that is about to end is waited for', async () => {
  const path_ = makeKilled()
  const trainers = takeLock(path.join(path_, 'trainer.lock'))
  const opening = openRunFolder(path_, record, { resume: true, onLine })
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(lines).toContain('an earlier trainer still has the folder; waiting for its end')
  trainers?.release()
  const folder = await opening
  folder.release()
})
