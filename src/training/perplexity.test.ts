import { expect, test } from 'vitest'
import type { Engine } from '../core/engine.ts'
import { scoreCases, summarise } from './perplexity.ts'

/** Gives each letter of a target -1, or -0.5 where a message holds it. */
const reader = {
  id: 'reader',
  async score(messages, completion) {
    const shown = messages.map(({ content }) => content).join('')
    return [...completion].map((token) => ({ token, logprob: shown.includes(token) ? -0.5 : -1 }))
  },
} as Engine

const say = (content: string) => [{ role: 'user' as const, content }]
const cases = [
  { id: 'a', target: 'xy', prompts: { none: say(''), shown: say('xy'), foreign: say('z') } },
  { id: 'b', target: 'zzzz', prompts: { none: say(''), shown: say('z'), foreign: say('xy') } },
]

test('perplexity is exp of the mean nats over all tokens, differences are paired by case', async () => {
  const scores = await scoreCases(reader, cases)
  expect(scores[1]).toEqual({ id: 'b', tokens: 4, nats: { none: 4, shown: 2, foreign: 4 } })
  const [none, shown, foreign] = summarise(scores)
  expect(none).toEqual({ condition: 'none', perplexity: Math.E })
  expect(shown).toMatchObject({ perplexity: Math.exp(0.5), difference: -0.5, lower: 1 })
  expect(foreign).toMatchObject({ perplexity: Math.E, difference: 0, lower: 0 })
})

test('an engine without log probabilities is refused', async () => {
  await expect(scoreCases({ id: 'mute' } as Engine, cases)).rejects.toThrow('mute gives no log probabilities')
})
