import { expect, test } from 'vitest'
import type { Engine } from '../core/provider/engine.ts'
import { builtInPresets } from './presets.ts'
import { makePlan, type PlanOptions } from './strategies.ts'
import { templateOf, templateOptions, wordingsOf } from './wording.ts'
import { defaultTemplate, paperTemplate } from './wordings.ts'

const mine = { ...paperTemplate, id: 'mine' }
const engines: Record<string, Engine> = {
  hosted: { id: 'hosted', async *generate() {} },
  trained: { id: 'trained', template: mine, async *generate() {} },
}
const find = (options: Partial<PlanOptions> = {}, given?: typeof mine) => {
  const wordings = wordingsOf(engines, given)
  const base = { proposers: ['hosted'], ...templateOptions(wordings) }
  return templateOf(makePlan({ ...base, ...options }), wordings)
}
const paper = (base: Partial<PlanOptions> = {}) => builtInPresets({ proposers: ['hosted'], ...base }).paper

test('a plan has the default template, and the preset `paper` that of the paper', () => {
  expect(find()).toBe(defaultTemplate)
  expect(find(paper())).toBe(paperTemplate)
  expect(paper()).toMatchObject({ width: 5, depth: 2, temperature: 0.7, topP: 0.95 })
})

test('a plan whose answer a trained model writes has the template of its card, whatever the preset', () => {
  expect(find({ proposers: ['trained'] })).toBe(mine)
  expect(find({ aggregators: ['trained'] })).toBe(mine)
  expect(find({ ...paper(), aggregators: ['trained'] })).toBe(mine)
  expect(find({ proposers: ['trained'], aggregators: ['hosted'] })).toBe(defaultTemplate)
  expect(find({ strategy: 'single', proposers: ['trained'] })).toBe(mine)
})

test('a template that the caller gives is that of every plan', () => {
  const given = { ...defaultTemplate, id: 'given' }
  expect(find({}, given)).toBe(given)
  expect(find({ aggregators: ['trained'] }, given)).toBe(given)
  expect(find(paper({ template: given.id }), given)).toBe(given)
})

test('a preset may name a built-in template, and no other', () => {
  expect(find({ template: 'aft-1' })).toBe(paperTemplate)
  expect(() => find({ template: 'aft-0' })).toThrow('there is no template "aft-0"; there are: aft-2, aft-1')
})
