import { describe, expect, it } from 'vitest'
import type { CompletionRequest, Message, Sampling, Tool } from '../../core/provider/engine.ts'
import { type Asked, collect, model, open } from './openai.fixture.ts'

const sampling: Sampling = { maxTokens: 8, temperature: 0.7, topP: 0.9, reasoning: 'low' }
const openaiSays = (field: string) => ({
  error: { message: `Unsupported value: '${field}' is not supported with this model.`, param: field },
})
/** In the shape of Mistral: only the path names the field. */
const pydanticSays = (field: string) => ({
  object: 'error',
  message: {
    detail: [
      {
        type: 'extra_forbidden',
        loc: ['body', field],
        msg: 'Extra inputs are not permitted',
        input: 'x'.repeat(400),
      },
    ],
  },
})
const googleSays = (field: string) => [
  {
    error: {
      code: 400,
      message: `Invalid JSON payload received. Unknown name "${field}": Cannot find field.`,
    },
  },
]

type Says = (field: string) => object

function refusing(fields: string[], says: Says, status = 400) {
  return (asked: Asked) => {
    const field = fields.find((name) => name in asked.body)
    return field ? asked.refuse(status, says(field)) : model()(asked)
  }
}

describe('a field that a server refuses', () => {
  it.each<[string[], Says, number]>([
    [['seed'], pydanticSays, 422],
    [['seed'], googleSays, 400],
    [['stream_options'], openaiSays, 400],
    [['temperature', 'top_p', 'seed'], openaiSays, 400],
    [['reasoning_effort'], openaiSays, 400],
    [['user', 'prompt_cache_key'], openaiSays, 400],
  ])('is left out, once for all requests, and each end warns of it: %s', async (fields, says, status) => {
    const { engine, asked } = await open({}, refusing(fields, says, status))
    const passed = { user: 'me', prompt_cache_key: 'k' }
    const { ends } = await collect(engine, { sampling, passed, n: 2 })
    expect(ends).toHaveLength(2)
    for (const { warnings } of ends) {
      expect(warnings).toHaveLength(fields.length)
      for (const field of fields)
        expect(warnings?.join()).toContain(`refuses \`${field}\`, so it is left out`)
    }
    expect(asked).toHaveLength(fields.length + 1)
    await collect(engine, { sampling, passed })
    expect(asked).toHaveLength(fields.length + 2)
    const all = [
      'seed',
      'stream_options',
      'temperature',
      'top_p',
      'reasoning_effort',
      'user',
      'prompt_cache_key',
    ]
    expect(all.filter((name) => !(name in (asked.at(-1)?.body ?? {})))).toEqual(
      all.filter((name) => fields.includes(name)),
    )
  })

  it.each<[string, object | string, number?]>([
    [
      'in words with a list of what is known',
      `Failed to deserialize: unknown field \`top_k\`, expected one of \`model\`, \`seed\`, \`stream_options\`, \`temperature\``,
      422,
    ],
    [
      'in words with a list of what is supported',
      {
        error: {
          message:
            'Unsupported parameter: top_k. Supported parameters are: seed, temperature, top_p, stream_options',
        },
      },
    ],
    ['in an old path', { detail: [{ loc: ['body', 'top_k'], msg: 'extra fields not permitted' }] }, 422],
    ['in a pointer', { errors: [{ source: { pointer: '/top_k' }, detail: 'not allowed' }] }],
    ['among keys', { error: { issues: [{ code: 'unrecognized_keys', keys: ['top_k'], path: [] }] } }],
    ['in a list', { error: { message: 'Invalid parameters', param: ['top_k'] } }],
    [
      'beside the error',
      {
        error: 'Bad Request',
        message: 'wrong body',
        validation: [{ params: { additionalProperty: 'top_k' } }],
      },
    ],
    [
      'in violations',
      { error: { message: 'Invalid argument', details: [{ fieldViolations: [{ field: 'top_k' }] }] } },
    ],
    [
      'after many words',
      { error: { message: `litellm.BadRequestError: ${'x '.repeat(300)} top_k is not supported` } },
    ],
  ])('is found %s, and nothing else is left out', async (_, body, status = 400) => {
    const { engine, asked } = await open({}, (one) =>
      'top_k' in one.body ? one.refuse(status, body) : model()(one),
    )
    expect((await collect(engine, { sampling: { ...sampling, topK: 5 } })).ends).toHaveLength(1)
    const [before, after] = asked.map((one) => Object.keys(one.body))
    expect(before?.filter((field) => !after?.includes(field))).toEqual(['top_k'])
    expect(asked).toHaveLength(2)
  })

  it('is no warning for a request that does not have it', async () => {
    const { engine } = await open({}, refusing(['temperature'], openaiSays))
    await collect(engine, { sampling })
    const { ends } = await collect(engine)
    expect(ends.map((end) => end.warnings)).toEqual([undefined])
  })

  it('is the later one of two that exclude each other', async () => {
    const message = '`temperature` and `top_p` cannot both be specified for this model. Please use only one.'
    const { engine, asked } = await open({}, (one) =>
      'temperature' in one.body && 'top_p' in one.body
        ? one.refuse(400, { error: { message } })
        : model()(one),
    )
    expect((await collect(engine, { sampling })).ends).toHaveLength(1)
    expect(asked.at(-1)?.body).toMatchObject({ temperature: 0.7 })
  })

  it('is the stream: answers come whole then, and strict requests as well', async () => {
    for (const message of [
      'Your organization must be verified to stream this model.',
      'Streaming is not supported for this model',
      "Unsupported value: 'stream' does not support true with this model.",
    ]) {
      const whole = { choices: [{ index: 0, message: { content: 'All of it.' }, finish_reason: 'stop' }] }
      const { engine, asked } = await open({}, ({ body, refuse }) =>
        refuse(body.stream ? 400 : 200, body.stream ? { error: { message } } : whole),
      )
      const { ends } = await collect(engine, { strict: true })
      expect(ends).toMatchObject([
        { text: 'All of it.', warnings: [expect.stringContaining('answers come whole')] },
      ])
      expect(asked.at(-1)?.body).not.toHaveProperty('stream_options')
    }
  })

  it('is not the stream if a refusal only mentions one', async () => {
    const message = 'Error in upstream: the stream broke'
    const { engine, asked } = await open({}, (one) => one.refuse(400, { error: { message } }))
    expect((await collect(engine)).failures).toHaveLength(1)
    expect(asked).toHaveLength(1)
  })

  it('is an error in a strict request if the caller set it, and left out if the engine added it', async () => {
    const { engine, asked } = await open({}, refusing(['seed', 'temperature'], openaiSays))
    const { failures } = await collect(engine, { sampling, strict: true })
    expect(failures.map(({ error }) => error.message)).toEqual([
      "400: Unsupported value: 'temperature' is not supported with this model.",
    ])
    expect(asked.map(({ body }) => 'seed' in body)).toEqual([true, false])
    await collect(engine, { sampling })
    expect((await collect(engine, { sampling, strict: true })).failures).toHaveLength(1)
  })

  it('stays an error if it changes what is asked for', async () => {
    const { engine, asked } = await open({}, refusing(['stop'], openaiSays))
    expect((await collect(engine, { stop: ['x'] })).failures).toHaveLength(1)
    expect(asked).toHaveLength(1)
  })

  it('is not guessed from a word of plain English', async () => {
    const message = 'After the optional system message, roles must be user and assistant'
    const { engine, asked } = await open({}, (one) => one.refuse(400, { error: { message } }))
    expect((await collect(engine, { passed: { user: 'me' } })).failures).toHaveLength(1)
    expect(asked).toHaveLength(1)
  })
})

const user = (content: string): Message => ({ role: 'user', content })
const system = (content: string): Message => ({ role: 'system', content })
const toolTurns: Message[] = [
  user('Weather in Oslo?'),
  {
    role: 'assistant',
    content: null,
    tool_calls: [
      { id: 'a', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Oslo"}' } },
    ],
  },
  { role: 'tool', tool_call_id: 'a', content: '12 degrees' },
]

const tools: Tool[] = [{ type: 'function', function: { name: 'f' } }]
const calling = (id: string, more: object = {}): Message => ({
  role: 'assistant',
  content: null,
  tool_calls: [{ id, type: 'function', function: { name: 'f', arguments: '{}' }, ...more }],
})
const result = (id: string): Message => ({ role: 'tool', tool_call_id: id, content: '12 degrees' })

type Rule = (messages: Message[], body: Asked['body']) => boolean
const rolesOf = (messages: Message[]) => messages.map(({ role }) => role)

describe('messages that a server refuses', () => {
  it.each<[string, string, Rule, Message[], Message[]]>([
    [
      'a blank system message',
      'system: text content blocks must contain non-whitespace text',
      (messages) => messages.some((m) => String(m.content).trim() === ''),
      [system('\n'), user('Hi')],
      [user('Hi')],
    ],
    [
      'a system message',
      'System role not supported',
      (messages) => rolesOf(messages).includes('system'),
      [system('Be brief.'), user('Hi')],
      [user('Be brief.\n\nHi')],
    ],
    [
      'a system message, told as wrong order',
      'Conversation roles must alternate user/assistant/user/assistant/...',
      (messages) => rolesOf(messages).includes('system'),
      [system('Be brief.'), user('Hi')],
      [user('Be brief.\n\nHi')],
    ],
    [
      'a system message that is not the first',
      'System message must be at the beginning.',
      (messages) => rolesOf(messages).lastIndexOf('system') > 0,
      [user('Hi'), system('Be brief.'), user('Well?')],
      [system('Be brief.'), user('Hi'), user('Well?')],
    ],
    [
      'a developer message',
      "Unexpected role 'developer'",
      (messages) => rolesOf(messages).includes('developer'),
      [{ role: 'developer', content: 'Be brief.' }, user('Hi')],
      [system('Be brief.'), user('Hi')],
    ],
    [
      'two turns of one role in a row',
      'roles must alternate between "user" and "assistant", but found multiple "user" roles in a row',
      (messages) => messages.some(({ role }, i) => role === messages[i - 1]?.role),
      [user('Hi'), user('Drafts: a, b')],
      [user('Hi\n\nDrafts: a, b')],
    ],
    [
      "a user's turn after a tool's result",
      "Unexpected role 'user' after role 'tool'",
      (messages) => messages.some(({ role }, i) => role === 'user' && messages[i - 1]?.role === 'tool'),
      [...toolTurns, user('Drafts: a, b')],
      [...toolTurns.slice(0, 2), { ...toolTurns[2], content: '12 degrees\n\nDrafts: a, b' } as Message],
    ],
    [
      'turns of tools without tools',
      'Requests which include `tool_use` or `tool_result` blocks must define tools',
      (messages, body) => messages.some((m) => m.tool_calls || m.role === 'tool') && !body.tools,
      toolTurns,
      [
        user('Weather in Oslo?'),
        { role: 'assistant', content: 'Call of get_weather: {"city":"Oslo"}' },
        user('Result of get_weather: 12 degrees'),
      ],
    ],
    [
      'ids of calls that are not its own',
      'Tool call id was toolu_1 but must be a-z, A-Z, 0-9, with a length of 9.',
      (messages) => messages.some((m) => m.tool_calls?.some(({ id }) => !/^\w{9}$/.test(id))),
      [user('Hi'), calling('toolu_1'), result('toolu_1')],
      [user('Hi'), calling('1097g1exy'), result('1097g1exy')],
    ],
    [
      'calls without a signature',
      'Function call is missing a thought_signature in functionCall parts.',
      (messages) => messages.some((m) => m.tool_calls?.some((one) => !one.extra_content)),
      [user('Hi'), calling('a'), result('a')],
      [
        user('Hi'),
        calling('a', {
          extra_content: { google: { thought_signature: 'skip_thought_signature_validator' } },
        }),
        result('a'),
      ],
    ],
    [
      'calls that were signed and are refused all the same',
      'Function call is missing a thought_signature in functionCall parts.',
      (messages) => messages.some((m) => m.tool_calls),
      [user('Hi'), calling('a', { extra_content: { google: { thought_signature: 'x' } } }), result('a')],
      [user('Hi'), { role: 'assistant', content: 'Call of f: {}' }, user('Result of f: 12 degrees')],
    ],
    [
      'calls without the reasoning before them',
      'Missing `reasoning_content` field in the assistant message at message index 1.',
      (messages) => messages.some((m) => m.role === 'assistant' && m.reasoning_content === undefined),
      [user('Hi'), { ...calling('a'), reasoning_content: 'Hm.' }, result('a'), calling('b'), result('b')],
      [
        user('Hi'),
        { ...calling('a'), reasoning_content: 'Hm.' },
        result('a'),
        { ...calling('b'), reasoning_content: '' },
        result('b'),
      ],
    ],
    [
      'names of those who speak',
      "'messages.0' : for 'role:user' the following must be satisfied[('messages.0.name' : property 'name' is unsupported)]",
      (messages) => messages.some((m) => 'name' in m),
      [{ ...user('Hi'), name: 'Ada' }, { role: 'assistant', content: 'Ho', name: 'x' }, user('Well?')],
      [user('Ada:\n\nHi'), { role: 'assistant', content: 'Ho' }, user('Well?')],
    ],
    [
      'a user right after a tool',
      "Unexpected role 'user' after role 'tool'",
      (messages) => messages.some((m, i) => m.role === 'user' && messages[i - 1]?.role === 'tool'),
      [user('Hi'), calling('a'), { ...result('a'), name: 'f' }, user('Well?')],
      [user('Hi'), calling('a'), { ...result('a'), name: 'f', content: '12 degrees\n\nWell?' }],
    ],
    [
      'content in parts',
      'messages[0].content: invalid type: sequence, expected a string',
      (messages) => messages.some((m) => Array.isArray(m.content)),
      [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Hi' },
            { type: 'text', text: 'there' },
          ],
        },
      ],
      [user('Hi\nthere')],
    ],
    [
      'no content beside calls',
      "Invalid 'messages.1.content': expected a string, got null",
      (messages) => messages.some((m) => m.content === null),
      [user('Hi'), calling('a'), result('a')],
      [user('Hi'), { ...calling('a'), content: '' }, result('a')],
    ],
    [
      'fields that it does not know',
      "Additional properties are not allowed ('timestamp' was unexpected) - 'messages.0'",
      (messages) => messages.some((m) => 'timestamp' in m || m.tool_calls?.some((one) => 'index' in one)),
      [{ ...user('Hi'), timestamp: 5, name: 'Ada' }, calling('a', { index: 0 }), result('a')],
      [{ ...user('Hi'), name: 'Ada' }, calling('a'), result('a')],
    ],
    [
      'turns that say nothing',
      'messages.1: all messages must have non-empty content',
      (messages) => messages.some((m) => m.content === ''),
      [
        user('Hi'),
        { role: 'assistant', content: '' },
        user('Hi?'),
        { ...calling('a'), content: '' },
        result('a'),
      ],
      [user('Hi'), user('Hi?'), calling('a'), result('a')],
    ],
  ])(
    '%s: they are rewritten once for all requests, and each end warns of it',
    async (_, message, rule, messages, rewritten) => {
      const { engine, asked } = await open({}, (one) =>
        rule(one.body.messages, one.body) ? one.refuse(400, { error: { message } }) : model()(one),
      )
      const hasCalls = messages.some((m) => m.tool_calls) && messages !== toolTurns
      const request: Partial<CompletionRequest> = { messages, ...(hasCalls && { tools }) }
      const { ends } = await collect(engine, request)
      expect(asked.at(-1)?.body.messages).toEqual(rewritten)
      expect(ends.map((end) => end.warnings?.length)).toEqual([1])
      await collect(engine, request)
      expect(asked).toHaveLength(3)
      expect((await collect(engine, { messages: [user('Hi')] })).ends[0]?.warnings).toBeUndefined()
    },
  )

  it('are rewritten if llama-server says with status 500 that the chat template refuses them', async () => {
    const message =
      '\n------------\nWhile executing CallExpression at line 189, column 32 in source:\n...== 0) %}↵            ' +
      "{{- raise_exception('After the optional system message, con...\n                                           ^\n" +
      'Error: Jinja Exception: After the optional system message, conversation roles must alternate user and assistant ' +
      'roles except for tool calls and results.'
    const { engine, asked } = await open({}, (one) => {
      const spoken = one.body.messages.filter((m: Message) => m.role !== 'tool' && !m.tool_calls)
      const isWrong = spoken.some(({ role }: Message, i: number) => (role === 'user') !== (i % 2 === 0))
      return isWrong ? one.refuse(500, { error: { code: 500, message, type: 'server_error' } }) : model()(one)
    })
    const drafts = user('Drafts: a, b')
    expect((await collect(engine, { messages: [user('Hi'), drafts] })).ends).toHaveLength(1)
    expect(asked.at(-1)?.body.messages).toEqual([user('Hi\n\nDrafts: a, b')])
    const tools = [{ type: 'function' as const, function: { name: 'get_weather' } }]
    expect((await collect(engine, { messages: [...toolTurns, drafts], tools })).ends).toHaveLength(1)
    expect(asked.at(-1)?.body.messages.at(-1)?.content).toBe('12 degrees\n\nDrafts: a, b')
    expect(asked).toHaveLength(4)
  })

  it('are rewritten again if the server refuses them still', async () => {
    const { engine, asked } = await open({}, (one) => {
      const roles = rolesOf(one.body.messages)
      const isWrong = roles.includes('system') || roles.some((role, i) => role === roles[i - 1])
      return isWrong ? one.refuse(400, { error: { message: 'roles must alternate' } }) : model()(one)
    })
    const { ends } = await collect(engine, { messages: [system('Be brief.'), user('Hi'), user('Well?')] })
    expect(asked.at(-1)?.body.messages).toEqual([user('Be brief.\n\nHi\n\nWell?')])
    expect(ends[0]?.warnings).toHaveLength(2)
  })

  it('are the error of the server if no rewriting helps', async () => {
    const refusal = { error: { message: 'System role not supported' } }
    const { engine, asked } = await open({}, (one) => one.refuse(400, refusal))
    const { failures } = await collect(engine, { messages: [system('Be brief.'), user('Hi')] })
    expect(failures.map(({ error }) => error.message)).toEqual(['400: System role not supported'])
    expect(asked).toHaveLength(2)
  })
})

it('fields of answers are not sent as questions', async () => {
  const { engine, asked } = await open({}, model())
  const answer = {
    role: 'assistant',
    content: 'Ho',
    name: 'n',
    refusal: null,
    annotations: [],
    reasoning_content: 'Hm',
  }
  await collect(engine, { messages: [user('Hi'), answer as Message, user('Well?')] })
  expect(asked[0]?.body.messages[1]).toEqual({ role: 'assistant', content: 'Ho', name: 'n' })
})
