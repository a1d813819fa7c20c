import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { UsageError } from '../../core/provider/errors.ts'
import { attentionFile, keepAttention, readAttention } from './kept-attention.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'aft-attention-'))
afterAll(() => rmSync(folder, { recursive: true }))
const env = { AFT_CACHE_DIR: path.join(folder, 'cache') }
const model = path.join(folder, 'model.gguf')
const found = async () => ({ attention: 'plain' as const, length: 400, depth: 768, costs: [] })

beforeEach(() => {
  rmSync(env.AFT_CACHE_DIR, { recursive: true, force: true })
  writeFileSync(model, 'a model')
})

test('nothing is chosen before something was measured; then it is that, for this model only', async () => {
  expect(readAttention(model, env)).toBeUndefined()
  const kept = await keepAttention(model, found, env)
  expect(kept).toMatchObject({ attention: 'plain', library: expect.stringMatching(/^\d+\./) })
  expect(readAttention(model, env)).toBe('plain')
  writeFileSync(model, 'another model')
  expect(readAttention(model, env)).toBeUndefined()
})

test.each([
  ['', 'is broken'],
  ['{"attention": "pl', 'is broken'],
  ['null', 'is broken'],
])('a file with %j is an error that says what to do', async (text, problem) => {
  await keepAttention(model, found, env)
  writeFileSync(attentionFile(model, env), text)
  expect(() => readAttention(model, env)).toThrow(UsageError)
  expect(() => readAttention(model, env)).toThrow(
    `${attentionFile(model, env)}: ${problem}. Measure again (aft models measure), or remove it`,
  )
  await keepAttention(model, found, env)
  expect(readAttention(model, env)).toBe('plain')
})

test.each([
  [{ processor: 'a faster one' }, 'was measured with another model or processor'],
  [{ library: '1.0.0' }, 'was measured with another model or processor'],
  [{ attention: 'fast' }, 'is broken'],
])('a file with %j is refused', async (change, problem) => {
  await keepAttention(model, found, env)
  const file = attentionFile(model, env)
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...change }))
  expect(() => readAttention(model, env)).toThrow(problem)
})

test('two do not measure at once, and one that fails keeps nothing and can be repeated', async () => {
  const first = Promise.withResolvers<Awaited<ReturnType<typeof found>>>()
  const measuring = keepAttention(model, () => first.promise, env)
  await expect(keepAttention(model, found, env)).rejects.toThrow('another process measures this model now')
  first.reject(new Error('no room'))
  await expect(measuring).rejects.toThrow('no room')
  expect(readAttention(model, env)).toBeUndefined()
  await keepAttention(model, found, env)
  expect(readdirSync(path.dirname(attentionFile(model, env)))).toEqual([
    path.basename(attentionFile(model, env)),
  ])
})
