/** Tool calls of servers that are not OpenAI to the letter. */
import { describe, expect, it } from 'vitest'
import type { Tool } from '../../core/provider/engine.ts'
import { collect, delta, finish, open } from './openai.fixture.ts'

const tools: Tool[] = ['get_weather', 'get_time'].map((name) => ({ type: 'function', function: { name } }))
const OSLO = '{"city":"Oslo"}'
const UTC = '{"tz":"UTC"}'

type Call = { index?: number; id?: string; name?: string; args?: unknown }

/** A piece of one call, with what is given of it. */
const piece = ({ index, id, name, args }: Call) => ({
  ...(index !== undefined && { index }),
  ...(id !== undefined && { id }),
  type: 'function',
  function: { ...(name && { name }), ...(args !== undefined && { arguments: args }) },
})

const one = [['get_weather', OSLO]]
const two = [
  ['get_weather', OSLO],
  ['get_time', UTC],
]

describe('calls are put together', () => {
  it.each<[string, unknown[], string[][]]>([
    [
      'in pieces by number',
      [
        piece({ index: 0, id: 'a', name: 'get_weather', args: '' }),
        piece({ index: 1, id: 'b', name: 'get_time', args: '' }),
        piece({ index: 0, args: OSLO }),
        piece({ index: 1, args: UTC }),
      ],
      two,
    ],
    [
      'after an empty object',
      [
        piece({ index: 0, id: 'a', name: 'get_weather', args: '{}' }),
        piece({ index: 0, args: '{"city":' }),
        piece({ index: 0, args: '"Oslo"}' }),
      ],
      one,
    ],
    [
      'twice with an empty object',
      [piece({ name: 'get_weather', args: '{}' }), piece({ name: 'get_weather', args: '{}' })],
      [
        ['get_weather', '{}'],
        ['get_weather', '{}'],
      ],
    ],
    [
      'all with number 0 and other ids',
      [
        piece({ index: 0, id: 'a', name: 'get_weather', args: OSLO }),
        piece({ index: 0, id: 'b', name: 'get_time', args: UTC }),
      ],
      two,
    ],
    [
      'all with number 0 and no ids',
      [
        piece({ index: 0, name: 'get_weather', args: OSLO }),
        piece({ index: 0, name: 'get_time', args: UTC }),
      ],
      two,
    ],
    [
      'all with number 0 and one id',
      [
        piece({ index: 0, id: '0', name: 'get_weather', args: OSLO }),
        piece({ index: 0, id: '0', name: 'get_time', args: UTC }),
      ],
      two,
    ],
    [
      'without numbers, with ids',
      [piece({ id: 'a', name: 'get_weather', args: OSLO }), piece({ id: 'b', name: 'get_time', args: UTC })],
      two,
    ],
    [
      'without numbers and ids',
      [piece({ name: 'get_weather', args: OSLO }), piece({ name: 'get_time', args: UTC })],
      two,
    ],
    [
      'without numbers, in pieces',
      [
        piece({ id: 'a', name: 'get_weather' }),
        piece({ args: '{"city":' }),
        piece({ args: '"Oslo"}' }),
        piece({ id: 'b', name: 'get_time' }),
        piece({ args: UTC }),
      ],
      two,
    ],
    [
      'numbered from 1',
      [
        piece({ index: 1, id: 'a', name: 'get_weather', args: OSLO }),
        piece({ index: 2, id: 'b', name: 'get_time', args: UTC }),
      ],
      two,
    ],
    [
      'with gaps in the numbers',
      [
        piece({ index: 3, id: 'a', name: 'get_weather', args: OSLO }),
        piece({ index: 9, id: 'b', name: 'get_time', args: UTC }),
      ],
      two,
    ],
    [
      'with one id for other numbers',
      [
        piece({ index: 0, id: '0', name: 'get_weather', args: OSLO }),
        piece({ index: 1, id: '0', name: 'get_time', args: UTC }),
      ],
      two,
    ],
    [
      'the name again with each piece',
      ['', '{"city":', '"Oslo"}'].map((args) => piece({ index: 0, id: 'a', name: 'get_weather', args })),
      one,
    ],
    [
      'the name again without an id',
      ['', '{"city":', '"Oslo"}'].map((args) => piece({ index: 0, name: 'get_weather', args })),
      one,
    ],
    [
      'a name that grows',
      [
        piece({ index: 0, id: 'a', name: 'get_' }),
        piece({ index: 0, id: 'a', name: 'get_weather', args: OSLO }),
      ],
      one,
    ],
    [
      'a name in pieces',
      [piece({ index: 0, id: 'a', name: 'get_' }), piece({ index: 0, name: 'weather', args: OSLO })],
      one,
    ],
    [
      'an id of its own for each piece',
      [
        piece({ index: 0, id: 'a', name: 'get_weather' }),
        piece({ index: 0, id: 'b', args: '{"city":' }),
        piece({ index: 0, id: 'c', args: '"Oslo"}' }),
      ],
      one,
    ],
    [
      'another number for each piece',
      [
        piece({ index: 0, id: 'a', name: 'get_weather' }),
        piece({ index: 1, args: '{"city":' }),
        piece({ index: 2, args: '"Oslo"}' }),
      ],
      one,
    ],
    [
      'the arguments again at the end',
      [
        piece({ index: 0, id: 'a', name: 'get_weather', args: OSLO }),
        piece({ index: 0, id: 'a', name: 'get_weather', args: OSLO }),
      ],
      one,
    ],
    [
      'arguments as an object',
      [piece({ index: 0, id: 'a', name: 'get_weather', args: { city: 'Oslo' } })],
      one,
    ],
    [
      'null for what is absent',
      [
        { index: 0, id: 'a', function: { name: 'get_weather', arguments: null } },
        { index: 0, id: null, function: { name: null, arguments: OSLO } },
      ],
      one,
    ],
    ['without the field `function`', [{ id: 'a', name: 'get_weather', arguments: { city: 'Oslo' } }], one],
    [
      'the same tool twice',
      [
        piece({ index: 0, id: 'a', name: 'get_weather', args: OSLO }),
        piece({ index: 0, id: 'b', name: 'get_weather', args: '{}' }),
      ],
      [
        ['get_weather', OSLO],
        ['get_weather', '{}'],
      ],
    ],
    [
      'the same tool twice without ids',
      [piece({ name: 'get_weather', args: OSLO }), piece({ name: 'get_weather', args: '{}' })],
      [
        ['get_weather', OSLO],
        ['get_weather', '{}'],
      ],
    ],
    [
      'calls without arguments',
      [piece({ index: 0, name: 'get_weather', args: '' }), piece({ index: 0, name: 'get_time', args: '' })],
      [
        ['get_weather', ''],
        ['get_time', ''],
      ],
    ],
  ])('%s', async (_, pieces, expected) => {
    const streamed = pieces.map((call) => delta(0, { tool_calls: [call] }))
    const { engine } = await open({}, (asked) => {
      asked.send(...streamed, finish(0, 'tool_calls'))
      asked.done()
    })
    const { ends, events } = await collect(engine, { tools })
    const calls = ends[0]?.toolCalls ?? []
    expect(calls.map(({ function: { name, arguments: args } }) => [name, args])).toEqual(expected)
    expect(ends[0]?.finishReason).toBe('tool-calls')
    expect(new Set(calls.map(({ id }) => id)).size).toBe(expected.length)
    // What was streamed is the same, at positions from 0 without gaps.
    const sums: string[][] = []
    for (const event of events) {
      if (event.type !== 'tool-call-delta') continue
      const { position, name = '', arguments: args = '' } = event.delta
      expect(position).toBeLessThanOrEqual(sums.length)
      const [oldName = '', oldArgs = ''] = sums[position] ?? []
      sums[position] = [oldName + name, oldArgs + args]
    }
    expect(sums).toEqual(expected)
  })

  it.each<[string, object]>([
    ['a list', { tool_calls: [piece({ id: '0', name: 'get_weather', args: { city: 'Oslo' } })] }],
    ['one object', { tool_calls: piece({ id: '0', name: 'get_weather', args: { city: 'Oslo' } }) }],
    ['an object by number', { tool_calls: { 0: piece({ id: '0', name: 'get_weather', args: OSLO }) } }],
    ['the older function_call', { function_call: { name: 'get_weather', arguments: OSLO } }],
  ])('from %s, streamed or whole', async (_, fields) => {
    const whole = { choices: [{ index: 0, message: { content: null, ...fields }, finish_reason: 'stop' }] }
    const { engine } = await open(
      {},
      (asked) => {
        asked.send(delta(0, fields), finish(0, 'function_call'))
        asked.done()
      },
      (asked) => asked.refuse(200, whole),
    )
    for (let i = 0; i < 2; i++) {
      const { ends } = await collect(engine, { tools })
      expect(ends[0]?.toolCalls).toMatchObject([
        { type: 'function', function: { name: 'get_weather', arguments: OSLO } },
      ])
      expect(ends[0]?.finishReason).toBe('tool-calls')
    }
  })

  it('an older call in pieces', async () => {
    const { engine } = await open({}, (asked) => {
      asked.send(delta(0, { function_call: { name: 'get_weather', arguments: '' } }))
      asked.send(
        delta(0, { function_call: { arguments: '{"city":' } }),
        delta(0, { function_call: { arguments: '"Oslo"}' } }),
      )
      asked.send(finish(0, 'function_call'))
      asked.done()
    })
    expect((await collect(engine, { tools })).ends[0]?.toolCalls).toMatchObject([
      { function: { name: 'get_weather', arguments: OSLO } },
    ])
  })
})

describe('what a server adds to a call for itself', () => {
  const signature = { google: { thought_signature: 'c2lnbmVk' } }
  const ask = async (...pieces: object[]) => {
    const { engine } = await open({}, (asked) => {
      for (const one of pieces) asked.send(delta(0, { tool_calls: [one] }))
      asked.send(finish(0, 'tool_calls'))
      asked.done()
    })
    return collect(engine, { tools })
  }

  it('stays with the call, and streams with it', async () => {
    const { ends, events } = await ask({
      ...piece({ id: 'a', name: 'get_weather', args: OSLO }),
      extra_content: signature,
    })
    expect(ends[0]?.toolCalls).toMatchObject([{ extra_content: signature }])
    expect(events.find((e) => e.type === 'tool-call-delta')).toMatchObject({
      delta: { extra_content: signature },
    })
  })

  it('may come in a later piece', async () => {
    const { ends, events } = await ask(piece({ index: 0, id: 'a', name: 'get_weather', args: OSLO }), {
      index: 0,
      function: { arguments: '' },
      extra_content: signature,
    })
    expect(ends[0]?.toolCalls).toMatchObject([{ function: { arguments: OSLO }, extra_content: signature }])
    expect(events.filter((e) => e.type === 'tool-call-delta').at(-1)).toMatchObject({
      delta: { extra_content: signature },
    })
  })

  it('is dropped if it is no object, or larger than 64 kB', async () => {
    for (const extra_content of ['text', null, { google: 'x'.repeat(70_000) }]) {
      const { ends } = await ask({ ...piece({ id: 'a', name: 'get_weather', args: OSLO }), extra_content })
      expect(ends[0]?.toolCalls?.[0]).not.toHaveProperty('extra_content')
    }
  })
})
