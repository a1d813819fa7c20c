/** `noStream`: each call asks for a whole answer, and what comes is what a stream would bring. */
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { expect, onTestFinished, test } from 'vitest'
import { startChatServer } from '../../../test/chat-server.ts'
import type { EngineEvent } from '../../core/provider/engine.ts'
import { echo, scriptedEngine } from '../scripted/scripted.ts'
import { fromAiSdk } from './ai-sdk.ts'

/** The events of one request to a server that answers with these choices, in turn, or with a status. */
async function ask(answers: (object | number)[], n = 1) {
  const server = await startChatServer(scriptedEngine(echo), (response, { stream }, number) => {
    const answer = answers[Math.min(number, answers.length) - 1]
    if (stream || answer === undefined) return false
    const [status, choice] = typeof answer === 'number' ? [answer, undefined] : [200, answer]
    const usage = { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 }
    const body = choice ? { choices: [{ index: 0, ...choice }], usage } : { error: { message: 'no' } }
    response.writeHead(status, { 'content-type': 'application/json', 'retry-after-ms': '1' })
    response.end(JSON.stringify(body))
    return true
  })
  onTestFinished(server.close)
  const model = createOpenAICompatible({ name: 'local', baseURL: server.baseURL })('m')
  const engine = fromAiSdk(model, { noStream: true, maxRetries: 1 })
  const events: EngineEvent[] = []
  const messages = [{ role: 'user' as const, content: 'Look.' }]
  const seeds = Array.from({ length: n }, (_, i) => i)
  for await (const event of engine.generate({ messages, n, seeds, sampling: {} })) events.push(event)
  return { events, bodies: server.bodies }
}

const say = (content: string, more: object = {}, finish_reason = 'stop') => ({
  message: { role: 'assistant', content, ...more },
  finish_reason,
})

test('text, reasoning, tags and usage', async () => {
  const { events, bodies } = await ask([say('<think>So.</think>It is blue.', { reasoning_content: 'Hm. ' })])
  expect(events.at(-1)).toMatchObject({
    type: 'completion-end',
    text: 'It is blue.',
    reasoning: 'Hm. So.',
    finishReason: 'stop',
    usage: { calls: 1, inputTokens: 9, outputTokens: 4 },
  })
  expect(bodies[0]?.stream).toBeFalsy()
})

test('a call of a tool', async () => {
  const called = { name: 'look', arguments: '{"at":"sky"}' }
  const calls = { tool_calls: [{ id: 'a', type: 'function', function: called }] }
  const { events } = await ask([say('', calls, 'tool_calls')])
  expect(events.at(-1)).toMatchObject({
    toolCalls: [{ id: 'a', type: 'function', function: called }],
    finishReason: 'tool-calls',
  })
})

test('an answer that was cut, one that came at the second try, and one that failed', async () => {
  expect((await ask([say('half', {}, 'length')])).events.at(-1)).toMatchObject({ finishReason: 'length' })
  const { events, bodies } = await ask([503, say('yes')])
  expect(events.map(({ type }) => type)).toEqual(['completion-waiting', 'completion-delta', 'completion-end'])
  expect(bodies).toHaveLength(2)
  expect((await ask([401])).events).toMatchObject([{ type: 'completion-failed', error: { kind: 'auth' } }])
})

test('a call for each of three completions', async () => {
  const { events, bodies } = await ask([say('a'), say('b'), say('c')], 3)
  const texts = events.flatMap((event) => (event.type === 'completion-end' ? [event.text] : []))
  expect(texts.sort()).toEqual(['a', 'b', 'c'])
  expect(bodies).toHaveLength(3)
})
