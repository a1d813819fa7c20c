import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { DataError, EngineError, UsageError } from '../../core/provider/errors.ts'
import { makeGguf, string } from './gguf.fixture.ts'
import { makeEnv, makeFolder, startHub } from './model.fixture.ts'
import { hasQ41Kernel, namesFor } from './model-catalog.ts'
import { catalog, findModelFolder, listModels, resolveModel } from './models.ts'

describe('a file of one’s own', () => {
  const folder = makeFolder()
  const save = (name: string, content: Buffer | string) => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  }

  test('is raw where it has no chat template', async () => {
    const base = save('base.gguf', makeGguf({ 'general.architecture': string('llama') }))
    const chat = save('chat.gguf', makeGguf({ 'tokenizer.chat_template': string('{{ messages }}') }))
    expect(await resolveModel(`gguf:${base}`)).toMatchObject({ file: base, raw: true })
    expect(await resolveModel(`gguf:${chat}`)).toMatchObject({ file: chat, raw: false, name: `gguf:${chat}` })
  })

  test('that is not there, or a folder, is a usage error', async () => {
    await expect(resolveModel('gguf:none.gguf')).rejects.toThrow(UsageError)
    await expect(resolveModel(`gguf:${folder}`)).rejects.toThrow(`gguf:${folder}: there is no file`)
  })

  test('that is broken is a data error', async () => {
    await expect(resolveModel(`gguf:${save('a', 'GG')}`)).rejects.toThrow(DataError)
    await expect(resolveModel(`gguf:${save('b', 'GGUF\x03\0\0\0')}`)).rejects.toThrow(/download it again/)
  })
})

test('an unknown name lists the right ones', async () => {
  await expect(resolveModel('smollm')).rejects.toThrow(
    'unknown model "smollm": expected smollm2, smollm2-q4_1, smollm2-q8_0, gemma3-270m, gguf:FILE or hf:USER/REPO:QUANT',
  )
})

test('models are listed with where they belong, here or not', async () => {
  const cacheDir = makeFolder()
  const gemma = catalog.find(({ name }) => name === 'gemma3-270m')
  writeFileSync(join(cacheDir, gemma?.file ?? ''), 'not the model')
  const models = await listModels({ cacheDir })
  expect(models.map(({ name, isCached }) => [name, isCached])).toEqual([
    ['smollm2', false],
    ['smollm2-q4_1', false],
    ['smollm2-q8_0', false],
    ['gemma3-270m', false],
    ['aft-routes', false],
  ])
  expect(models.at(-2)?.path).toBe(join(cacheDir, 'gemma-3-270m-q4_k_m.gguf'))
  expect(findModelFolder({ env: { AFT_CACHE_DIR: '/a' } })).toBe(join('/a', 'models'))
})

describe('smollm2', () => {
  test('is the published file where Q4_1 is fast, else Q8_0 first', () => {
    expect(namesFor('smollm2', true)).toEqual(['smollm2-q4_1'])
    expect(namesFor('smollm2', false)).toEqual(['smollm2-q8_0', 'smollm2-q4_1'])
    expect(namesFor('smollm2-q8_0', true)).toEqual(['smollm2-q8_0'])
  })

  test('Q4_1 is fast on CPUs with AMX and on a Mac', () => {
    const cpus = (flags: string) => {
      const file = join(makeFolder(), 'cpuinfo')
      writeFileSync(file, `flags\t\t: fpu avx2 ${flags}\n`)
      return file
    }
    expect(hasQ41Kernel('linux', cpus('amx_tile amx_int8'))).toBe(true)
    expect(hasQ41Kernel('linux', cpus('avx512f'))).toBe(false)
    expect(hasQ41Kernel('win32', '/nowhere')).toBe(false)
    expect(hasQ41Kernel('darwin', '/nowhere')).toBe(true)
  })

  test('that cannot be had leaves nothing behind', async () => {
    const cacheDir = makeFolder()
    await expect(resolveModel('smollm2', { cacheDir, env: makeEnv({}) })).rejects.toThrow(EngineError)
    expect(readdirSync(cacheDir)).toEqual([])
  })
})

describe('a name of the hub', () => {
  test('of a file that is here needs no connection', async () => {
    const cacheDir = makeFolder()
    mkdirSync(join(cacheDir, 'hf'))
    const file = join(cacheDir, 'hf', 'hf_someone_tiny.Q8_0.gguf')
    writeFileSync(file, makeGguf({ 'general.architecture': string('llama') }))
    expect(await resolveModel('hf:someone/tiny-GGUF:Q8_0', { cacheDir })).toMatchObject({ file, raw: true })
  })

  test('is given up when the hub says nothing', async () => {
    await using hub = await startHub(() => {})
    const before = process.env.HF_ENDPOINT
    process.env.HF_ENDPOINT = hub.url // the library reads the process's own environment
    try {
      const pull = resolveModel('hf:someone/tiny:Q8_0', { cacheDir: makeFolder(), stallMs: 300 })
      await expect(pull).rejects.toThrow(/cannot be downloaded: no data for 0.3 s. Check the name/)
      expect(hub.paths.length).toBeGreaterThan(0)
    } finally {
      process.env.HF_ENDPOINT = before ?? ''
      if (before === undefined) delete process.env.HF_ENDPOINT
    }
  })

  test('that an abort ended rejects with its reason', async () => {
    const reason = new Error('enough')
    const cacheDir = makeFolder()
    const pull = resolveModel('hf:someone/tiny:Q8_0', { cacheDir, signal: AbortSignal.abort(reason) })
    await expect(pull).rejects.toBe(reason)
    expect(existsSync(join(cacheDir, 'hf'))).toBe(false)
  })
})
