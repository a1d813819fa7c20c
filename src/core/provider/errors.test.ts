import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { DataError, describeError, EngineError, keepSecret, redact, UsageError } from './errors.ts'

describe('redact', () => {
  test.each([
    ['Incorrect API key provided: sk-proj-abc_DEF-1234567890', 'Incorrect API key provided: [hidden]'],
    ['{"authorization":"Bearer eyJhbGciOi.J9-x/y="}', '{"authorization":"Bearer [hidden]"}'],
    ['Authorization: Basic dXNlcjpwYXNz', 'Authorization: Basic [hidden]'],
    ['hf_aBcDeFgHiJkLmNoP was refused', '[hidden] was refused'],
    ['gsk_0123456789abcdef', '[hidden]'],
    ['key AIzaSyA0123456789abcdefghijklmnopqrstu', 'key [hidden]'],
    ['connect to https://me:secret@host:8000/v1 failed', 'connect to https://[hidden]@host:8000/v1 failed'],
    ['https://host/v1?api-version=1&api_key=abc#m', 'https://host/v1?api-version=1&api_key=[hidden]#m'],
    ['pplx-0123456789abcdefghijklmn', '[hidden]'],
  ])('hides the key in %j', (text, hidden) => {
    expect(redact(text)).toBe(hidden)
  })

  test.each([
    'risk-averse answers',
    'a key-value store',
    'http://127.0.0.1:8000/v1',
    'task-12',
    'the bearer of news',
    'https://host/v1?api-version=2024-10-21#pplx-70b-online',
  ])('leaves %j alone', (text) => {
    expect(redact(text)).toBe(text)
  })
})

describe('an engine error', () => {
  test('never holds a key in its message', () => {
    expect(new EngineError('e', 'auth', 'bad key sk-abcdefgh12345678').message).toBe('bad key [hidden]')
  })

  test('is retryable by its kind, unless the engine knows better', () => {
    const kinds = [
      'unreachable',
      'timeout',
      'server',
      'rate-limit',
      'auth',
      'billing',
      'context-overflow',
      'refused',
    ]
    const retryable = kinds.filter((kind) => new EngineError('e', kind as 'server', '').isRetryable)
    expect(retryable).toEqual(['unreachable', 'timeout', 'server', 'rate-limit'])
    expect(new EngineError('e', 'server', '', { isRetryable: false }).isRetryable).toBe(false)
  })
})

test('a data error says file and line', () => {
  expect(new DataError('a.jsonl', 3, 'expected JSON').message).toBe('a.jsonl:3: expected JSON')
  expect(new DataError('a.jsonl', undefined, 'is empty').message).toBe('a.jsonl: is empty')
})

test('any error is described by kind and message, as journals keep it', () => {
  const refused = new EngineError('openai', 'refused', 'no', { status: 400 })
  expect(describeError(refused)).toEqual({ kind: 'refused', message: 'no', engine: 'openai', status: 400 })
  expect(describeError(new UsageError('wrong'))).toEqual({ kind: 'usage', message: 'wrong' })
  expect(describeError(new DataError('f', 1, 'torn'))).toEqual({ kind: 'data', message: 'f:1: torn' })
  expect(describeError(new Error('Bearer abcdef1234'))).toEqual({
    kind: 'internal',
    message: 'Bearer [hidden]',
  })
  expect(describeError('thrown text')).toEqual({ kind: 'internal', message: 'thrown text' })
})

describe('no key is in an error of any kind', () => {
  const key = 'sk-abcdefgh12345678'
  const errors = (cause?: unknown) => [
    new EngineError('e', 'auth', `bad ${key}`, { cause }),
    new UsageError(`config: headers.x-key: expected a name, got "${key}"`, { cause }),
    new DataError('a.jsonl', 1, `expected JSON, got ${key}`),
  ]

  test('in its message and its stack', () => {
    for (const error of errors()) expect(inspect(error)).not.toContain(key)
  })

  test('in what caused it, at any depth', () => {
    const cause = Object.assign(new Error('no', { cause: new Error(key) }), { responseBody: 'no' })
    for (const error of errors(cause)) expect(inspect(error)).not.toContain(key)
    for (const error of errors(Object.assign(new Error('no'), { url: `https://host?key=${key}` })))
      expect(inspect(error)).not.toContain(key)
  })

  test('a cause without a key stays as it is', () => {
    const cause = new Error('ECONNREFUSED')
    expect(errors(cause).map((error) => error.cause)).toEqual([cause, cause, undefined])
  })

  test('in its record, also if the key became known later', () => {
    const late = [
      new EngineError('http://host/a-later-secret#m', 'auth', 'a-later-secret is wrong'),
      new UsageError('got "a-later-secret"'),
      new DataError('f', 1, 'a-later-secret'),
      new Error('a-later-secret'),
    ]
    keepSecret('a-later-secret')
    for (const error of late) expect(JSON.stringify(describeError(error))).not.toContain('later-secret')
  })
})
