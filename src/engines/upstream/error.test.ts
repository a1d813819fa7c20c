import { expect, test } from 'vitest'
import { errorFromConnection, errorFromResponse, errorFromStatus } from './error.ts'

test.each([
  [401, 'no', 'auth', false],
  [402, 'pay', 'billing', false],
  [404, 'no such model', 'not-found', false],
  [408, 'slow', 'timeout', true],
  [409, 'conflict', 'refused', true],
  [422, 'n must be 1', 'refused', false],
  [429, 'slow down', 'rate-limit', true],
  [429, 'You exceeded your current quota: insufficient_quota', 'billing', false],
  [501, 'not implemented', 'server', false],
  [503, 'busy', 'server', true],
  [529, 'overloaded', 'server', true],
  [500, 'Jinja Exception: Conversation roles must alternate', 'refused', false],
])('status %i with "%s" is %s, to be sent again: %s', (status, message, kind, isRetryable) => {
  expect(errorFromStatus('e', status, message)).toMatchObject({ kind, status, isRetryable, engine: 'e' })
})

test.each([
  [
    "This model's maximum context length is 4096 tokens. However, your messages resulted in 5012 tokens.",
    5012,
  ],
  [
    "This model's maximum context length is 4096 tokens. However, you requested 6000 tokens (5012 in the messages, 988 in the completion).",
    5012,
  ],
  [
    "'max_tokens' is too large: 1024. This model's maximum context length is 4096 tokens and your request has 5012 input tokens.",
    5012,
  ],
  ['request (5012 tokens) exceeds the available context size (4096 tokens), try increasing it', 5012],
  ['prompt is too long: 5012 tokens > 4096 maximum', 5012],
  ["This model's maximum prompt length is 4096 but the request contains 5012 tokens.", 5012],
  ['too many tokens: total number of tokens in the prompt cannot exceed 4096 - received 5012.', 5012],
  ['Prompt has too many tokens: 5012, max is 4096', 5012],
  ['Request input length 5012 is longer than the maximum model length 4096', 5012],
  ['Prompt length 5012 exceeds max_kv_size 4096', 5012],
  ['The prompt (length 5012) is longer than session_len 4096', 5012],
  ['the number of input tokens 5012 cannot exceed the total tokens limit 4096 for this model', 5012],
  ['Sequence length 5012 exceeds the maximum of 4096', 5012],
])('a prompt that is too long is a context overflow: %s', (message, prompt) => {
  const error = errorFromStatus('e', 400, message, { isRetryable: true })
  expect(error).toMatchObject({
    kind: 'context-overflow',
    isRetryable: false,
    tokens: { prompt, context: 4096 },
  })
})

test.each([
  "Invalid 'messages[1].tool_calls[0].id': string too long. Expected a string with maximum length 40.",
  "Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with length 5.",
  'stop: at most 4 sequences, the maximum length of each is 20',
])('a field that is too long is no context overflow: %s', (message) => {
  expect(errorFromStatus('e', 400, message).kind).toBe('refused')
})

test.each([
  ['<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>', '502: 502 Bad Gateway'],
  ['<?xml version="1.0"?><Error><Code>X</Code><Message>slow down</Message></Error>', '502: slow down'],
  ['<!doctype html><style>p {}</style><p>Try <b>later</b>', '502: Try later'],
  ['{"statusCode":502,"error":"Bad Gateway","message":"the engine is down"}', '502: the engine is down'],
  [`${'{"error":'.repeat(9_000)}1${'}'.repeat(9_000)}`, '502: the server gives no reason'],
])('the message of a body is its words: %s', (body, message) => {
  expect(errorFromResponse('e', new Response(null, { status: 502 }), body).message).toBe(message)
})

test('a message never shows a key', () => {
  expect(errorFromStatus('e', 401, 'Incorrect API key provided: sk-abcdefgh1234').message).toBe(
    '401: Incorrect API key provided: [hidden]',
  )
})

test('the message of a broken connection is its innermost cause', async () => {
  const cause = await fetch('http://127.0.0.1:2/').catch((error: unknown) => error)
  expect(errorFromConnection('e', cause)).toMatchObject({ kind: 'unreachable', isRetryable: true })
  const refused = new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED 127.0.0.1:9') })
  expect(errorFromConnection('e', refused).message).toBe(
    'the connection failed: connect ECONNREFUSED 127.0.0.1:9',
  )
})

test('a port that fetch refuses is not retried', async () => {
  const cause = await fetch('http://127.0.0.1:9/v1').catch((error: unknown) => error)
  const error = errorFromConnection('a', cause)
  expect(error).toMatchObject({ kind: 'unreachable', isRetryable: false })
  expect(error.message).toMatch(/HTTP clients refuse this port/)
})
