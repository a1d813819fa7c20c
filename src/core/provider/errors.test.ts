import { describe, expect, test } from 'vitest'
import { DataError, describeError, EngineError, redact, UsageError } from './errors.ts'

describe('redact', () => {
  test.each([
    ['Incorrect API key provided: sk-proj-abc_DEF-1234567890', 'Incorrect API key provided: [hidden]'],
    ['{"authorization":"Bearer eyJhbGciOi.J9-x/y="}', '{"authorization":"Bearer [hidden]"}'],
    ['Authorization: Basic dXNlcjpwYXNz', 'Authorization: Basic [hidden]'],
    ['hf_aBcDeFgHiJkLmNoP was refused', '[hidden] was refused'],
    ['gsk_0123456789abcdef', '[hidden]'],
    ['key AIzaSyA0123456789abcdefghijklmnopqrstu', 'key [hidden]'],
    ['connect to https://me:secret@host:8000/v1 failed', 'connect to https://[hidden]@host:8000/v1 failed'],
  ])('hides the key in %j', (text, hidden) => {
    expect(redact(text)).toBe(hidden)
  })

  test.each([
    'risk-averse answers',
    'a key-value store',
    'http://127.0.0.1:8000/v1',
    'task-12',
    'the bearer of news',
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
