/** How answers are read that are not OpenAI's to the letter: framing, content, ends. */
import { describe, expect, it } from 'vitest'
import { type Answer, collect, delta, finish, open, say, sendAll, usage } from './openai.fixture.ts'

/** Answers with these bytes under this label. */
const raw =
  (body: string, type = 'text/event-stream'): Answer =>
  ({ response }) =>
    void response.writeHead(200, { 'content-type': type }).end(body)

const event = (value: object) => `data: ${JSON.stringify(value)}\n\n`
const WHOLE = {
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello world' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 3, completion_tokens: 2 },
}
const STREAM = [delta(0, 'Hello '), delta(0, 'world'), finish(0), usage(3, 2)]

describe('a body is read as what it is', () => {
  const sse = `${STREAM.map(event).join('')}data: [DONE]\n\n`
  const lines = STREAM.map((chunk) => `${JSON.stringify(chunk)}\n`).join('')
  const spread = JSON.stringify(STREAM[0], null, 1)
  it.each<[string, string, string]>([
    ['events under application/json', sse, 'application/json'],
    ['events under text/plain', sse, 'text/plain'],
    ['events under text/html', sse, 'text/html; charset=utf-8'],
    ['a document under text/event-stream', JSON.stringify(WHOLE), 'text/event-stream'],
    ['a document in many lines under text/plain', `\n${JSON.stringify(WHOLE, null, 2)}\n`, 'text/plain'],
    ['a document with blank lines', JSON.stringify(WHOLE, null, 2).replaceAll('\n', '\n\n'), 'text/plain'],
    ['a document as the data of an event', event(WHOLE), 'text/event-stream'],
    ['a document in a list', JSON.stringify([WHOLE]), 'application/json'],
    ['JSON lines', lines, 'application/x-ndjson'],
    ['JSON lines under text/event-stream', lines, 'text/event-stream'],
    ['events after a byte order mark', `\ufeff${sse}`, 'text/event-stream'],
    ['events that end in CR LF', sse.replaceAll('\n', '\r\n'), 'text/event-stream'],
    ['events that end in CR', sse.replaceAll('\n', '\r'), 'text/event-stream'],
    ['events named twice', sse.replaceAll('data: {', 'data: data: {'), 'text/event-stream'],
    [
      'events with words between',
      sse.replaceAll('\n\n', '\n\ndata: ping\n\nretry: 3\n\n'),
      'text/event-stream',
    ],
    [
      'an event spread over data lines',
      `data: ${spread.replaceAll('\n', '\ndata: ')}\n\n${STREAM.slice(1).map(event).join('')}data: [DONE]\n\n`,
      'text/event-stream',
    ],
    ['events named in capitals', sse.replaceAll('data:', 'Data:'), 'text/event-stream'],
    ['an end in small letters', sse.replace('[DONE]', '[done]'), 'text/event-stream'],
    ['a JSON sequence', lines.replaceAll('{"choices"', '\x1e{"choices"'), 'application/json-seq'],
    ['two objects in one event', sse.replace('\n\ndata: {', '{'), 'text/event-stream'],
    ['two events on one line', sse.replaceAll('\n\ndata: {', ' data: {'), 'text/event-stream'],
    [
      'objects within those of a gateway',
      STREAM.map((chunk) => event({ code: 0, data: chunk })).join(''),
      'text/event-stream',
    ],
    [
      'choices by number',
      sse.replaceAll(/"choices":\[(\{.*?\})\](?=[,}])/g, '"choices":{"0":$1}'),
      'text/event-stream',
    ],
    ['events without the last blank line', sse.trimEnd(), 'text/event-stream'],
  ])('%s', async (_, body, type) => {
    const { engine, asked } = await open({}, raw(body, type))
    const { ends } = await collect(engine)
    expect(ends).toMatchObject([{ text: 'Hello world', finishReason: 'stop', usage: { outputTokens: 2 } }])
    expect(asked).toHaveLength(1)
  })

  it('XML is no web page, and the request is sent again', async () => {
    const xml = '<?xml version="1.0"?><Error><Message>slow down</Message></Error>'
    const { engine } = await open({}, raw(xml, 'application/xml'), raw(sse))
    expect((await collect(engine)).ends).toMatchObject([{ text: 'Hello world' }])
  })

  it('in any cut into reads', async () => {
    const body = Buffer.from(sse.replaceAll('\n', '\r\n'))
    const { engine } = await open({}, async ({ response, number }) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      for (let at = 0; at < body.length; at += number + 1) {
        response.write(body.subarray(at, at + number + 1))
        await new Promise((resolve) => setImmediate(resolve))
      }
      response.end()
    })
    for (let i = 0; i < 12; i++) expect((await collect(engine)).ends[0]?.text).toBe('Hello world')
  })

  it('a web page under any label is a wrong address', async () => {
    const { engine, asked } = await open({}, raw('\n <!doctype html><p>Hello', 'application/json'))
    expect((await collect(engine)).failures).toMatchObject([
      { error: { kind: 'not-found', message: expect.stringContaining('does it end in /v1?') } },
    ])
    expect(asked).toHaveLength(1)
  })
})

describe('pieces that come as messages', () => {
  const message = (content: string, finish_reason: string | null = null) => ({
    choices: [{ index: 0, message: { content }, finish_reason }],
  })
  it.each<[string, object[]]>([
    ['the next piece each time', [message('Hello '), message('world', 'stop')]],
    ['all of it each time', [message('Hello '), message('Hello world', 'stop')]],
    ['all of it after deltas', [delta(0, 'Hello '), delta(0, 'world'), message('Hello world', 'stop')]],
    ['all of it after deltas, trimmed', [delta(0, 'Hello world\n'), message('Hello world', 'stop')]],
  ])('are put together: %s', async (_, chunks) => {
    const { engine } = await open({}, sendAll(...chunks))
    expect((await collect(engine)).ends[0]?.text.trimEnd()).toBe('Hello world')
  })
})

describe('JSON that a gateway has parsed is text again', () => {
  it.each<[unknown, string]>([
    [42, '42'],
    [0, '0'],
    [false, 'false'],
    [{ city: 'Oslo' }, '{"city":"Oslo"}'],
  ])('%j', async (content, text) => {
    const { engine } = await open({}, sendAll(delta(0, { content }), finish(0)))
    expect((await collect(engine)).ends[0]?.text).toBe(text)
  })
})

describe('content', () => {
  const thinking = { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] }
  it.each<[string, object[]]>([
    [
      'a list of parts, then a text',
      [{ content: [thinking] }, { content: [{ type: 'text', text: 'So' }] }, { content: '.' }],
    ],
    [
      'all parts in one',
      [{ content: [thinking, { type: 'reference', reference_ids: [1] }, { type: 'text', text: 'So.' }] }],
    ],
    [
      'thinking as a text',
      [
        {
          content: [
            { type: 'thinking', thinking: 'hm' },
            { type: 'text', text: 'So.' },
          ],
        },
      ],
    ],
    [
      'parts of the responses kind',
      [
        {
          content: [
            { type: 'reasoning', summary: [{ text: 'hm' }] },
            { type: 'output_text', text: 'So.' },
          ],
        },
      ],
    ],
    ['one part alone', [{ reasoning: 'hm', content: { type: 'text', text: 'So.' } }]],
    ['plain texts in a list', [{ reasoning: 'hm', content: ['So', '.'] }]],
    ['a refusal as a part', [{ reasoning: 'hm', content: [{ type: 'refusal', refusal: 'So.' }] }]],
    ['a refusal beside an empty text', [{ reasoning: 'hm', content: '', refusal: 'So.' }]],
    [
      'reasoning beside an empty reasoning_content',
      [{ reasoning_content: '', reasoning: 'hm' }, { content: 'So.' }],
    ],
    ['the same reasoning in two fields', [{ reasoning_content: 'hm', reasoning: 'hm' }, { content: 'So.' }]],
    ['a field `thinking`', [{ thinking: 'hm' }, { content: 'So.' }]],
    [
      'reasoning_details',
      [{ reasoning_details: [{ type: 'reasoning.text', text: 'hm' }] }, { content: 'So.' }],
    ],
    ['a text in place of the delta', [{ reasoning: 'hm' }, 'So.'] as object[]],
    ['parts in place of the delta', [{ reasoning: 'hm' }, [{ type: 'text', text: 'So.' }]]],
    ['[THINK] tags', [{ content: '[THINK]hm[/TH' }, { content: 'INK]So.' }]],
    [
      'harmony channels',
      [
        { content: '<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>fi' },
        { content: 'nal<|message|>So.' },
      ],
    ],
  ])('is read from %s', async (_, pieces) => {
    const { engine } = await open(
      {},
      sendAll(...pieces.map((piece) => delta(0, piece)), finish(0)),
      raw(
        JSON.stringify({
          choices: pieces.map((piece) => ({ index: 0, message: piece, finish_reason: 'stop' })).slice(0, 1),
        }),
      ),
    )
    expect((await collect(engine)).ends).toMatchObject([{ text: 'So.', reasoning: 'hm' }])
    if (pieces.length === 1)
      expect((await collect(engine)).ends).toMatchObject([{ text: 'So.', reasoning: 'hm' }])
  })

  it('that a last message repeats is taken once, and what only the message has is not lost', async () => {
    const last = (content: string) => ({
      choices: [{ index: 0, message: { content }, finish_reason: 'stop' }],
    })
    const { engine } = await open(
      {},
      sendAll(delta(0, 'Hello '), delta(0, 'world'), last('Hello world')),
      sendAll(delta(0, 'Hello '), last('Hello world')),
    )
    for (let i = 0; i < 2; i++) expect((await collect(engine)).ends[0]?.text).toBe('Hello world')
  })

  it('of choices without numbers, or numbered from 1, goes to all completions', async () => {
    const choice = (content: string, index?: number) => ({
      index,
      message: { content },
      finish_reason: 'stop',
    })
    const { engine } = await open(
      {},
      raw(JSON.stringify({ choices: [choice('a'), choice('b')] })),
      raw(JSON.stringify({ choices: [choice('a', 0), choice('b', 0)] })),
      sendAll(delta(1, 'b'), delta(2, 'a'), delta(1, 'b'), delta(2, 'a'), finish(1), finish(2)),
    )
    const texts = async () => (await collect(engine, { n: 2 })).ends.map((end) => end.text)
    expect([await texts(), await texts(), await texts()]).toEqual([
      ['a', 'b'],
      ['a', 'b'],
      ['aa', 'b' + 'b'],
    ])
  })

  it.each([null, 5, 'x', [], {}, [null], [5], { a: 1 }])(
    '%j where choices, a delta or a call should be breaks nothing',
    async (odd) => {
      const { engine } = await open(
        {},
        sendAll(
          { choices: odd },
          { choices: [odd] },
          { choices: [{ index: 0, delta: odd, logprobs: odd }], usage: odd },
          delta(0, { content: odd, tool_calls: odd === null ? null : [], reasoning: odd === 'x' ? '' : odd }),
          delta(0, 'Yes.'),
          finish(0),
        ),
      )
      const { ends } = await collect(engine)
      expect(ends[0]?.text).toContain('Yes.')
    },
  )
})

describe('the end', () => {
  it('is not a finish reason that comes with every piece, even if nothing is said for long', async () => {
    const { engine, asked } = await open({}, async (one) => {
      one.send(delta(0, 'Hello ', 'stop'))
      await new Promise((resolve) => setTimeout(resolve, 50))
      one.send(delta(0, 'world', 'stop'), finish(0), usage(3, 2))
      one.done()
    })
    for (const endsEarly of [false, true]) {
      expect((await collect(engine, { endsEarly })).ends).toMatchObject([{ text: 'Hello world' }])
    }
    expect(asked).toHaveLength(2)
  })

  it('is not proven by a finish reason that came with every piece if the connection breaks', async () => {
    const { engine, asked } = await open(
      {},
      async ({ response, send }) => {
        send(delta(0, 'Hello ', 'stop'))
        await new Promise((resolve) => setTimeout(resolve, 20))
        response.destroy()
      },
      say('whole'),
    )
    expect((await collect(engine)).ends).toMatchObject([{ text: 'whole', usage: { calls: 2 } }])
    expect(asked).toHaveLength(2)
  })

  it.each([
    'network_error',
    'error',
    'insufficient_system_resource',
    'upstream_error',
    'engine_overloaded',
    'timeout',
    'MALFORMED_FUNCTION_CALL',
    'aborted',
  ])('with "%s" is a failure, and the request is sent again', async (reason) => {
    const { engine } = await open({}, say('Half a sen', reason), say('whole'))
    expect((await collect(engine)).ends).toMatchObject([{ text: 'whole', usage: { calls: 2 } }])
  })

  it.each([
    ['sensitive', 'content-filter'],
    ['SAFETY', 'content-filter'],
    ['RECITATION', 'content-filter'],
    ['PROHIBITED_CONTENT', 'content-filter'],
    ['model_context_window_exceeded', 'length'],
    ['MAX_TOKENS', 'length'],
    ['end_turn', 'stop'],
    ['STOP', 'stop'],
    ['</s>', 'stop'],
    ['tool_use', 'tool-calls'],
  ])('with "%s" is %s', async (reason, expected) => {
    const { engine, asked } = await open({}, say('a', reason))
    expect((await collect(engine)).ends).toMatchObject([{ text: 'a', finishReason: expected }])
    expect(asked).toHaveLength(1)
  })

  it('with an object has its word within', async () => {
    const reason = { type: 'length' } as unknown as string
    const { engine } = await open({}, sendAll(delta(0, 'a'), finish(0, reason)))
    expect((await collect(engine)).ends).toMatchObject([{ finishReason: 'length' }])
  })

  it('for want of context with no text is a prompt that is too long', async () => {
    const { engine, asked } = await open(
      {},
      sendAll(delta(0, ''), finish(0, 'model_context_window_exceeded')),
    )
    await expect(collect(engine)).rejects.toMatchObject({ kind: 'context-overflow' })
    expect(asked).toHaveLength(1)
  })

  it('with a word that nobody knows is believed when it comes again, with a warning', async () => {
    const { engine, asked } = await open({}, say('a', 'zephyr'))
    const { ends } = await collect(engine)
    expect(ends).toMatchObject([{ text: 'a', finishReason: 'stop', usage: { calls: 2 } }])
    expect(ends[0]?.warnings).toEqual([
      'the server gave the finish reason "zephyr", which is not known: the text may not be whole',
    ])
    await collect(engine)
    expect(asked).toHaveLength(3)
  })

  it('without a finish reason is [DONE] after text, with a warning, at a server that never gives one', async () => {
    const { engine, asked } = await open({}, sendAll(delta(0, 'Hello '), delta(0, 'world'), usage(6, 2)))
    const { ends } = await collect(engine)
    expect(ends).toMatchObject([
      { text: 'Hello world', finishReason: 'stop', usage: { calls: 1, outputTokens: 2 } },
    ])
    expect(ends[0]?.warnings).toEqual(['the server gave no finish reason: the text may not be whole'])
    expect(asked).toHaveLength(1)
  })

  it('without a finish reason is no end at a server that gives them', async () => {
    const { engine, asked } = await open({ maxRetries: 2 }, say('a'), sendAll(delta(0, 'ha')))
    expect((await collect(engine)).ends).toHaveLength(1)
    expect((await collect(engine)).failures[0]?.error.message).toBe(
      'the server sent [DONE] without a finish reason',
    )
    expect(asked).toHaveLength(4)
  })

  it('as a closed connection after text is never believed, however often it comes', async () => {
    const { engine, asked } = await open({ maxRetries: 2 }, raw(event(delta(0, 'Hello'))))
    const { ends, failures } = await collect(engine)
    expect(ends).toEqual([])
    expect(failures).toHaveLength(1)
    expect(asked).toHaveLength(3)
  })
})
