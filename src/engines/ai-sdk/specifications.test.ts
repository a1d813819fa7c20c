/** Models made by hand: the three specifications, and what real providers do rarely. */
import type {
  LanguageModelV2,
  LanguageModelV3,
  LanguageModelV4,
  LanguageModelV4CallOptions,
} from '@ai-sdk/provider'
import { expect, test } from 'vitest'
import type { CompletionRequest, Engine, EngineEvent } from '../../core/provider/engine.ts'
import { UsageError } from '../../core/provider/errors.ts'
import { answer } from '../../run/answer.ts'
import { fromAiSdk } from './ai-sdk.ts'

function ask(more: Partial<CompletionRequest> = {}): CompletionRequest {
  const messages = [{ role: 'user' as const, content: 'hello there' }]
  return { messages, n: 1, seeds: [100], sampling: { maxTokens: 50 }, ...more }
}

async function run(engine: Engine, request = ask()): Promise<EngineEvent[]> {
  const events: EngineEvent[] = []
  for await (const event of engine.generate(request)) events.push(event)
  return events
}

const lastOf = async (engine: Engine, request?: CompletionRequest) => (await run(engine, request)).at(-1)

/** A model made by hand, of any specification. */
function model(
  specificationVersion: 'v2' | 'v3' | 'v4',
  parts: object[],
  asked: LanguageModelV4CallOptions[] = [],
) {
  const doStream = async (options: LanguageModelV4CallOptions) => {
    asked.push(options)
    return { stream: ReadableStream.from(parts) }
  }
  const made = { specificationVersion, provider: 'hand', modelId: 'made', supportedUrls: {}, doStream }
  return made as unknown as LanguageModelV2 & LanguageModelV3 & LanguageModelV4
}

const say = (delta: string) => ({ type: 'text-delta', id: '1', delta })
const finishV2 = (
  finishReason: string,
  usage: object = { inputTokens: 7, outputTokens: 3, totalTokens: 10 },
) => {
  return { type: 'finish', finishReason, usage }
}
const finishV4 = (unified: string, raw?: string, more: object = {}) => {
  const usage = { inputTokens: { total: 7, cacheRead: 5 }, outputTokens: { total: 3, reasoning: 1 }, ...more }
  return { type: 'finish', finishReason: { unified, raw }, usage }
}

test('specification v2 has flat usage and a word for the finish', async () => {
  const usage = { inputTokens: 7, outputTokens: 3, totalTokens: 10, cachedInputTokens: 4, reasoningTokens: 2 }
  const event = await lastOf(fromAiSdk(model('v2', [say('hi'), finishV2('length', usage)])))
  const figures = { inputTokens: 7, prefilledTokens: 3, outputTokens: 3, reasoningTokens: 2 }
  expect(event).toMatchObject({ text: 'hi', finishReason: 'length', usage: figures })
})

test.each(['v3', 'v4'] as const)(
  'specification %s has nested usage, and a cost where the provider tells',
  async (version) => {
    const parts = [say('hi'), finishV4('stop', 'eos', { raw: { cost: 0.25 } })]
    const event = await lastOf(fromAiSdk(model(version, parts)))
    const figures = { inputTokens: 7, prefilledTokens: 2, outputTokens: 3, reasoningTokens: 1, cost: 0.25 }
    expect(event).toMatchObject({ text: 'hi', finishReason: 'stop', usage: figures })
  },
)

test('usage that a provider does not tell is an estimate, marked as one', async () => {
  const usage = { inputTokens: undefined, outputTokens: undefined, totalTokens: undefined }
  const event = await lastOf(fromAiSdk(model('v2', [say('twelve chars'), finishV2('stop', usage)])))
  expect(event).toMatchObject({
    usage: { inputTokens: 3, outputTokens: 3, prefilledTokens: null, estimated: true },
  })
})

test.each([
  ['v2', [say('half')]],
  ['v2', [say('half'), finishV2('unknown')]],
  ['v2', [say('half'), finishV2('error')]],
  ['v3', [say('half'), finishV4('other')]],
  ['v3', [say('half'), finishV4('other', 'abort')]],
  ['v4', [say('half'), finishV4('interrupted')]],
] as const)('a %s stream without a true finish is a failure that may pass: %j', async (version, parts) => {
  const event = await lastOf(fromAiSdk(model(version, [...parts]), { maxRetries: 0 }))
  expect(event).toMatchObject({ type: 'completion-failed', error: { kind: 'server', isRetryable: true } })
})

test('a limit that was spent on thinking is told, with what to set', async () => {
  const thought = { type: 'reasoning-delta', id: '1', delta: 'hm' }
  const engine = fromAiSdk(model('v4', [thought, finishV4('length', 'max_tokens')]))
  await expect(answer('Name a river.', { engine, maxTokens: 3 })).rejects.toThrow(
    /3 came back empty: the limit was spent on thinking \(\d+ tokens, finish reason length\). Set a higher --max-tokens/,
  )
})

test('files are tagged for v4 and plain for v2 and v3', async () => {
  const data = 'iVBORw0KGgo='
  const url = 'https://example.org/a.png'
  const content = [
    { type: 'image_url', image_url: { url: `data:image/png;base64,${data}` } },
    { type: 'image_url', image_url: { url } },
    { type: 'input_audio', input_audio: { data, format: 'wav' } },
    { type: 'file', file: { file_data: `data:application/pdf;base64,${data}`, filename: 'a.pdf' } },
  ]
  const fileParts = async (version: 'v2' | 'v4') => {
    const asked: LanguageModelV4CallOptions[] = []
    const parts = version === 'v2' ? [finishV2('stop')] : [finishV4('stop')]
    await run(fromAiSdk(model(version, parts, asked)), ask({ messages: [{ role: 'user', content }] }))
    return asked[0]?.prompt[0]?.content
  }
  expect(await fileParts('v4')).toEqual([
    { type: 'file', mediaType: 'image/png', data: { type: 'data', data } },
    { type: 'file', mediaType: 'image', data: { type: 'url', url: new URL(url) } },
    { type: 'file', mediaType: 'audio/wav', data: { type: 'data', data } },
    { type: 'file', mediaType: 'application/pdf', data: { type: 'data', data }, filename: 'a.pdf' },
  ])
  expect(await fileParts('v2')).toEqual([
    { type: 'file', mediaType: 'image/png', data },
    { type: 'file', mediaType: 'image/*', data: new URL(url) },
    { type: 'file', mediaType: 'audio/wav', data },
    { type: 'file', mediaType: 'application/pdf', data, filename: 'a.pdf' },
  ])
})

test('a tool call that comes whole, and one whose input comes as raw text, are told whole', async () => {
  const whole = { type: 'tool-call', toolCallId: 'a', toolName: 'look', input: '{}' }
  const raw = { type: 'tool-call', toolCallId: 'b', toolName: 'write', input: '"line"' }
  const start = { type: 'tool-input-start', id: 'b', toolName: 'write', inputEncoding: 'text' }
  const parts = [
    whole,
    start,
    { type: 'tool-input-delta', id: 'b', delta: 'line' },
    raw,
    finishV4('tool-calls'),
  ]
  expect(await lastOf(fromAiSdk(model('v4', parts)))).toMatchObject({
    toolCalls: [
      { id: 'a', function: { name: 'look', arguments: '{}' } },
      { id: 'b', function: { name: 'write', arguments: '"line"' } },
    ],
  })
})

test("tools that the provider runs itself are not the caller's", async () => {
  const call = { type: 'tool-call', toolCallId: 'a', toolName: 'search', input: '{}', providerExecuted: true }
  const event = await lastOf(fromAiSdk(model('v4', [call, say('found'), finishV4('stop')])))
  expect(event).toMatchObject({ text: 'found', finishReason: 'stop' })
  expect(event).not.toHaveProperty('toolCalls')
})

test('a model that does not listen to signals is left all the same', async () => {
  const deaf = { ...(model('v4', []) as LanguageModelV4), doStream: () => new Promise<never>(() => {}) }
  const caller = new AbortController()
  const events = run(fromAiSdk(deaf), ask({ signal: caller.signal }))
  caller.abort()
  expect(await events).toMatchObject([{ type: 'completion-failed', error: { kind: 'aborted' } }])
})

test('what is no model of a known specification is a usage error', () => {
  expect(() => fromAiSdk('openai/gpt' as never)).toThrow(/got the string "openai\/gpt"/)
  expect(() => fromAiSdk({ specificationVersion: 'v1', doStream() {} } as never)).toThrow(
    /got specification "v1"/,
  )
  expect(() => fromAiSdk(undefined as never)).toThrow(UsageError)
})

test('a content part that the specification cannot carry is a usage error', async () => {
  const messages = [{ role: 'user' as const, content: [{ type: 'hologram' }] }]
  await expect(run(fromAiSdk(model('v4', [])), ask({ messages }))).rejects.toThrow(
    /no content part of type "hologram"/,
  )
})
