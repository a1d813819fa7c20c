import { writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { openEngine } from '../open.ts'
import { ask, longText, useEmbedded, user } from './embedded.fixture.ts'
import { openEmbedded } from './embedded.ts'
import { attentionFile, keepAttention } from './kept-attention.ts'
import { measureAttention } from './measure-attention.ts'
import { loadNative } from './native.ts'

const { file, settings, engine, folder, complete } = await useEmbedded()

test('each way is timed, and none changes log probabilities by more than the noise', async () => {
  const model = await loadNative({ ...settings, gpu: false })
  const { depth, costs } = await measureAttention(model, longText(300, 'measure'), {
    depth: 256,
    limitMs: 1,
  })
  await model.dispose()
  expect(depth).toBe(256)
  expect(costs.map(({ attention }) => attention)).toEqual(['flash', 'plain', 'plain-bf16'])
  for (const { read, one, wide, change } of costs) {
    for (const { early, late } of [read, one, wide]) expect(Math.min(early, late)).toBeGreaterThan(0)
    expect(change).toBeGreaterThan(0)
    expect(change).toBeLessThan(0.3)
  }
})

test('a model is opened as it was measured, unless a setting says otherwise, and its id tells', async () => {
  const env = { AFT_CACHE_DIR: folder }
  const found = async () => ({ attention: 'plain' as const, length: 400, depth: 256, costs: [] })
  await keepAttention(file, found, env)
  const open = (attention?: 'flash') => openEngine(`gguf:${file}`, { env, threads: 1, attention, config: {} })
  const [kept, given] = [await open(), await open('flash')]
  expect([kept.id, given.id]).toEqual([`gguf:${file} (attention: plain)`, `gguf:${file}`])
  await kept.close?.()
  await given.close?.()
  writeFileSync(attentionFile(file, env), 'torn')
  await expect(open()).rejects.toThrow('is broken')
})

test('another way writes by other numbers, and the same text for the same seed', async () => {
  const scoreOf = async (from: typeof engine) =>
    (await from.score(user('Why?'), 'The sky is blue.'))[2]?.logprob
  const texts = []
  const scores = [await scoreOf(engine)]
  for (let i = 0; i < 2; i++) {
    const plain = await openEmbedded({ ...settings, attention: 'plain' })
    const [end] = await complete(ask(longText(300, 'plain'), { seeds: [3], maxTokens: 20 }), plain)
    texts.push(end?.text)
    scores.push(await scoreOf(plain))
    await plain.close()
  }
  expect(texts[1]).toBe(texts[0])
  expect(scores[2]).toBe(scores[1])
  expect(scores[1]).not.toBe(scores[0])
  expect(scores[1]).toBeCloseTo(scores[0] ?? 0, 0)
})
