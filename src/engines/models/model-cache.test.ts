import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { UsageError } from '../../core/provider/errors.ts'
import { findCacheFolder } from '../../lib/cache-folder.ts'
import { isVerified, saveVerified } from '../../lib/verified-file.ts'
import { content, makeFolder, makeModel } from './model.fixture.ts'
import { withModelFolder } from './model-cache.ts'

const facts = makeModel()

async function* chunksOf(bytes: Buffer) {
  yield bytes.subarray(0, 1000)
  yield bytes.subarray(1000)
}

describe('the cache folder', () => {
  test('is AFT_CACHE_DIR where that is set', () => {
    expect(findCacheFolder({ AFT_CACHE_DIR: '/a', XDG_CACHE_HOME: '/b' })).toBe('/a')
  })

  test('is in XDG_CACHE_HOME where that is an absolute path', () => {
    expect(findCacheFolder({ XDG_CACHE_HOME: '/b', HOME: '/h' })).toBe('/b/aft')
    expect(findCacheFolder({ XDG_CACHE_HOME: 'b', HOME: '/h' }).startsWith('/h')).toBe(true)
  })

  test.skipIf(process.platform !== 'linux')('is in ~/.cache on Linux', () => {
    expect(findCacheFolder({ HOME: '/h' })).toBe('/h/.cache/aft')
  })
})

describe('a file is verified', () => {
  test('by its digest, and by its stamp from then on', async () => {
    const path = join(makeFolder(), facts.file)
    expect(await isVerified(path, facts)).toBe(false)
    writeFileSync(path, content)
    expect(await isVerified(path, facts)).toBe(true)
    expect(readFileSync(`${path}.verified`, 'utf8')).toContain(facts.sha256)
    expect(await isVerified(path, facts)).toBe(true)
  })

  test('not by a stamp that is older than its content', async () => {
    const path = join(makeFolder(), facts.file)
    writeFileSync(path, content)
    await isVerified(path, facts)
    const broken = Buffer.from(content)
    broken[7] = 0
    writeFileSync(path, broken)
    utimesSync(path, new Date(), new Date(Date.now() + 5_000))
    expect(await isVerified(path, facts)).toBe(false)
  })

  test('not when it is shorter', async () => {
    const path = join(makeFolder(), facts.file)
    writeFileSync(path, content.subarray(1))
    expect(await isVerified(path, facts)).toBe(false)
  })
})

test('a file takes its name only once it is whole', async () => {
  const folder = makeFolder()
  await withModelFolder(folder, async (work) => {
    const save = saveVerified(chunksOf(content), { folder, work }, facts, {
      label: '',
      onProgress: () => expect(existsSync(join(folder, facts.file))).toBe(false),
    })
    expect(await save).toBe(join(folder, facts.file))
  })
  expect(readFileSync(join(folder, facts.file)).equals(content)).toBe(true)
})

test('a work folder is removed after a failure', async () => {
  const folder = makeFolder()
  await expect(withModelFolder(folder, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(readdirSync(folder)).toEqual([])
})

test('a work folder that a killed process left is removed after an hour, a younger one is not', async () => {
  const folder = makeFolder()
  const before = new Date(Date.now() - 2 * 60 * 60 * 1000)
  for (const name of ['.pull-old', '.pull-new']) {
    mkdirSync(join(folder, name, 'tmp'), { recursive: true })
    writeFileSync(join(folder, name, 'tmp', 'part'), 'x')
  }
  for (const path of ['tmp/part', 'tmp', '.']) utimesSync(join(folder, '.pull-old', path), before, before)
  await withModelFolder(folder, async () => {})
  expect(readdirSync(folder)).toEqual(['.pull-new'])
})

test('a folder that cannot be written is a usage error that says what to do', async () => {
  const file = join(makeFolder(), 'file')
  writeFileSync(file, '')
  const error = await withModelFolder(join(file, 'models'), async () => {}).catch((e) => e)
  expect(error).toBeInstanceOf(UsageError)
  expect(error.message).toMatch(
    /cannot write .*file.models \(ENOTDIR\): make it writable, or set AFT_CACHE_DIR/,
  )
})

test.skipIf(!existsSync('/dev/full'))('a full disk is a usage error that says what to do', async () => {
  const folder = makeFolder()
  const error = await withModelFolder(folder, (work) => {
    const full = { ...facts, file: relative(work, '/dev/full') }
    return saveVerified(chunksOf(content), { folder, work }, full, { label: '' })
  }).catch((e) => e)
  expect(error).toBeInstanceOf(UsageError)
  expect(error.message).toBe(
    `the disk of ${folder} is full: free some space, or set AFT_CACHE_DIR to a writable folder with enough space`,
  )
  expect(readdirSync(folder)).toEqual([])
})
