import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { makeFolder } from '../lib/make-folder.ts'
import { type BaseOptions, prepareBase } from './base.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'aft-base-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const options: BaseOptions = {
  python: 'never-started',
  findGguf: () => Promise.resolve(undefined),
  signal: new AbortController().signal,
  onLine: () => {},
}

test('of a finished run with all weights these are the base, with its license', async () => {
  const run = path.join(folder, 'run')
  makeFolder(path.join(run, 'model'))
  writeFileSync(path.join(run, 'model/config.json'), '{}')
  await expect(prepareBase(run, options)).rejects.toThrow(/expected a folder with a config\.json/)
  writeFileSync(
    path.join(run, 'aft-model.json'),
    JSON.stringify({ type: 'checkpoint', version: 1, templates: [], license: 'MIT' }),
  )
  expect(await prepareBase(run, options)).toEqual({
    model: path.join(run, 'model'),
    isLocal: true,
    license: 'MIT',
  })
})

test('a folder of a model is the base as it is, and one of neither is refused', async () => {
  const plain = path.join(folder, 'plain')
  makeFolder(plain)
  writeFileSync(path.join(plain, 'config.json'), '{}')
  expect(await prepareBase(plain, options)).toEqual({ model: plain, isLocal: true })
  makeFolder(path.join(folder, 'empty'))
  await expect(prepareBase(path.join(folder, 'empty'), options)).rejects.toThrow(
    /expected a folder with a config\.json/,
  )
})
