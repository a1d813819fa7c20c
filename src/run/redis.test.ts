import { expect, test } from 'vitest'
import { redact, UsageError } from '../core/provider/errors.ts'
import { checkVersion, readAddress } from './redis.ts'

test('an address has host, port, database, user and password; the password may be in the environment', () => {
  const { options, place } = readAddress('rediss://me:s%40cret-word@[::1]:6380/2')
  expect(options).toMatchObject({
    host: '::1',
    port: 6380,
    db: 2,
    username: 'me',
    password: 's@cret-word',
    tls: {},
  })
  expect(place).toBe('[::1]:6380/2')
  expect(readAddress('redis://h', ' from-env ').options).toMatchObject({
    port: 6379,
    db: 0,
    password: 'from-env',
  })
})

test.each(['http://h:6379', 'localhost:6379', '', 'redis://h/name'])('%j is no address', (address) => {
  expect(() => readAddress(address)).toThrow(UsageError)
})

test('a password is in no message, whether it is as in the address or decoded, with and without a user', () => {
  readAddress('redis://:hidden%2Fpass-1@h:1/0')
  expect(redact('a hidden/pass-1 b hidden%2Fpass-1')).toBe('a [hidden] b [hidden]')
  expect(redact('redis://:short@h:1/0')).toBe('redis://[hidden]@h:1/0')
})

test('a server that is too old, and what is no Redis, is refused', () => {
  for (const version of ['6.2.0', '7.0.15', '10.0']) checkVersion(`redis_version:${version}\r\n`, 'h')
  const tooOld = 'expected Redis 6.2 or newer, or Valkey, got 6.0.16'
  expect(() => checkVersion('# Server\r\nredis_version:6.0.16\r\n', 'h')).toThrow(tooOld)
  expect(() => checkVersion('hello', 'h')).toThrow('or Valkey, got 0')
})
