/** What a model refuses is learned by one request, however many begin at the same time. */
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { type ChatBody, startChatServer } from '../../../test/chat-server.ts'
import type { CompletionEnd, CompletionRequest, Engine, Message } from '../../core/provider/engine.ts'
import { fromAiSdk } from '../ai-sdk/ai-sdk.ts'
import { openOpenAI } from '../openai/openai.ts'
import { echo, scriptedEngine } from '../scripted/scripted.ts'
import { createScouts } from './scouts.ts'

const call = { id: 'a', type: 'function' as const, function: { name: 'look', arguments: '{}' } }
const afterTools: Message[] = [
  { role: 'user', content: 'Look.' },
  { role: 'assistant', content: null, tool_calls: [call] },
  { role: 'tool', tool_call_id: 'a', content: 'blue' },
]
const plain: Message[] = [{ role: 'user', content: 'Name a river.' }]

/** What Claude says of turns of tools in a request without tools, and what others say of fields. */
function refuse(body: ChatBody): string | undefined {
  const hasToolTurns = body.messages.some(({ role }) => role === 'tool')
  if (hasToolTurns && body.tools === undefined)
    return 'Requests which include `tool_use` or `tool_result` blocks must define tools'
  const field = ['temperature', 'top_p', 'seed'].find((name) => body[name] !== undefined)
  return field && `Unsupported parameter: '${field}' is not supported with this model.`
}

const kinds: [string, (baseURL: string) => Engine][] = [
  ['the OpenAI engine', (baseURL) => openOpenAI({ baseURL, model: 'm', env: {}, concurrency: 16 })],
  [
    'a model of the AI SDK',
    (baseURL) => fromAiSdk(createOpenAICompatible({ name: 'local', baseURL })('m'), { concurrency: 16 }),
  ],
]

describe.each(kinds)('%s', (_, open) => {
  async function askFive(more: Partial<CompletionRequest>) {
    const refused: string[] = []
    const server = await startChatServer(scriptedEngine(echo), (response, body) => {
      const message = refuse(body)
      if (message === undefined) return false
      refused.push(message)
      response.writeHead(400, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ error: { message } }))
      return true
    })
    onTestFinished(server.close)
    const engine = open(server.baseURL)
    const ask = async (seed: number) => {
      const request = { messages: plain, n: 1, seeds: [seed], sampling: {}, ...more }
      const ends: CompletionEnd[] = []
      for await (const event of engine.generate(request))
        if (event.type === 'completion-end') ends.push(event)
      return ends
    }
    const ends = (await Promise.all([1, 20, 300, 4000, 50000].map(ask))).flat()
    return { ends, refused, bodies: server.bodies }
  }

  it('five proposers after a result of a tool: one request is refused for the turns', async () => {
    const { ends, refused, bodies } = await askFive({ messages: afterTools })
    expect(ends).toHaveLength(5)
    expect(refused.map((message) => /must define tools/.test(message))).toEqual([true, false])
    expect(bodies).toHaveLength(7)
    for (const { warnings } of ends) expect(warnings?.join()).toMatch(/turns of tools/)
  })

  it('five requests with three fields that are refused: one request for each field', async () => {
    const { ends, refused } = await askFive({ sampling: { temperature: 0.7, topP: 0.9 } })
    expect(ends).toHaveLength(5)
    expect(refused).toHaveLength(3)
  })
})

describe('a scout', () => {
  afterEach(() => void vi.useRealTimers())
  const { signal } = new AbortController()
  const make = (form: string) => () => ({ body: { [form]: 1 }, messages: plain })

  it('goes alone, and all others go at once when it was taken', async () => {
    const scouts = createScouts()
    const first = await scouts.enter(make('a'), signal)
    const others = Promise.all([1, 2, 3].map(() => scouts.enter(make('a'), signal)))
    let went = false
    void others.then(() => (went = true))
    await scouts.enter(make('b'), signal) // another form does not wait for it
    expect(went).toBe(false)
    first.end()
    await others
  })

  it('of which nothing is heard keeps nobody waiting for more than a second', async () => {
    vi.useFakeTimers()
    const scouts = createScouts()
    await scouts.enter(make('a'), signal)
    const others = Promise.all([1, 2].map(() => scouts.enter(make('a'), signal)))
    await vi.advanceTimersByTimeAsync(1_000)
    await others
  })

  it('keeps no caller waiting who leaves', async () => {
    const scouts = createScouts()
    const leave = new AbortController()
    const first = await scouts.enter(make('a'), signal)
    const other = scouts.enter(make('a'), leave.signal)
    leave.abort()
    await other
    first.end()
  })
})
