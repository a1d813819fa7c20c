import { expect, test } from 'vitest'
import type { Engine, Message } from '../core/provider/engine.ts'
import { paperTemplate } from '../plans/wordings.ts'
import { type CaseScore, casesOfExamples, casesOfResponses, scoreTarget, summarize } from './perplexity.ts'

/** Scores each letter of a target with -1, or with -0.5 if a message contains it. */
const reader = {
  id: 'reader',
  async score(messages, completion) {
    const shown = messages.map(({ content }) => content).join('')
    return [...completion].map((token) => ({ token, logprob: shown.includes(token) ? -0.5 : -1 }))
  },
} as Engine

const say = (content: string) => [{ role: 'user' as const, content }]
const cases = [
  { id: 'a', target: 'xy', drafts: [], prompts: { none: say(''), shown: say('xy'), foreign: say('z') } },
  { id: 'b', target: 'zzzz', drafts: [], prompts: { none: say(''), shown: say('z'), foreign: say('xy') } },
]

test('perplexity is exp of the mean nats over all tokens, and differences are paired by case', async () => {
  const scored: CaseScore[] = []
  for (const { id, prompts, ...one } of cases) {
    const scores: CaseScore['scores'] = {}
    for (const [name, prompt] of Object.entries(prompts))
      scores[name] = await scoreTarget(reader, prompt, one)
    scored.push({ id, scores })
  }
  expect(scored[1]?.scores).toEqual({
    none: { tokens: 4, nats: 4, copied: { tokens: 0, nats: 0 } },
    shown: { tokens: 4, nats: 2, copied: { tokens: 0, nats: 0 } },
    foreign: { tokens: 4, nats: 4, copied: { tokens: 0, nats: 0 } },
  })
  const [none, shown, foreign] = summarize(scored)
  expect(none).toEqual({
    condition: 'none',
    perplexity: Math.E,
    difference: null,
    interval: null,
    lower: null,
    copied: null,
    fresh: { cases: 2, tokens: 6, nats: 1, difference: null, interval: null },
  })
  expect(shown).toMatchObject({ perplexity: Math.exp(0.5), difference: -0.5, lower: 1 })
  expect(foreign).toMatchObject({ perplexity: Math.E, difference: 0, lower: 0 })
  expect(summarize([])).toEqual([])
})

test('an engine without log probabilities is refused', async () => {
  await expect(scoreTarget({ id: 'mute' } as Engine, say('x'), { target: 'y', drafts: [] })).rejects.toThrow(
    'mute gives no log probabilities',
  )
})

test('an example whose proposals stand at the tail keeps its conversation in every condition', () => {
  const tail = (name: string): Message[] => [...say(`question ${name}`), ...say(`drafts of ${name}`)]
  const [first] = casesOfExamples([
    { id: 'a', prompt: tail('a'), target: 'A', at: 1, proposals: [] },
    { id: 'b', prompt: tail('b'), target: 'B', at: 1, proposals: [] },
  ])
  expect(first?.prompts).toEqual({
    'no proposals': say('question a'),
    proposals: tail('a'),
    'proposals of another question': [...say('question a'), ...say('drafts of b')],
  })
})

test('an example is scored without proposals as its twin, with its proposals, and with those of the next example', () => {
  const prompt = (name: string): Message[] => [
    { role: 'system', content: `drafts of ${name}` },
    ...say(`question ${name}`),
  ]
  const twin: Message[] = [{ role: 'system', content: 'twin' }, ...say('question a')]
  const [first, last] = casesOfExamples([
    { id: 'a', prompt: prompt('a'), target: 'A', at: 0, twin, proposals: [] },
    { id: 'b', prompt: prompt('b'), target: 'B', at: 0, proposals: [] },
  ])
  expect(first?.prompts).toEqual({
    'no proposals': twin,
    proposals: prompt('a'),
    'proposals of another question': [prompt('b')[0], ...say('question a')],
  })
  expect(last?.prompts['no proposals']).toEqual([
    { role: 'system', content: paperTemplate.proposerSystem },
    ...say('question b'),
  ])
  expect(last?.prompts['proposals of another question']?.[0]).toEqual(prompt('a')[0])
})

test('with five responses, the conditions show one, three and five, and five of the next question', () => {
  const rows = [0, 1, 2].map((i) => ({
    prompt: say(`q${i}`),
    responses: [0, 1, 2, 3, 4].map((k) => `r${i}${k}`),
    target: 't',
  }))
  const shown = casesOfResponses(rows).map(({ prompts }) =>
    Object.fromEntries(
      Object.entries(prompts).map(([name, [system]]) => [
        name,
        String(system?.content).match(/r\d\d/g)?.join(' ') ?? '',
      ]),
    ),
  )
  expect(shown[2]).toEqual({
    'no proposals': '',
    'one proposal': 'r22',
    'three proposals': 'r22 r23 r24',
    'five proposals': 'r20 r21 r22 r23 r24',
    'five proposals of another question': 'r00 r01 r02 r03 r04',
  })
  expect(casesOfResponses(rows.slice(0, 1)).map(({ prompts }) => Object.keys(prompts))).toEqual([
    ['no proposals', 'one proposal', 'three proposals', 'five proposals'],
  ])
  const [each] = casesOfResponses(rows.slice(0, 1), { each: true })
  expect(Object.keys(each?.prompts ?? {})).toEqual([
    ...[
      'no proposals',
      'one proposal',
      'two proposals',
      'three proposals',
      'four proposals',
      'five proposals',
    ],
    'five proposals, reversed',
  ])
  expect(String(each?.prompts['five proposals, reversed']?.[0]?.content).match(/r\d\d/g)).toEqual([
    'r04',
    'r03',
    'r02',
    'r01',
    'r00',
  ])
})

test('the tokens that a draft has too are summed apart from the new ones', async () => {
  const target = 'one two three four five'
  const halves = {
    id: 'halves',
    async score(messages, completion) {
      const isShown = messages.length > 1
      return (completion.match(/\s*\w+/g) ?? []).map((token) => ({
        token,
        logprob: isShown && !token.includes('five') ? -0.5 : -2,
      }))
    },
  } as Engine
  const drafts = ['zero ONE two, three four']
  const prompts = { none: say('q'), shown: [...say('q'), ...say('drafts')] }
  const scores: CaseScore['scores'] = {}
  for (const [name, prompt] of Object.entries(prompts))
    scores[name] = await scoreTarget(halves, prompt, { target, drafts })
  expect(scores.shown).toEqual({ tokens: 5, nats: 4, copied: { tokens: 4, nats: 2 } })
  // A case whose tokens do not make up the target is left out of the parts, and of nothing else.
  const unknown = { none: { tokens: 9, nats: 9 }, shown: { tokens: 9, nats: 9 } }
  const [none, shown] = summarize([
    { id: 'a', scores },
    { id: 'b', scores: unknown },
  ])
  expect(none).toMatchObject({
    copied: { cases: 1, tokens: 4, nats: 2, difference: null },
    fresh: { tokens: 1, nats: 2 },
  })
  expect(shown).toMatchObject({
    copied: { tokens: 4, nats: 0.5, difference: -1.5, interval: { low: -1.5, high: -1.5 } },
    fresh: { tokens: 1, nats: 2, difference: 0 },
  })
})
