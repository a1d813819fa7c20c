import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import type { LanguageModelV2, LanguageModelV3, LanguageModelV4 } from '@ai-sdk/provider'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type ChatBody, startChatServer } from '../../../test/chat-server.ts'
import type { CompletionRequest, Engine, Message, Sampling } from '../../core/provider/engine.ts'
import { echo, scriptedEngine } from '../scripted/scripted.ts'
import { fromAiSdk } from './ai-sdk.ts'

/** What a server says to a body that it refuses. */
type Rule = (body: ChatBody) => { status: number; error: object } | undefined

/** A real provider's model, and the server behind it with its rule. */
async function serve(rule: Rule) {
  const server = await startChatServer(scriptedEngine(echo), (response, body) => {
    const refusal = rule(body)
    if (!refusal) return false
    response.writeHead(refusal.status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(refusal.error))
    return true
  })
  onTestFinished(server.close)
  const provider = createOpenAICompatible({ name: 'local', baseURL: server.baseURL, includeUsage: true })
  return { bodies: server.bodies, engine: fromAiSdk(provider('llama'), { id: 'it' }) }
}

const sampling: Sampling = { maxTokens: 9, temperature: 0.7, topP: 0.9, reasoning: 'low' }
const user = (content: string): Message => ({ role: 'user', content })

async function run(engine: Engine, more: Partial<CompletionRequest> = {}) {
  const { n = 1 } = more
  const seeds = Array.from({ length: n }, (_, i) => 100 + i)
  const [ends, failures] = [[] as { text: string; warnings?: string[] }[], [] as string[]]
  const request = { messages: [user('hello there')], n, seeds, sampling: {}, ...more }
  for await (const event of engine.generate(request)) {
    if (event.type === 'completion-end') ends.push(event)
    if (event.type === 'completion-failed') failures.push(event.error.message)
  }
  return { ends, failures }
}

const refusing =
  (fields: string[], says: (field: string) => object, status = 400): Rule =>
  (body) => {
    const field = fields.find((name) => body[name] !== undefined)
    return field === undefined ? undefined : { status, error: says(field) }
  }
const openai = (field: string) => ({
  error: { message: `Unsupported parameter: '${field}' is not supported with this model.`, param: field },
})
const pydantic = (field: string) => ({
  detail: [{ type: 'extra_forbidden', loc: ['body', field], msg: 'Extra inputs are not permitted' }],
})

describe('a field that a service refuses', () => {
  test.each([
    [['seed'], pydantic, 422],
    [['temperature', 'top_p', 'seed'], openai, 400],
    [['reasoning_effort'], openai, 400],
  ] as const)('%j: it is left out, from then on, and each end warns of it', async (fields, says, status) => {
    const { engine, bodies } = await serve(refusing([...fields], says, status))
    const { ends } = await run(engine, { sampling })
    expect(ends.map(({ warnings }) => warnings?.length)).toEqual([fields.length])
    for (const field of fields) expect(ends[0]?.warnings?.join()).toContain(`it refuses \`${field}\``)
    expect(bodies).toHaveLength(fields.length + 1)
    expect((await run(engine, { sampling, n: 3 })).ends).toHaveLength(3)
    expect(bodies).toHaveLength(fields.length + 4)
    expect((await run(engine)).ends[0]?.warnings).toEqual(
      fields.includes('seed' as never)
        ? ['it refuses `seed`, so it is left out: the same seed does not give the same samples']
        : undefined,
    )
  })

  test('is an error in a strict request if the caller set it, and left out if the engine added it', async () => {
    const { engine, bodies } = await serve(refusing(['seed', 'temperature'], openai))
    const { failures } = await run(engine, { sampling, strict: true })
    expect(failures).toEqual(["400: Unsupported parameter: 'temperature' is not supported with this model."])
    expect(bodies.map((body) => 'seed' in body)).toEqual([true, false])
  })

  test('is sent if nobody refuses it, and absent if nobody set it', async () => {
    const { engine, bodies } = await serve(() => undefined)
    await run(engine, { sampling })
    await run(engine)
    const names = ['temperature', 'top_p', 'max_tokens', 'reasoning_effort', 'seed']
    expect(bodies.map((body) => names.filter((name) => body[name] !== undefined))).toEqual([names, ['seed']])
  })
})

test('messages that a service refuses are rewritten, from then on, and each end warns of it', async () => {
  const { engine, bodies } = await serve((body) =>
    body.messages.some(({ role }) => role === 'system')
      ? { status: 400, error: { error: { message: 'System role not supported' } } }
      : undefined,
  )
  const messages: Message[] = [{ role: 'system', content: 'Be brief.' }, user('Hi')]
  expect((await run(engine, { messages })).ends[0]?.warnings).toHaveLength(1)
  await run(engine, { messages })
  expect(bodies.map((body) => body.messages.length)).toEqual([2, 1, 1])
  expect(bodies[2]?.messages).toEqual([user('Be brief.\n\nHi')])
})

/** A model made by hand: it answers with these parts, and keeps what it was asked. */
function made(
  version: 'v2' | 'v3' | 'v4',
  { provider = 'hand', modelId = 'made', warnings = [] as object[] },
) {
  const asked: Record<string, unknown>[] = []
  const usage = { inputTokens: { total: 7 }, outputTokens: { total: 3 } }
  const finish = { type: 'finish', finishReason: version === 'v2' ? 'stop' : { unified: 'stop' }, usage }
  const text = { type: 'text-delta', id: '1', delta: 'hi' }
  const model = {
    specificationVersion: version,
    provider,
    modelId,
    supportedUrls: {},
    doStream: async (options: Record<string, unknown>) => {
      asked.push(options)
      return { stream: ReadableStream.from([{ type: 'stream-start', warnings }, text, finish]) }
    },
  }
  const engine = fromAiSdk(model as unknown as LanguageModelV2 & LanguageModelV3 & LanguageModelV4, {
    id: 'it',
  })
  return { engine, asked }
}

describe('a provider that warns', () => {
  test.each([
    [
      'v2',
      { type: 'unsupported-setting', setting: 'topK' },
      "it has no `top_k`, so it is left out: the model's own value holds",
    ],
    ['v2', { type: 'unsupported-tool', tool: { name: 'look' } }, 'it: the tool look is not supported'],
    [
      'v3',
      { type: 'unsupported', feature: 'seed' },
      'it has no `seed`, so it is left out: the same seed does not give the same samples',
    ],
    [
      'v4',
      { type: 'unsupported', feature: 'temperature', details: '1.7 exceeds the maximum of 1. clamped to 1' },
      'it: temperature: 1.7 exceeds the maximum of 1. clamped to 1',
    ],
    [
      'v4',
      { type: 'unsupported', feature: 'responseFormat', details: 'The response format is ignored.' },
      'it: responseFormat: The response format is ignored.',
    ],
    [
      'v4',
      { type: 'compatibility', feature: 'reasoning', details: 'reasoning "max" is mapped to "high"' },
      'it: reasoning "max" is mapped to "high"',
    ],
    ['v4', { type: 'deprecated', setting: 'user', message: 'use another' }, 'it: user: use another'],
    ['v4', { type: 'other', message: 'half of it' }, 'it: half of it'],
  ] as const)('%s %j: the end says so', async (version, warning, text) => {
    const { engine } = made(version, { warnings: [warning] })
    expect((await run(engine)).ends).toMatchObject([{ text: 'hi', warnings: [text] }])
  })

  test('of what a strict request set fails it; what the engine added, and changes, do not', async () => {
    const seed = { type: 'unsupported', feature: 'seed' }
    const compatible = { type: 'compatibility', feature: 'reasoning', details: 'mapped' }
    const strict = { strict: true }
    expect((await run(made('v4', { warnings: [seed, compatible] }).engine, strict)).ends).toHaveLength(1)
    const temperature = { type: 'unsupported', feature: 'temperature' }
    const { engine, asked } = made('v4', { warnings: [seed, temperature] })
    expect(await run(engine, strict)).toMatchObject({
      ends: [],
      failures: ["it has no `temperature`, so it is left out: the model's own temperature holds"],
    })
    expect(asked).toHaveLength(1)
  })

  test('says no more than is read, and no key', async () => {
    const long = { type: 'other', message: `sk-abcdefgh1234 ${'x'.repeat(5000)}` }
    const { engine } = made('v4', { warnings: Array.from({ length: 50 }, () => long) })
    const [end] = (await run(engine)).ends
    expect(end?.warnings?.join('').length).toBeLessThan(320)
    expect(end?.warnings?.join()).not.toContain('abcdefgh1234')
    const odd = { warnings: [null, 5, {}] as unknown as object[] }
    expect((await run(made('v4', odd).engine)).ends[0]?.warnings).toEqual(['it: a setting is not supported'])
  })
})

describe('a setting for which the specification has no option', () => {
  test.each([
    ['v4', 'any', 'm', 'high', { reasoning: 'high' }],
    ['v3', 'openai.responses', 'gpt-5', 'high', { providerOptions: { openai: { reasoningEffort: 'high' } } }],
    ['v2', 'azure-openai.chat', 'd', 'low', { providerOptions: { openai: { reasoningEffort: 'low' } } }],
    ['v3', 'mine.chat', 'llama', 'low', { providerOptions: { mine: { reasoningEffort: 'low' } } }],
    ['v3', 'mistral.chat', 'magistral', 'low', { providerOptions: { mistral: { reasoningEffort: 'high' } } }],
    [
      'v3',
      'anthropic.messages',
      'claude-sonnet-4-5',
      'low',
      { providerOptions: { anthropic: { thinking: { type: 'enabled', budgetTokens: 1600 } } } },
    ],
    [
      'v3',
      'vertex.anthropic.messages',
      'claude-opus-4-1@20250805',
      'none',
      { providerOptions: { anthropic: { thinking: { type: 'disabled' } } } },
    ],
    [
      'v3',
      'anthropic.messages',
      'claude-opus-4-6',
      'max',
      { providerOptions: { anthropic: { thinking: { type: 'adaptive' }, effort: 'max' } } },
    ],
    [
      'v3',
      'google.generative-ai',
      'gemini-2.5-flash',
      'none',
      { providerOptions: { google: { thinkingConfig: { thinkingBudget: 0, includeThoughts: false } } } },
    ],
    [
      'v3',
      'google.vertex.chat',
      'gemini-3-pro',
      'max',
      { providerOptions: { google: { thinkingConfig: { thinkingLevel: 'high', includeThoughts: true } } } },
    ],
    [
      'v3',
      'amazon-bedrock',
      'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
      'medium',
      { providerOptions: { bedrock: { reasoningConfig: { type: 'enabled', budgetTokens: 4800 } } } },
    ],
    [
      'v3',
      'gateway',
      'anthropic/claude-sonnet-4-5',
      'none',
      { providerOptions: { anthropic: { thinking: { type: 'disabled' } } } },
    ],
  ] as const)(
    '%s %s %s with effort %s asks for %j',
    async (version, provider, modelId, reasoning, options) => {
      const { engine, asked } = made(version, { provider, modelId })
      expect((await run(engine, { sampling: { reasoning } })).ends[0]?.warnings).toBeUndefined()
      expect(asked[0]).toMatchObject(options)
    },
  )

  const tools = [{ type: 'function' as const, function: { name: 'look' } }]

  test("goes to the provider as its own option, if it has one; a config's own options win", async () => {
    const { engine, asked } = made('v4', { provider: 'openai.responses' })
    await run(engine, {
      tools,
      parallelToolCalls: false,
      passed: { prompt_cache_key: 'k', verbosity: 'low' },
    })
    expect(asked[0]?.providerOptions).toEqual({
      openai: { parallelToolCalls: false, promptCacheKey: 'k', textVerbosity: 'low' },
    })
  })

  test('is left out with a warning, and an error in a strict request, if the provider has none', async () => {
    const { engine, asked } = made('v4', { provider: 'google.generative-ai' })
    const request = { tools, parallelToolCalls: false, passed: { user: 'me' }, sampling: { minP: 0.5 } }
    const { ends } = await run(engine, request)
    expect(ends[0]?.warnings).toEqual([
      'it has no `user`, so it is left out: it has no effect',
      "it has no `min_p`, so it is left out: the model's own value holds",
      'it has no `parallel_tool_calls`, so it is left out: the model decides how many tools it calls',
    ])
    expect(asked[0]).not.toHaveProperty('providerOptions')
    await expect(run(engine, { ...request, strict: true })).rejects.toThrow('it has no `user`: leave it out')
    expect(asked).toHaveLength(1)
  })
})
