import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { UsageError } from '../../core/provider/errors.ts'
import { readRecord } from '../../files/checkpoint.ts'
import { checkpointFile, findCheckpoint, packagedFolder } from '../../files/find-checkpoint.ts'
import { readTrainedOptions } from '../trained-template.ts'
import { readCheckpoint } from './checkpoint.ts'
import { makeFolder } from './model.fixture.ts'
import { listPackaged } from './packaged.ts'

/** A folder of the form that scripts/ship-model.ts writes. */
function makePackaged(more: object = {}): string {
  const folder = makeFolder()
  for (const name of ['small', 'small/proposer']) {
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, 'adapter.gguf'), 'weights')
    const record = {
      type: 'checkpoint',
      version: 1,
      templates: [],
      base: { model: 'smollm2-q8_0', sha256: '' },
      adapter: 'adapter.gguf',
      about: 'a small one',
      ...more,
    }
    writeFileSync(join(folder, name, checkpointFile), JSON.stringify(record))
  }
  return folder
}

test('a model of the package is found by its name, also its proposer, and any other by its folder', () => {
  const folder = makePackaged()
  expect(findCheckpoint('small', folder)).toBe(join(folder, 'small'))
  expect(findCheckpoint('small/proposer', folder)).toBe(join(folder, 'small/proposer'))
  expect(findCheckpoint(join(folder, 'small'))).toBe(join(folder, 'small'))
  for (const name of ['', 'smal', '../small', 'small/proposer/more', 'openai:small'])
    expect(findCheckpoint(name, folder)).toBeUndefined()
})

test('it is listed with its size, in which its proposer counts', () => {
  const [model, ...others] = listPackaged(makePackaged())
  expect(others).toEqual([])
  expect(model).toMatchObject({ name: 'small', about: 'a small one', base: 'smollm2-q8_0', bytes: 14 })
  expect(listPackaged(join(makeFolder(), 'none'))).toEqual([])
})

test('the options of its card name engines relative to it', async () => {
  const name = join(
    makePackaged({
      options: {
        width: 4,
        proposers: [{ engine: './proposer', temperature: 1 }, 'smollm2'],
        aggregators: ['.'],
      },
    }),
    'small',
  )
  expect(await readTrainedOptions(name)).toEqual({
    width: 4,
    proposers: [{ engine: `${name}/proposer`, temperature: 1 }, 'smollm2'],
    aggregators: [name],
  })
  expect(await readTrainedOptions('smollm2')).toEqual({})
  expect(await readTrainedOptions(`http://127.0.0.1:1/v1#${name}`)).toEqual({})
  await expect(readTrainedOptions(join(makePackaged({ options: { width: 0 } }), 'small'))).rejects.toThrow(
    UsageError,
  )
})

test('a file with other bytes than its card says is not opened', async () => {
  const files = { 'adapter.gguf': '0'.repeat(64) }
  await expect(readCheckpoint(join(makePackaged({ files }), 'small'))).rejects.toThrow(
    /aft-model\.json: expected adapter\.gguf to have SHA-256 0{64}, got \w{64}: install the package again/,
  )
})

test('each model that lies in the package names the hashes of its files, its template and a proposer that is there', async () => {
  for (const { name } of listPackaged()) {
    const record = readRecord(join(packagedFolder, name))
    expect(Object.keys(record.files ?? {})).toEqual([record.adapter].flat())
    expect(record.templates).toMatchObject([{ wording: { id: record.templates[0]?.id } }])
    for (const role of (await readTrainedOptions(name)).proposers ?? [])
      expect(findCheckpoint(typeof role === 'string' ? role : role.engine)).toBeDefined()
  }
})
