import { describe, expect, test } from 'vitest'
import { enginesOf } from '../core/plan.ts'
import type { Role } from './option-kinds.ts'
import { builtInPresets } from './presets.ts'
import { joinLevels } from './roles.ts'
import { makePlan, type PlanOptions } from './strategies.ts'

const plan = (options: Partial<PlanOptions>) => makePlan({ proposers: ['m'], ...options })
const voices = (options: Partial<PlanOptions>) => plan(options).layers.map((layer) => layer.voices)

describe('roles', () => {
  const careful: Role = { engine: 'a', n: 2, temperature: 0.2, reasoning: 'high', maxTokens: 90 }

  test('have settings of their own; what they do not have is as for all', () => {
    const options = {
      proposers: [careful, 'b'],
      aggregators: [{ engine: 'c', topP: 0.4 }],
      topP: 0.9,
      topK: 5,
    }
    const shared = { topP: 0.9, topK: 5 }
    expect(voices(options)).toEqual([
      [
        { engine: 'a', n: 2, sampling: { ...shared, temperature: 0.2, reasoning: 'high', maxTokens: 90 } },
        { engine: 'b', n: 1, sampling: shared },
      ],
      [{ engine: 'c', n: 1, sampling: { topP: 0.4, topK: 5 } }],
    ])
    expect(voices({ proposers: [{ engine: 'a', temperature: undefined }], temperature: 0.7 })[0]).toEqual([
      { engine: 'a', n: 3, sampling: { temperature: 0.7 } },
    ])
  })

  test('without numbers share the width; with them they are the width, of every layer', () => {
    const counts = (options: Partial<PlanOptions>) => voices(options).map((layer) => layer.map(({ n }) => n))
    const two = [{ engine: 'a', n: 3 }, { engine: 'b' }]
    expect(counts({ proposers: [{ engine: 'a', topK: 1 }, 'b'], width: 5 })).toEqual([[3, 2], [1]])
    expect(counts({ proposers: two, depth: 2 })).toEqual([[3, 1], [4], [1]])
    expect(counts({ proposers: two, strategy: 'moa', depth: 2 })).toEqual([[3, 1], [3, 1], [1]])
    expect(counts({ proposers: two, strategy: 'rsa', steps: 2 })).toEqual([
      [3, 1],
      [3, 1],
    ])
    expect(counts({ proposers: two, strategy: 'self-consistency', width: 4 })).toEqual([[3, 1]])
    expect(counts({ proposers: two, depth: 0 })).toEqual([[1]])
    expect(() => plan({ proposers: two, width: 5 })).toThrow(
      '`width` is 5, but the `n` of the proposers add up to 4: leave one of them out',
    )
  })

  test('have fallbacks, which have the settings of the role, their own, and the limit of their engine', () => {
    const limits = { engineMaxTokens: { small: 96 } }
    const role: Role = {
      engine: 'a',
      temperature: 0.2,
      fallbacks: ['b', { engine: 'c', temperature: 1 }, 'small'],
    }
    const expected = {
      engine: 'a',
      sampling: { temperature: 0.2 },
      fallbacks: [
        'b',
        { engine: 'c', sampling: { temperature: 1 } },
        { engine: 'small', sampling: { temperature: 0.2, maxTokens: 96 } },
      ],
    }
    const made = plan({ proposers: [role], aggregators: [role, 'last'], ...limits })
    expect(made.layers.map((layer) => layer.voices)).toEqual([
      [{ ...expected, n: 3 }],
      [{ ...expected, n: 1, fallbacks: [...expected.fallbacks, 'last'] }],
    ])
    expect(enginesOf(made)).toEqual(['a', 'b', 'c', 'small', 'last'])
  })

  test('a judge has the effort of all and settings of its own, and no limit unless somebody sets one', () => {
    const choose = (options: Partial<PlanOptions>) => plan({ strategy: 'best-of-n', ...options }).choose
    expect(choose({ temperature: 0.7, maxTokens: 9 })).toEqual({ judge: 'm' })
    expect(choose({ judgeMaxTokens: 40, reasoning: 'low' })).toEqual({
      judge: 'm',
      maxTokens: 40,
      sampling: { reasoning: 'low' },
    })
    const judge: Role = { engine: 'j', reasoning: 'high', maxTokens: 300, fallbacks: ['k'] }
    expect(choose({ judge, reasoning: 'low' })).toEqual({
      judge: 'j',
      maxTokens: 300,
      sampling: { reasoning: 'high' },
      fallbacks: ['k'],
    })
    expect(enginesOf(plan({ strategy: 'best-of-n', judge }))).toEqual(['m', 'j', 'k'])
  })

  test('a wrong one is named by its place', () => {
    const wrong = (options: unknown) => () => plan(options as PlanOptions)
    expect(wrong({ proposers: ['a', { engine: 'b', topP: 2 }] })).toThrow(
      'expected `proposers[1].topP` to be a number from 0 to 1, got 2',
    )
    expect(wrong({ aggregators: [{ engine: 'b', fallbacks: [{ engine: 'c', fallbacks: ['d'] }] }] })).toThrow(
      'expected `aggregators[0].fallbacks[0].fallbacks` to be a list of engine names',
    )
    expect(wrong({ proposers: Array(65).fill('a') })).toThrow('`proposers` to be a list of engine names')
    expect(wrong({ proposers: [{ engine: 'http://u:secret-word@host/v1#m' }] })).toThrow(/may hold no key/)
  })
})

describe('levels of options', () => {
  const preset: PlanOptions = {
    proposers: [
      { engine: 'a', n: 2, temperature: 1, fallbacks: [{ engine: 'c', temperature: 2, topK: 3 }] },
      'b',
    ],
    aggregators: [{ engine: 'd', temperature: 0.1, topP: 0.5 }],
  }

  test('the later one wins: a setting for all replaces those of roles from before', () => {
    expect(joinLevels<Partial<PlanOptions>>({ width: 5, temperature: 0.3 }, preset)).toEqual({
      ...preset,
      temperature: 0.3,
    })
    expect(joinLevels<Partial<PlanOptions>>(preset, { temperature: 0 })).toEqual({
      proposers: [{ engine: 'a', n: 2, fallbacks: [{ engine: 'c', topK: 3 }] }, 'b'],
      aggregators: [{ engine: 'd', topP: 0.5 }],
      temperature: 0,
    })
    const wide = joinLevels<Partial<PlanOptions>>(preset, { width: 6, temperature: undefined })
    expect(voices(wide)[0]?.map(({ engine, n }) => [engine, n])).toEqual([
      ['a', 3],
      ['b', 3],
    ])
  })

  test('built-in presets take roles: one answer has the first aggregator, the others are its fallbacks', () => {
    const { single, moa } = builtInPresets({ ...preset, aggregators: [preset.aggregators?.[0] ?? '', 'e'] })
    expect(voices(joinLevels<Partial<PlanOptions>>(preset, single))).toEqual([
      [{ engine: 'd', n: 1, sampling: { temperature: 0.1, topP: 0.5 }, fallbacks: ['e'] }],
    ])
    expect(voices(joinLevels<Partial<PlanOptions>>(preset, moa))[0]?.map(({ n }) => n)).toEqual([2, 1])
    expect(builtInPresets({ proposers: ['a', 'b'] }).single).toEqual({ strategy: 'single', proposers: ['a'] })
  })
})
