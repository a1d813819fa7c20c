import { expect, test } from 'vitest'
import type { CompletionRequest, EngineEvent } from '../../core/provider/engine.ts'
import { EngineError, UsageError } from '../../core/provider/errors.ts'
import { echo, type Script, type ScriptedOptions, scriptedEngine } from './scripted.ts'

function ask(text: string, more: Partial<CompletionRequest> = {}): CompletionRequest {
  const n = more.n ?? 1
  const seeds = Array.from({ length: n }, (_, i) => i)
  return { messages: [{ role: 'user', content: text }], n, seeds, sampling: { maxTokens: 100 }, ...more }
}

async function run(script: Script, request: CompletionRequest, options?: ScriptedOptions) {
  const events: EngineEvent[] = []
  for await (const event of scriptedEngine(script, options).generate(request)) events.push(event)
  return events
}

const ends = (events: EngineEvent[]) =>
  events.filter((e) => e.type === 'completion-end').sort((a, b) => a.index - b.index)

const textsOf = async (script: Script, request: CompletionRequest) =>
  ends(await run(script, request)).map((e) => e.text)

test('the first rule that matches the last user message or the system message replies', async () => {
  const script: Script = [
    { system: /^2\. /m, replies: ['an aggregation'] },
    { when: 'sky', replies: ['blue'] },
    { when: (request) => request.n === 2, replies: ['two'] },
    { when: /^WHY/i, replies: ['because'] },
  ]
  expect(await textsOf(script, ask('the sky?'))).toEqual(['blue'])
  expect(await textsOf(script, ask('why?'))).toEqual(['because'])
  expect(await textsOf(script, ask('x', { n: 2 }))).toEqual(['two', 'two'])
  const messages = [{ role: 'system' as const, content: '1. a\n2. b' }, ...ask('the sky?').messages]
  expect(await textsOf(script, ask('', { messages }))).toEqual(['an aggregation'])
})

test('what was not scripted is a usage error that names the prompt', async () => {
  const unscripted = /no reply for completion 0 of the prompt "unknown"/
  await expect(run([{ when: 'sky', replies: ['x'] }], ask('unknown'))).rejects.toThrow(unscripted)
  await expect(run(() => undefined, ask('unknown'))).rejects.toThrow(UsageError)
  const two: Script = [{ replies: ['a', 'b'], pick: 'index' }]
  await expect(run(two, ask('three', { n: 3 }))).rejects.toThrow(/completion 2 of the prompt "three"/)
})

test('replies are picked by seed, so that a missing sample asked for alone is the same', async () => {
  const script: Script = [{ replies: ['a', 'b', 'c'] }]
  expect(await textsOf(script, ask('x', { n: 3, seeds: [7, 8, 9] }))).toEqual(['b', 'c', 'a'])
  expect(await textsOf(script, ask('x', { seeds: [8] }))).toEqual(['c'])
})

test('echo depends on the messages and the seed, and on nothing else', async () => {
  const texts = await textsOf(echo, ask('one two three', { n: 3, seeds: [5, 6, 7] }))
  expect(new Set(texts).size).toBe(3)
  expect(await textsOf(echo, ask('one two three', { seeds: [6] }))).toEqual([texts[1]])
  expect(await textsOf(echo, ask('one two four', { seeds: [6] }))).not.toEqual([texts[1]])
})

test('a reply is cut at maxTokens words, its reasoning counted', async () => {
  const reply = { reasoning: 'a b', text: 'c d e' }
  const [end] = ends(await run(() => reply, ask('x', { sampling: { maxTokens: 4 } })))
  expect(end).toMatchObject({ reasoning: 'a b', text: ' c d'.trim(), finishReason: 'length' })
  expect(end?.usage.outputTokens).toBe(4)
})

test('a stop string ends a reply before it', async () => {
  const [end] = ends(await run(() => ({ deltas: ['one E', 'ND two'] }), ask('x', { stop: ['END'] })))
  expect(end).toMatchObject({ text: 'one ', finishReason: 'stop' })
})

test('calls and prefilled tokens stand once, in the first completion', async () => {
  const [first, second] = ends(await run([{ replies: ['hello'] }], ask('two words', { n: 2 })))
  expect(first?.usage).toEqual({
    calls: 1,
    inputTokens: 2,
    prefilledTokens: 2,
    outputTokens: 1,
    sharedBy: 2,
  })
  expect(second?.usage).toEqual({ calls: 0, inputTokens: 2, prefilledTokens: 0, outputTokens: 1 })
})

test('a scripted failure comes after its text, and leaves the others', async () => {
  const script: Script = (_, index) =>
    index === 0 ? { text: 'half a', error: { kind: 'server', message: 'gone', status: 502 } } : 'whole'
  const events = await run(script, ask('x', { n: 2 }))
  const failed = events.find((e) => e.type === 'completion-failed')
  expect(failed?.error).toBeInstanceOf(EngineError)
  expect(failed?.error).toMatchObject({ kind: 'server', status: 502, isRetryable: true })
  expect(failed?.usage?.outputTokens).toBe(2)
  expect(ends(events)).toMatchObject([{ index: 1, text: 'whole' }])
})

test('tool calls stream and end the reply', async () => {
  const call = { id: 'c1', type: 'function' as const, function: { name: 'look', arguments: '{"at":1}' } }
  const events = await run(() => ({ toolCalls: [call] }), ask('x'))
  expect(events[0]).toMatchObject({ delta: { position: 0, id: 'c1', name: 'look', arguments: '{"at":1}' } })
  expect(ends(events)).toMatchObject([{ text: '', toolCalls: [call], finishReason: 'tool-calls' }])
})

test('requests are kept for assertions', async () => {
  const engine = scriptedEngine(echo)
  const request = ask('x')
  for await (const _ of engine.generate(request));
  expect(engine.requests).toEqual([request])
})
