import { describe, expect, test } from 'vitest'
import { openLibrary } from '../../../test/native-library.ts'
import type { Message } from '../../core/provider/engine.ts'
import { ask, longText, useEmbedded, user } from './embedded.fixture.ts'
import { openEmbedded } from './embedded.ts'

const { file, settings, engine, complete } = await useEmbedded()

describe('scores', () => {
  test("agree with the library's own probabilities", async () => {
    const llama = await openLibrary()
    const model = await llama.loadModel({ modelPath: file })
    const context = await model.createContext({ contextSize: 512, threads: 1 })
    const sequence = context.getSequence()
    const head =
      '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n'
    const completion = ' Because the sky is made of naïve foxes 🦊.'
    const [prompt, answer] = [model.tokenize(head, true), model.tokenize(completion)]
    const generateNext = {
      probabilities: true,
      options: { temperature: 1, topK: 0, topP: 1, minP: 0 },
    } as const
    const all = [...prompt, ...answer]
    const outputs = await sequence.controlledEvaluate(all.map((token) => [token, { generateNext }]))
    const expected = answer.map((token, i) =>
      Math.log(outputs[prompt.length - 1 + i]?.next.probabilities?.get(token) ?? 0),
    )
    await model.dispose()

    const messages: Message[] = [{ role: 'system', content: 'Be brief.' }, ...user('Why?')]
    const scores = await engine.score(messages, completion)
    expect(scores).toHaveLength(expected.length)
    // The library evaluates all tokens at once: other sums, other roundings.
    for (const [i, { logprob }] of scores.entries()) expect(logprob).toBeCloseTo(expected[i] as number, 0)
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
    expect(mean(scores.map((s) => s.logprob))).toBeCloseTo(mean(expected), 1)
  })

  test('of a text that was written are the log probabilities that came with it', async () => {
    const request = ask('Name a fruit.', { seeds: [3], logprobs: 2, maxTokens: 12 })
    const [end] = await complete(request)
    const scores = await engine.score(request.messages, end?.text ?? '')
    expect(end?.logprobs?.map((s) => s.token).join('')).toBe(end?.text)
    for (const [i, score] of scores.entries()) {
      expect(end?.logprobs?.[i]?.token).toBe(score.token)
      expect(end?.logprobs?.[i]?.logprob).toBeCloseTo(score.logprob, 3)
      expect(end?.logprobs?.[i]?.top).toHaveLength(2)
    }
  })

  test('of a long text come token by token', async () => {
    const completion = longText(200, 'score')
    const scores = await engine.score(user('Count.'), completion)
    expect(scores.map((score) => score.token).join('')).toBe(completion)
    for (const { logprob } of scores) expect(logprob).toBeLessThanOrEqual(0)
    expect(await engine.score(user('Count.'), '')).toEqual([])
  })
})

describe('messages', () => {
  const template = (turns: string) => `${turns}<|im_start|>assistant\n`
  const turn = (role: string, content: string) => `<|im_start|>${role}\n${content}<|im_end|>\n`

  test('ordinary messages give the tokens of the rendered text', async () => {
    const llama = await openLibrary()
    const model = await llama.loadModel({ modelPath: file, vocabOnly: true })
    const messages: Message[] = [
      { role: 'system', content: '\n' },
      { role: 'user', content: '\n  Hello  there,\n\n\twas ist los? 🦊 ' },
      { role: 'assistant', content: '1. naïve' },
      { role: 'tool', content: '{"a": 1}' },
      { role: 'user', content: 'Go on' },
    ]
    const text = template(messages.map((m) => turn(m.role, m.content as string)).join(''))
    expect(await engine.countTokens(messages)).toBe(model.tokenize(text, true).length)
    const [end] = await complete({ ...ask('', { maxTokens: 1 }), messages })
    expect(end?.usage.inputTokens).toBe(model.tokenize(text, true).length)
    await model.dispose()
  })

  test('special tokens in a message are many tokens of text', async () => {
    const plain = await engine.countTokens(user('x'))
    for (const text of ['<|im_start|>', '<|im_end|>', '<|endoftext|>']) {
      for (const role of ['system', 'user', 'assistant', 'tool'] as const) {
        const messages: Message[] = [
          { role: 'system', content: 'x' },
          { role, content: text },
        ]
        const base = await engine.countTokens([
          { role: 'system', content: 'x' },
          { role, content: 'x' },
        ])
        expect(await engine.countTokens(messages)).toBeGreaterThan(base + 3)
      }
    }
    expect(plain).toBeGreaterThan(0)
  })

  test('raw text has no template and no beginning that the model does not want', async () => {
    const raw = await openEmbedded({ ...settings, raw: true })
    try {
      expect(
        await raw.countTokens([
          { role: 'system', content: 'one two' },
          { role: 'user', content: ' three' },
        ]),
      ).toBe(3)
      const [end] = await complete(ask('The capital of France is', { maxTokens: 8, seeds: [1] }), raw)
      expect(end?.usage.inputTokens).toBe(5)
      expect(end?.text).not.toBe('')
    } finally {
      await raw.close()
    }
  })
})
