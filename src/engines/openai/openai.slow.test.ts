/** The openai engine at a real llama-server, and at one behind a door that drops `n`. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LlamaServer, startLlamaServer } from '../../../test/peers/llama-server.ts'
import { startProxyWithoutN } from '../../../test/peers/n-ignoring-proxy.ts'
import type { Engine } from '../../core/provider/engine.ts'
import { engineContract } from '../contract.ts'
import { resolveModel } from '../models/models.ts'
import { collect } from './openai.fixture.ts'
import { openOpenAI } from './openai.ts'

const SLOTS = 6
const CONTEXT = 1024
const MESSAGES = [{ role: 'user' as const, content: 'Write a long story about a lighthouse keeper.' }]

let server: LlamaServer
let proxy: Awaited<ReturnType<typeof startProxyWithoutN>>
beforeAll(async () => {
  const { file } = await resolveModel('smollm2')
  server = await startLlamaServer({ model: file, slots: SLOTS, contextTokens: SLOTS * CONTEXT })
  proxy = await startProxyWithoutN(server.url)
})
afterAll(async () => {
  await proxy?.close()
  await server?.close()
})

// A prompt read from a cache in other batches gives other rounding, and with it other texts.
const settings = { model: 'smollm2', env: {}, contextLength: CONTEXT, extraBody: { cache_prompt: false } }
const openServer = (): Engine => openOpenAI({ ...settings, baseURL: server.url })
const openProxy = (): Engine => openOpenAI({ ...settings, baseURL: proxy.url })

const situations = {
  unicode: {
    responseFormat: {
      type: 'json_schema' as const,
      json_schema: { name: 'fox', schema: { type: 'string', enum: ['🦊 狐 naïve 👩‍🚀'] } },
    },
    sampling: { maxTokens: 60 },
  },
}
/** The model takes part of the processor. */
const timeoutMs = 600_000
const skip = {
  countTokens: 'servers have no common way to count',
  oneFails: 'a real server does not fail at will',
}

engineContract('the openai engine at llama-server', {
  open: async () => openServer(),
  situations,
  skip,
  timeoutMs,
})
engineContract('the openai engine at a llama-server that ignores n', {
  open: async () => openProxy(),
  situations,
  skip,
  timeoutMs,
})

describe('llama-server', () => {
  it('counts each completion, and n of them share one request', async () => {
    const { ends } = await collect(openServer(), { messages: MESSAGES, n: 5, sampling: { maxTokens: 12 } })
    expect(ends.map(({ usage }) => [usage.calls, usage.outputTokens, usage.estimated])).toEqual([
      [1, 12, undefined],
      ...Array(4).fill([0, 12, undefined]),
    ])
    expect(ends[0]?.usage.prefilledTokens).toBe(ends[0]?.usage.inputTokens)
  })

  it('refuses more completions than it has slots, and is asked for as many as it has', async () => {
    const engine = openOpenAI({ ...settings, baseURL: server.url, concurrency: 64 })
    const { ends } = await collect(engine, { messages: MESSAGES, n: 8, sampling: { maxTokens: 4 } })
    expect(ends).toHaveLength(8)
    // One was refused, then six and two.
    expect(ends.reduce((sum, { usage }) => sum + usage.calls, 0)).toBe(3)
  })

  it('tells log probabilities of the tokens of the text', async () => {
    const { ends } = await collect(openServer(), {
      messages: MESSAGES,
      logprobs: 2,
      sampling: { maxTokens: 6 },
    })
    const scores = ends[0]?.logprobs ?? []
    expect(scores.map((score) => score.token).join('')).toBe(ends[0]?.text)
    expect(scores.every(({ logprob, top }) => logprob <= 0 && top?.length === 2)).toBe(true)
  })

  it('continues raw text, n times in one request, with log probabilities', async () => {
    const engine = openOpenAI({ ...settings, baseURL: server.url, raw: true })
    const messages = [{ role: 'user' as const, content: 'One, two, three, four, five, six, seven,' }]
    const sampling = { maxTokens: 3, temperature: 0 }
    const { ends } = await collect(engine, { messages, n: 2, sampling, logprobs: 2 })
    expect(ends.map(({ text }) => text)).toEqual(
      [' eight,', ' eight,'].map((text) => expect.stringContaining(text)),
    )
    expect(ends[0]?.usage).toMatchObject({ calls: 1, outputTokens: 3 })
    expect(ends[0]?.logprobs?.map(({ token }) => token).join('')).toBe(ends[0]?.text)
    await expect(engine.score?.(messages, ' eight')).rejects.toThrow('use vLLM or an embedded model')
  })

  it('frees its slots when a request is aborted', async () => {
    const caller = new AbortController()
    const more = { messages: MESSAGES, n: SLOTS, sampling: { maxTokens: 900 }, signal: caller.signal }
    const { failures } = await collect(openServer(), more, (event) => {
      if (event.type === 'completion-delta') caller.abort()
    })
    expect(failures.map((f) => f.error.kind)).toEqual(Array(SLOTS).fill('aborted'))
    const { ends } = await collect(openServer(), { messages: MESSAGES, n: SLOTS, sampling: { maxTokens: 2 } })
    expect(ends).toHaveLength(SLOTS)
  })
})
