import { describe, expect, test } from 'vitest'
import { countCompletions, enginesOf } from '../core/plan.ts'
import { UsageError } from '../core/provider/errors.ts'
import { scriptedEngine } from '../engines/scripted/scripted.ts'
import { limitsOf, makePlan, type PlanOptions, strategies } from './strategies.ts'

const plan = (options: Partial<PlanOptions> = {}) => makePlan({ proposers: ['m'], ...options })
const shape = (options: Partial<PlanOptions>) =>
  plan(options).layers.map(({ voices, see }) => [voices.map((v) => `${v.n} ${v.engine}`).join(', '), see])

describe('a plan', () => {
  test('has every default filled in, and no sampling that nobody asked for', () => {
    const three = [{ engine: 'm', n: 3, sampling: {} }]
    expect(plan()).toEqual({
      strategy: 'aft',
      layers: [
        { voices: three, see: 'nothing' },
        { voices: [{ engine: 'm', n: 1, sampling: {} }], see: 'all' },
      ],
      template: 'aft-2',
      seed: 0,
      order: 'as-sampled',
      choose: 'last',
      overflow: 'trim',
    })
  })

  test('has the sampling of its options in every layer, and a `topP` of 1 in the last', () => {
    const sampling = {
      temperature: 0,
      topP: 0.9,
      maxTokens: 7,
      topK: 4,
      minP: 0.1,
      reasoning: 'low',
    } as const
    expect(plan(sampling).layers.map(({ voices }) => voices[0]?.sampling)).toEqual([
      sampling,
      { ...sampling, topP: 1 },
    ])
    expect(plan({ topP: undefined }).layers.map(({ voices }) => voices[0]?.sampling)).toEqual([{}, {}])
    expect([plan({ strict: true }).strict, plan({ strict: false }).strict]).toEqual([true, undefined])
  })

  test.each([
    [{}, 4],
    [{ width: 5, depth: 2 }, 11],
    [{ depth: 0 }, 1],
    [{ strategy: 'moa', proposers: ['a', 'b', 'c'] }, 4],
    [{ strategy: 'moa', proposers: ['a', 'b', 'c'], depth: 2 }, 7],
    [{ strategy: 'rsa', width: 4, sample: 2, steps: 3 }, 12],
    [{ strategy: 'self-consistency', width: 9 }, 9],
    [{ strategy: 'best-of-n' }, 3],
    [{ strategy: 'single' }, 1],
  ] as [Partial<PlanOptions>, number][])('of %j asks for %i completions', (options, count) => {
    expect(countCompletions(plan(options))).toBe(count)
  })

  test('spreads the width over its proposers, the first getting what is left over', () => {
    const options = { proposers: ['a', 'b', 'c'], aggregators: ['d', 'e'], width: 5, depth: 1 }
    expect(shape(options)).toEqual([
      ['2 a, 2 b, 1 c', 'nothing'],
      ['1 d', 'all'],
    ])
    expect(shape({ ...options, width: 2 })[0]).toEqual(['1 a, 1 b', 'nothing'])
    expect(plan(options).layers[1]?.voices[0]?.fallbacks).toEqual(['e'])
    expect(enginesOf(plan(options))).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  test('of several models has their number as width, in every layer but the last', () => {
    expect(shape({ strategy: 'moa', proposers: ['a', 'b'], aggregators: ['c'], depth: 2 })).toEqual([
      ['1 a, 1 b', 'nothing'],
      ['1 a, 1 b', 'all'],
      ['1 c', 'all'],
    ])
  })

  test('has quorums where a layer has more than one member, never above its width', () => {
    const quorum = { quorum: 4, graceMs: 1000 }
    const counts = (options: Partial<PlanOptions>) =>
      plan({ ...quorum, ...options }).layers.map((l) => l.quorum?.count)
    expect(counts({ width: 5, depth: 2 })).toEqual([4, 4, undefined])
    expect(counts({ width: 2, depth: 2 })).toEqual([2, 2, undefined])
    expect(counts({ strategy: 'best-of-n', width: 5 })).toEqual([4])
  })

  test('has the limit of an engine that brings one, unless the options say another', () => {
    const engines = {
      m: Object.assign(scriptedEngine([]), { defaultMaxTokens: 96 }),
      big: scriptedEngine([]),
    }
    expect(limitsOf(engines)).toEqual({ m: 96 })
    const limits = (options: Partial<PlanOptions>) =>
      plan({ engineMaxTokens: limitsOf(engines), aggregators: ['big'], ...options }).layers.map(
        (layer) => layer.voices[0]?.sampling.maxTokens,
      )
    expect(limits({})).toEqual([96, undefined])
    expect(limits({ maxTokens: 300 })).toEqual([300, 300])
  })

  test('is data: JSON and back is the same plan', () => {
    for (const strategy of Object.keys(strategies) as (keyof typeof strategies)[]) {
      const made = plan({ strategy, quorum: 1, graceMs: 5, capMs: 9, stopAtAgreement: 0.5 })
      expect(JSON.parse(JSON.stringify(made))).toEqual(made)
    }
  })
})

describe('a wrong option is a usage error that names it', () => {
  test.each([
    [{ width: 0 }, 'expected `width` to be a whole number from 1, got 0'],
    [{ depth: -1 }, 'expected `depth` to be a whole number from 0, got -1'],
    [{ width: 2.5 }, 'expected `width` to be a whole number from 1, got 2.5'],
    [{ maxTokens: 0 }, 'expected `maxTokens` to be a whole number from 1, got 0'],
    [{ seed: -5 }, 'expected `seed` to be a whole number from 0, got -5'],
    [{ temperature: 9 }, 'expected `temperature` to be a number from 0 to 5, got 9'],
    [{ topP: 1.5 }, 'expected `topP` to be a number from 0 to 1, got 1.5'],
    [{ stopAtAgreement: 2 }, 'expected `stopAtAgreement` to be a number from 0 to 1, got 2'],
    [{ quorum: 0, graceMs: 0 }, 'expected `quorum` to be a whole number from 1, got 0'],
    [{ quorum: 1, graceMs: -1 }, 'expected `graceMs` to be a whole number from 0 to 2147483647, got -1'],
    [{ graceMs: 5 }, '`graceMs` needs `quorum`'],
    [{ aggregator: ['m'] }, 'there is no option `aggregator`: use `aggregators`'],
    [{ widht: 3 }, 'there is no option `widht`; did you mean `width`?'],
    [{ strategy: 'rsa', width: 3, sample: 4 }, 'expected `sample` to be at most the width 3, got 4'],
    [{ proposers: [] }, 'expected `proposers` to be a list of engine names, got []'],
    [
      { strategy: 'atf' },
      'expected `strategy` to be one of aft, moa, rsa, self-consistency, best-of-n, single, got "atf"',
    ],
    [{ strategy: 'toString' }, 'expected `strategy` to be one of aft'],
    [{ temperature: Number.NaN }, 'expected `temperature` to be a number'],
    [{ order: 'random' }, 'expected `order` to be one of as-sampled, reversed, shuffled, got "random"'],
    [{ overflow: 'drop' }, 'expected `overflow` to be one of trim, refuse, got "drop"'],
  ] as [Partial<PlanOptions>, string][])('%j', (options, message) => {
    expect(() => plan(options)).toThrow(UsageError)
    expect(() => plan(options)).toThrow(message)
  })
})
