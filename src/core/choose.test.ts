import { describe, expect, test } from 'vitest'
import { ask, planFor } from '../../test/ask.ts'
import { type Reply, scriptedEngine } from '../engines/scripted/scripted.ts'
import type { Message } from './provider/engine.ts'
import { textOf } from './provider/engine.ts'

const candidates = ['the sky is red', 'the sky is blue today', 'the sky is blue']

/** Best of n over these candidates, with a judge that says this. */
async function judged(says: Reply | string, options: { order?: 'shuffled'; seed?: number } = {}) {
  const engine = scriptedEngine((_, index) => candidates[index])
  const judge = scriptedEngine(() => says)
  const plan = planFor({ engine }, { strategy: 'best-of-n', width: 3, judge: 'judge', ...options })
  return { ...(await ask({ engine, judge }, plan)), judge }
}

describe('a vote', () => {
  const votes = async (texts: string[]) => {
    const engine = scriptedEngine((_, index) => texts[index])
    return ask({ engine }, planFor({ engine }, { strategy: 'self-consistency', width: texts.length }))
  }

  test('answers with the first completion of the most frequent extracted answer', async () => {
    const texts = ['So 3.', '2 + 2 makes #### 4', 'It is \\boxed{4}', 'The answer is 5', 'Answer: **4**.']
    expect(await votes(texts)).toMatchObject({
      answer: texts[1],
      from: { layer: 0, index: 1 },
      degraded: false,
    })
  })

  test('that ties goes to the answer seen first, and empty completions have none', async () => {
    expect((await votes(['', '7', '8', '8', '7'])).answer).toBe('7')
  })

  test('compares the words of answers, not their form', async () => {
    const eighteen = ['The answer is: 18', 'The answer is 18.', '#### \\boxed{18}']
    expect((await votes([...eighteen, '#### 17', '#### 17'])).answer).toBe(eighteen[0])
  })

  test('compares JSON by its whole value, with and without a schema', async () => {
    const texts = [
      '{"label":"spam","score":1}',
      '{"label":"ham","score":1}',
      '{ "score": 1.0, "label": "ham" }',
      '{"label":"spam","score":0}',
    ]
    expect((await votes(texts)).answer).toBe(texts[1])
    const fenced = texts.map((text) => `\`\`\`json\n${text}\n\`\`\``)
    expect((await votes(fenced)).answer).toBe(fenced[1])
  })

  test('compares texts as JSON if the prompt asks for JSON', async () => {
    const engine = scriptedEngine((_, index) => ['"room 12"', '"hall 12"', '"hall 12"'][index])
    const plan = planFor({ engine }, { strategy: 'self-consistency', width: 3 })
    const prompt = {
      id: 'q',
      messages: [{ role: 'user' as const, content: 'Where?' }],
      responseFormat: {
        type: 'json_schema' as const,
        json_schema: { name: 'place', schema: { type: 'string' } },
      },
    }
    expect((await ask({ engine }, plan, { prompt })).answer).toBe('"hall 12"')
  })

  test('compares calls of tools by name and arguments', async () => {
    const call = (id: string, text: string) => ({
      toolCalls: [{ id, type: 'function' as const, function: { name: 'look', arguments: text } }],
    })
    const replies = [call('a', '{"at":1}'), call('b', '{"at":2}'), call('c', '{ "at": 2.0 }')]
    const engine = scriptedEngine((_, index) => replies[index])
    const plan = planFor({ engine }, { strategy: 'self-consistency', width: 3 })
    const { from } = await ask({ engine }, plan)
    expect(from.index).toBe(1)
  })

  test('calls no model', async () => {
    expect((await votes(['1', '1'])).usage.calls).toBe(1)
  })
})

test('a last layer of several with nothing to choose by answers with its first', async () => {
  const engine = scriptedEngine((_, index) => candidates[index])
  const plan = { ...planFor({ engine }, { strategy: 'self-consistency', width: 3 }), choose: 'last' as const }
  expect(await ask({ engine }, plan)).toMatchObject({ answer: candidates[0], degraded: false })
})

describe('a judge', () => {
  test('reads the numbered candidates at temperature 0 and picks one', async () => {
    const { answer, judge, judgment, degraded, usage } = await judged('2')
    expect([answer, degraded]).toEqual([candidates[1], false])
    expect(judge.requests[0]).toMatchObject({ n: 1, sampling: { temperature: 0 } })
    const tail = textOf(judge.requests[0]?.messages.at(-1) as Message)
    expect(tail).toMatch(/\n1\. the sky is red\n\n2\. the sky is blue today\n\n3\. the sky is blue\n\n/)
    expect(judgment).toMatchObject({ text: '2', engine: 'judge' })
    expect(usage.calls).toBe(2)
  })

  test('may answer in a sentence; the first number counts', async () => {
    expect((await judged('**Candidate 3** is the best, 1 is wrong.')).answer).toBe(candidates[2])
  })

  test('is understood by the order in which it was shown the candidates', async () => {
    for (const seed of [1, 2, 3, 4]) {
      const { answer, judge, judgment } = await judged('1', { order: 'shuffled', seed })
      const first = textOf(judge.requests[0]?.messages.at(-1) as Message).match(/\n1\. (.*)/)?.[1]
      expect(answer).toBe(first)
      expect((judgment as { saw: number[] }).saw[0]).toBe(candidates.indexOf(answer))
    }
  })

  test.each([
    ['gives no number', 'All are fine.', 'gave no number of a candidate'],
    ['gives a number that no candidate has', '4', 'gave no number of a candidate'],
    ['gives nothing', '', 'gave no number of a candidate'],
    ['fails', { error: { kind: 'rate-limit', message: 'slow down' } } as Reply, 'failed (rate-limit)'],
  ])('that %s leaves the candidate most like the others, degraded', async (_, says, why) => {
    const result = await judged(says)
    expect(result).toMatchObject({ answer: 'the sky is blue', degraded: true })
    expect(result.degradedBecause).toEqual([
      `the judge ${why}, so the completion most like the others was taken`,
    ])
    expect(result.judgment).toMatchObject({ index: 0, engine: 'judge' })
  })

  test('is not asked when one candidate is left', async () => {
    const engine = scriptedEngine((_, index) => ['', 'only'][index])
    const judge = scriptedEngine([])
    const plan = planFor({ engine }, { strategy: 'best-of-n', width: 2, judge: 'judge' })
    expect((await ask({ engine, judge }, plan)).answer).toBe('only')
  })

  test('gets neither tools nor stop strings', async () => {
    const engine = scriptedEngine((_, index) => candidates[index])
    const judge = scriptedEngine(() => '1')
    const plan = planFor({ engine }, { strategy: 'best-of-n', width: 3, judge: 'judge' })
    const tools = [{ type: 'function' as const, function: { name: 'look' } }]
    const prompt = { id: 'q', messages: [{ role: 'user' as const, content: 'Hm?' }], tools, stop: ['1'] }
    await ask({ engine, judge }, plan, { prompt })
    expect(engine.requests[0]).toMatchObject({ tools, stop: ['1'] })
    expect(judge.requests[0]).not.toHaveProperty('tools')
    expect(judge.requests[0]).not.toHaveProperty('stop')
  })
})
