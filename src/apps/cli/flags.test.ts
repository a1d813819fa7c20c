/** What flags, preset and config become together. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import type { Plan } from '../../core/plan.ts'
import type { Config } from '../../engines/config.ts'
import { type AnswerFlags, readAnswerFlags } from './flags.ts'

async function planOf(flags: AnswerFlags, config: Config = {}): Promise<Plan> {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'aft-flags-')), 'aft.config.json')
  writeFileSync(file, JSON.stringify(config))
  return (await readAnswerFlags({ config: file, ...flags })).plan
}

/** Voices per layer, such as "3 m", and the sampling of the first. */
const shapeOf = ({ layers }: Plan) =>
  layers.map(({ voices }) => voices.map(({ n, engine }) => `${n} ${engine}`).join(', '))
const samplingOf = ({ layers }: Plan) => layers[0]?.voices[0]?.sampling

test('without flags a plan is 3 x 1', async () => {
  expect(shapeOf(await planOf({ model: 'm' }))).toEqual(['3 m', '1 m'])
})

test('the preset paper is 5 x 2 at temperature 0.7 and top-p 0.95', async () => {
  const plan = await planOf({ model: 'm', preset: 'paper' })
  expect(shapeOf(plan)).toEqual(['5 m', '5 m', '1 m'])
  expect(samplingOf(plan)).toEqual({ temperature: 0.7, topP: 0.95 })
})

const config: Config = {
  defaults: { model: 'own', width: 4, temperature: 0.2, topK: 40, quorum: 2, graceMs: 7 },
  presets: { careful: { width: 6, depth: 2, minP: 0.1 } },
}

test('the config gives every option that a flag gives', async () => {
  const plan = await planOf({}, config)
  expect(shapeOf(plan)).toEqual(['4 own', '1 own'])
  expect(samplingOf(plan)).toMatchObject({ temperature: 0.2, topK: 40 })
  expect(plan.layers[0]?.quorum).toEqual({ count: 2, graceMs: 7 })
})

test('flags win over a preset, and a preset given by flag over the defaults of the config', async () => {
  const plan = await planOf({ preset: 'careful', depth: 1 }, config)
  expect(shapeOf(plan)).toEqual(['6 own', '1 own'])
  expect(samplingOf(plan)).toMatchObject({ temperature: 0.2, topK: 40, minP: 0.1 })
})

test('the defaults of the config win over the preset that they name', async () => {
  const { defaults, presets } = config
  const plan = await planOf({}, { defaults: { ...defaults, preset: 'careful' }, presets })
  expect(shapeOf(plan)).toEqual(['4 own', '4 own', '1 own'])
})

test('a model given by flag is for every role', async () => {
  const roles: Config = { defaults: { proposers: ['a', 'b'], aggregators: ['c'], judge: 'd' } }
  expect(shapeOf(await planOf({}, roles))).toEqual(['2 a, 1 b', '1 c'])
  expect(shapeOf(await planOf({ model: 'm' }, roles))).toEqual(['3 m', '1 m'])
})

test('an unknown preset lists those there are', async () => {
  await expect(planOf({ preset: 'papr' }, config)).rejects.toThrow(
    'there is no preset "papr"; there are: aft, aft-fast, paper, moa, rsa, single, careful',
  )
})

test('a small model of the catalog has a limit of its own, under any name, unless something else says one', async () => {
  const names: Config = {
    engines: { tiny: 'smollm2', tuned: { model: 'tiny' }, far: 'http://127.0.0.1:9/v1#smollm2' },
  }
  const limitOf = async (flags: AnswerFlags, more: Config = {}) =>
    samplingOf(await planOf(flags, { ...names, ...more }))?.maxTokens
  expect(await limitOf({})).toBe(96)
  for (const model of ['smollm2-q4_1', 'gemma3-270m', 'tiny', 'tuned'])
    expect(await limitOf({ model })).toBe(96)
  for (const model of ['far', 'openai:smollm2']) expect(await limitOf({ model })).toBeUndefined()
  expect(await limitOf({ maxTokens: 300 })).toBe(300)
  expect(await limitOf({}, { defaults: { maxTokens: 200 } })).toBe(200)
})

test('each engine of a plan has the limit of its own', async () => {
  const { layers } = await planOf({ proposers: ['smollm2', 'big'], aggregators: ['big'] })
  const limits = layers.map(({ voices }) => voices.map(({ sampling }) => sampling.maxTokens))
  expect(limits).toEqual([[96, undefined], [undefined]])
})
