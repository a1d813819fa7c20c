import { describe, expect, it } from 'vitest'
import { collect, delta, finish, open, say } from './openai.fixture.ts'

describe('reasoning', () => {
  it.each([
    [
      'reasoning_content',
      [delta(0, { reasoning_content: 'hm ' }), delta(0, { reasoning_content: 'yes' }), delta(0, 'So.')],
    ],
    ['reasoning', [delta(0, { reasoning: 'hm yes' }), delta(0, 'So.')]],
    ['tags', [delta(0, '<thi'), delta(0, 'nk>hm '), delta(0, 'yes</think>\n\n'), delta(0, 'So.')]],
  ])('in %s is kept out of the text', async (_, chunks) => {
    const { engine } = await open({}, (asked) => {
      asked.send(...chunks, finish(0))
      asked.done()
    })
    const { ends, events } = await collect(engine)
    expect(ends[0]).toMatchObject({ text: 'So.', reasoning: 'hm yes' })
    expect(events.some((e) => e.type === 'completion-restarted')).toBe(false)
  })

  it('before a closing tag that was never opened is taken back from the text', async () => {
    const { engine } = await open({}, (asked) => {
      asked.send(delta(0, 'hm '), delta(0, 'yes</th'), delta(0, 'ink>So.'), finish(0))
      asked.done()
    })
    const { events } = await collect(engine)
    expect(events.map((e) => [e.type, 'text' in e ? e.text : ''])).toEqual([
      ['completion-delta', 'hm '],
      ['completion-delta', 'yes'],
      ['completion-restarted', ''],
      ['reasoning-delta', 'hm yes'],
      ['completion-delta', 'So.'],
      ['completion-end', 'So.'],
    ])
  })

  it('cut by length leaves an empty text', async () => {
    const { engine } = await open({}, say('<think>I was about', 'length'))
    expect((await collect(engine)).ends[0]).toMatchObject({
      text: '',
      reasoning: 'I was about',
      finishReason: 'length',
    })
  })
})

describe('what comes', () => {
  it('as tool calls is streamed and put together, with an id where the server gives none', async () => {
    const call = (index: number, id: string | undefined, name: string | undefined, args: string) =>
      delta(0, { tool_calls: [{ index, id, function: { name, arguments: args } }] })
    const { engine } = await open({}, (asked) => {
      asked.send(
        call(0, 'c1', 'look', '{"at"'),
        call(0, undefined, undefined, ':1}'),
        call(1, undefined, 'go', '{}'),
      )
      asked.send(finish(0, 'stop'))
      asked.done()
    })
    const { ends, events } = await collect(engine)
    expect(ends[0]).toMatchObject({
      text: '',
      finishReason: 'tool-calls',
      toolCalls: [
        { id: 'c1', type: 'function', function: { name: 'look', arguments: '{"at":1}' } },
        { id: 'call_100_1', type: 'function', function: { name: 'go', arguments: '{}' } },
      ],
    })
    // An empty object waits: some servers begin with one.
    expect(events.filter((e) => e.type === 'tool-call-delta')).toHaveLength(4)
  })

  it.each([
    ['stop', 'stop'],
    ['eos_token', 'stop'],
    ['length', 'length'],
    ['max_tokens', 'length'],
    ['tool_calls', 'tool-calls'],
    ['content_filter', 'content-filter'],
  ])('with the finish reason %s ended by %s', async (reason, expected) => {
    const { engine } = await open({}, say('a', reason))
    expect((await collect(engine)).ends[0]?.finishReason).toBe(expected)
  })

  it('with log probabilities has as many alternatives as were asked for', async () => {
    const top = [
      { token: 'a', logprob: -0.1 },
      { token: 'b', logprob: -3 },
    ]
    const chunk = {
      choices: [
        {
          index: 0,
          delta: { content: 'a' },
          logprobs: { content: [{ token: 'a', logprob: -0.1, top_logprobs: top }] },
        },
      ],
    }
    const { engine, asked } = await open({}, (one) => {
      one.send(chunk, finish(0))
      one.done()
    })
    const scores = async (logprobs?: number) => (await collect(engine, { logprobs })).ends[0]?.logprobs
    expect(await scores()).toBeUndefined()
    expect(await scores(0)).toEqual([{ token: 'a', logprob: -0.1 }])
    expect(await scores(2)).toEqual([{ token: 'a', logprob: -0.1, top }])
    expect(asked.map(({ body }) => [body.logprobs, body.top_logprobs])).toEqual([
      [undefined, undefined],
      [true, 1],
      [true, 2],
    ])
  })

  it('whole, from a server that does not stream, is an answer all the same', async () => {
    const message = (content: string) => ({ role: 'assistant', content })
    const { engine } = await open({}, (asked) =>
      asked.refuse(200, {
        choices: [
          { index: 0, message: message('a'), finish_reason: 'stop' },
          { index: 1, message: message('b'), finish_reason: 'length' },
        ],
        usage: { prompt_tokens: 6, completion_tokens: 4 },
      }),
    )
    const { ends } = await collect(engine, { n: 2 })
    expect(ends.map((e) => [e.text, e.finishReason, e.usage.outputTokens])).toEqual([
      ['a', 'stop', 2],
      ['b', 'length', 2],
    ])
  })

  it('after comments that keep the connection alive, or with names before, is read', async () => {
    const { engine } = await open({}, (asked) => {
      asked.response.writeHead(200, { 'content-type': 'text/event-stream' })
      asked.response.write(': keep-alive\n\nevent: message\nid: 1\n')
      asked.send(delta(0, 'a'), finish(0))
      asked.done()
    })
    expect((await collect(engine)).ends[0]?.text).toBe('a')
  })

  it.each<[string, (event: string) => string]>([
    ['with its JSON spread over data lines', (json) => `data: ${json.replaceAll(',', ',\ndata: ')}\n\n`],
    ['with lines that end in CR', (json) => `data: ${json}\r\r`],
    ['without blank lines', (json) => `data: ${json}\n`],
    ['without the space after the colon', (json) => `data:${json}\n\n`],
  ])('%s is read', async (_, frame) => {
    const { engine } = await open({}, (asked) => {
      asked.response.writeHead(200, { 'content-type': 'text/event-stream' })
      const chunks = [delta(0, 'a'), delta(1, 'b'), finish(0), finish(1)]
      for (const chunk of chunks) asked.response.write(frame(JSON.stringify(chunk)))
      asked.response.end(frame('[DONE]'))
    })
    expect((await collect(engine, { n: 2 })).ends.map((end) => end.text)).toEqual(['a', 'b'])
  })
})
