import { expect, test } from 'vitest'
import type { Message } from '../core/provider/engine.ts'
import { findTurn } from './turn.ts'

const user = (content: Message['content']): Message => ({ role: 'user', content })
const calling = (...ids: string[]): Message => ({
  role: 'assistant',
  content: null,
  tool_calls: ids.map((id) => ({ id, type: 'function', function: { name: 'look', arguments: '{}' } })),
})
const result = (id: string): Message => ({ role: 'tool', tool_call_id: id, content: 'seen' })
const system: Message = { role: 'system', content: 'It is 12:00.' }
const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }
const before = [
  system,
  user('Hi'),
  calling('a'),
  result('a'),
  { role: 'assistant' as const, content: 'Hello' },
]
const asked = [...before, user('Look twice.')]

test.each<[string, Message[], number, string[]]>([
  ['the user has just spoken', asked, 0, []],
  ['an answer was begun by the client', [...asked, { role: 'assistant', content: 'Well' }], 0, []],
  ['a call without its result', [...asked, calling('b')], 0, ['b']],
  ['one step', [...asked, calling('b'), result('b')], 1, ['b']],
  ['one step with two calls', [...asked, calling('b', 'c'), result('b'), result('c')], 1, ['b', 'c']],
  ['two steps', [...asked, calling('b'), result('b'), calling('c'), result('c')], 2, ['b', 'c']],
  ['a result with an image', [...asked, calling('b'), result('b'), user([image])], 1, ['b']],
  [
    'a result with a reminder of the agent',
    [...asked, calling('b'), result('b'), user('<system-reminder>\nBe tidy.\n</system-reminder>')],
    1,
    ['b'],
  ],
])('%s', (_, messages, step, callIds) => {
  expect(findTurn(messages)).toMatchObject({ step, callIds, length: asked.length })
})

test('the user who speaks after a result begins a turn, with an image or a reminder too', () => {
  const step = [...asked, calling('b'), result('b')]
  for (const said of [
    'Stop.',
    [image, { type: 'text', text: 'No.' }],
    '<system-reminder>x</system-reminder> Go on.',
  ]) {
    expect(findTurn([...step, user(said as string)])).toMatchObject({
      step: 0,
      callIds: [],
      length: step.length + 1,
    })
  }
  expect(findTurn([...step, { role: 'assistant', content: 'So.' }, user([image])])).toMatchObject({ step: 0 })
})

test('a conversation without a user has no turn', () => {
  expect(findTurn([system, calling('a'), result('a')])).toBeUndefined()
})

test('the hash is that of what was said up to the turn, in any form, without system prompts', () => {
  const hash = (messages: Message[]) => findTurn(messages)?.hash
  const parts = [{ type: 'text', text: 'Look twice.', cache_control: { type: 'ephemeral' } }]
  expect(hash([...asked, calling('b'), result('b')])).toBe(hash(asked))
  expect(hash([...before.slice(1), user('Look twice.')])).toBe(hash(asked))
  expect(hash([...before, user(parts)])).toBe(hash(asked))
  expect(hash([...before, { ...user('Look twice.'), refusal: null }])).toBe(hash(asked))
  const others = [
    [...before, user('Look thrice.')],
    [...before, user([{ type: 'text', text: 'Look ' }, { type: 'text', text: 'twice.' }, image])],
    [system, user('Hello'), ...before.slice(2), user('Look twice.')],
    [user('Look twice.')],
  ]
  for (const other of others) expect(hash(other)).not.toBe(hash(asked))
  expect(findTurn(asked)?.system).not.toBe(findTurn(asked.slice(1))?.system)
})
