import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { readMetrics } from '../files/training-metrics.ts'
import { takeLock } from '../lib/lock.ts'
import { openRunFolder } from './output.ts'

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

/** A run that was killed after step 5, with a half-written checkpoint of step 4. */
function makeKilled(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'aft-run-'))
  writeFileSync(path.join(folder, 'run.json'), JSON.stringify(record))
  const rows = [1, 2, 3, 4, 5].map((step) => `${JSON.stringify(metric(step))}\n`).join('')
  writeFileSync(path.join(folder, 'metrics.jsonl'), `${rows}{"step": 6, "lo`)
  for (const step of [2, 4]) mkdirSync(path.join(folder, `checkpoint-${step}`))
  writeFileSync(path.join(folder, 'checkpoint-2/complete'), '')
  return folder
}

test('a run resumes after its last complete checkpoint; everything newer is removed', async () => {
  const path_ = makeKilled()
  const folder = await openRunFolder(path_, record, { onLine })
  expect(folder.checkpoint).toEqual({ path: path.join(path_, 'checkpoint-2'), step: 2 })
  expect(folder.before).toEqual({ tokens: 20, seconds: 2 })
  expect(readMetrics(folder.file('metrics.jsonl')).map(({ step }) => step)).toEqual([1, 2])
  expect(existsSync(folder.file('checkpoint-4'))).toBe(false)
  expect(lines.at(-1)).toBe('resuming after step 2')
  folder.release()
})

test('a run of 0.1.0 resumes: its record has `overflow`, which is `too_long` now', async () => {
  const place = makeKilled()
  const recipe = { ...record.recipe, overflow: 'drop' }
  writeFileSync(path.join(place, 'run.json'), JSON.stringify({ ...record, recipe }))
  const now = (too_long: string) => ({ ...record, recipe: { ...record.recipe, too_long } })
  await expect(openRunFolder(place, now('trim'), { onLine })).rejects.toThrow('too_long was "drop"')
  ;(await openRunFolder(place, now('drop'), { onLine })).release()
})

test('without a complete checkpoint a run starts from the beginning and says so', async () => {
  const path_ = makeKilled()
  writeFileSync(path.join(path_, 'checkpoint-4/half'), '')
  const { rmSync } = await import('node:fs')
  rmSync(path.join(path_, 'checkpoint-2/complete'))
  const folder = await openRunFolder(path_, record, { onLine })
  expect(folder).toMatchObject({ checkpoint: undefined, before: { tokens: 0, seconds: 0 } })
  expect(readFileSync(folder.file('metrics.jsonl'), 'utf8')).toBe('')
  expect(lines.at(-1)).toMatch(/has no complete checkpoint yet: starting from the beginning/)
  folder.release()
})

test('a folder with other content is refused and stays unchanged', async () => {
  const other = mkdtempSync(path.join(tmpdir(), 'aft-run-'))
  writeFileSync(path.join(other, 'thesis.txt'), '')
  for (const restart of [false, true])
    await expect(openRunFolder(other, record, { restart, onLine })).rejects.toThrow('is not empty')
  expect(readdirSync(other)).toEqual(['thesis.txt'])
})

test('a restarted run begins anew, also with another recipe, and the earlier run is kept in old/', async () => {
  const place = makeKilled()
  const other = { ...record, recipe: { max_steps: 99 } }
  const first = await openRunFolder(place, other, { restart: true, onLine })
  expect(first).toMatchObject({ isTrained: false, checkpoint: undefined, before: { tokens: 0, seconds: 0 } })
  expect(existsSync(path.join(place, 'old/checkpoint-2/complete'))).toBe(true)
  expect(readMetrics(path.join(place, 'old/metrics.jsonl'))).toHaveLength(5)
  expect(readMetrics(path.join(place, 'metrics.jsonl'))).toEqual([])
  first.release()
  const again = await openRunFolder(place, record, { restart: true, onLine })
  expect(readdirSync(path.join(place, 'old'))).toEqual(['run.json'])
  again.release()
})

test('a finished run stays finished for its kind of GGUF file until it is restarted', async () => {
  const place = makeKilled()
  mkdirSync(path.join(place, 'model'))
  writeFileSync(path.join(place, 'model/complete'), '')
  const opened = await openRunFolder(place, record, { onLine })
  expect([opened.isTrained, opened.isFinished('f16')]).toEqual([true, false])
  opened.finish('f16')
  opened.release()
  const again = await openRunFolder(place, record, { onLine })
  expect([again.isFinished('f16'), again.isFinished('q8_0')]).toEqual([true, false])
  again.release()
  const anew = await openRunFolder(place, record, { restart: true, onLine })
  expect([anew.isTrained, anew.isFinished('f16')]).toEqual([false, false])
  anew.release()
})

test('a broken record of a run is an error, unless the run is restarted', async () => {
  const place = makeKilled()
  writeFileSync(path.join(place, 'run.json'), '{"pid": 1, "rec')
  await expect(openRunFolder(place, record, { onLine })).rejects.toThrow(
    /run\.json: expected the record of a run .*--restart to begin anew/,
  )
  const anew = await openRunFolder(place, record, { restart: true, onLine })
  anew.release()
})

test('a broken line of the metrics is an error with its place', async () => {
  const place = makeKilled()
  writeFileSync(path.join(place, 'metrics.jsonl'), `${JSON.stringify(metric(1))}\nnonsense\n`)
  await expect(openRunFolder(place, record, { onLine })).rejects.toThrow(/metrics\.jsonl:2: expected JSON/)
})

test('a run whose rows were refused can be started again', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'aft-run-'))
  const first = await openRunFolder(folder, record, { onLine })
  first.release()
  const second = await openRunFolder(folder, { ...record, dataSha256: 'b' }, { onLine })
  second.release()
})

test('a run resumes only with the same rows and the same recipe', async () => {
  const options = { onLine }
  const path_ = makeKilled()
  await expect(openRunFolder(path_, { ...record, dataSha256: 'b' }, options)).rejects.toThrow(
    'has a run on other rows',
  )
  await expect(openRunFolder(path_, { ...record, recipe: { max_steps: 99 } }, options)).rejects.toThrow(
    'max_steps was 9, now it is 99',
  )
})

test('a folder in use is refused, with the process that uses it', async () => {
  const path_ = makeKilled()
  const folder = await openRunFolder(path_, record, { onLine })
  await expect(openRunFolder(path_, record, { onLine })).rejects.toThrow(`process ${process.pid}`)
  folder.release()
})

test('opening a folder waits for a trainer that is about to end', async () => {
  const path_ = makeKilled()
  const trainers = takeLock(path.join(path_, 'trainer.lock'))
  const opening = openRunFolder(path_, record, { onLine })
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(lines).toContain('an earlier trainer still has the folder; waiting for its end')
  trainers?.release()
  const folder = await opening
  folder.release()
})
