/** The real files, over the network: some 350 MB by pip or from the model hub. */
import { createHash } from 'node:crypto'
import { chmodSync, closeSync, copyFileSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { PullProgress } from '../../lib/verified-file.ts'
import { makeEnv, makeFolder } from './model.fixture.ts'
import { catalog, resolveModel } from './models.ts'

const cacheDir = makeFolder()
afterAll(() => rmSync(cacheDir, { recursive: true, force: true }))

const digestOf = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex')
const expectedOf = (name: string) => catalog.find((model) => model.name === name)?.sha256

test('smollm2 is pulled, and by pip its wheel does not sit in memory', async () => {
  const heard: PullProgress[] = []
  const before = process.memoryUsage().rss
  let most = 0
  const onProgress = (progress: PullProgress) => {
    heard.push(progress)
    most = Math.max(most, process.memoryUsage().rss - before)
  }
  const env = { ...process.env, HF_ENDPOINT: 'http://127.0.0.1:1' }
  const { file } = await resolveModel('smollm2-q4_1', { cacheDir, env, onProgress })
  expect(digestOf(file)).toBe(expectedOf('smollm2-q4_1'))
  expect(new Set(heard.map(({ label }) => label))).toEqual(
    new Set(['smollm2-q4_1 by pip', 'smollm2-q4_1 unpacked']),
  )
  expect(most).toBeLessThan(80e6)
})

test('its Q8_0 twin has the catalog’s bytes, and another reader finds the same tensors in it', async () => {
  const { file } = await resolveModel('smollm2-q8_0', { cacheDir })
  expect(digestOf(file)).toBe(expectedOf('smollm2-q8_0'))
  const { readGgufFileInfo } = await import('node-llama-cpp')
  const original = await readGgufFileInfo(join(cacheDir, 'SmolLM2-135M-Instruct.Q4_1.gguf'))
  const twin = await readGgufFileInfo(file)
  const shapes = ({ fullTensorInfo = [] }: typeof twin) =>
    fullTensorInfo.map(({ name, dimensions }) => [name, dimensions])
  expect(shapes(twin)).toEqual(shapes(original))
  expect(new Set(twin.fullTensorInfo?.map(({ ggmlType }) => ggmlType))).toEqual(new Set([0, 8]))
  expect(twin.metadata.tokenizer).toEqual(original.metadata.tokenizer)
  expect(twin.metadata.general).toEqual({ ...original.metadata.general, file_type: 7 })
})

describe('a file of the cache', () => {
  test('with a changed byte is made again', async () => {
    const { file } = await resolveModel('smollm2-q8_0', { cacheDir })
    const handle = openSync(file, 'r+')
    writeSync(handle, 'changed', 90_000_000)
    closeSync(handle)
    expect(digestOf(file)).not.toBe(expectedOf('smollm2-q8_0'))
    await resolveModel('smollm2-q8_0', { cacheDir })
    expect(digestOf(file)).toBe(expectedOf('smollm2-q8_0'))
  })

  test('serves smollm2 where no second file can be written', async ({ skip }) => {
    skip(process.getuid?.() === 0, 'root may write anywhere: no folder is read-only to it')
    const folder = makeFolder()
    const { file } = await resolveModel('smollm2-q4_1', { cacheDir })
    copyFileSync(file, join(folder, 'SmolLM2-135M-Instruct.Q4_1.gguf'))
    chmodSync(folder, 0o555)
    expect((await resolveModel('smollm2', { cacheDir: folder, env: makeEnv({}) })).format).toBe('Q4_1')
  })
})

test('gemma3-270m is joined from four wheels', async () => {
  const { file, raw } = await resolveModel('gemma3-270m', { cacheDir })
  expect(digestOf(file)).toBe(expectedOf('gemma3-270m'))
  expect(raw).toBe(true)
})
