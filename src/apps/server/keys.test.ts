import { expect, test } from 'vitest'
import { redact } from '../../core/provider/errors.ts'
import { createKeyCheck, parseKeys } from './keys.ts'

test('a key of a client is hidden from then on, in every error and every line of the log', () => {
  const text = 'the header was: correct-horse-battery'
  expect(redact(text)).toBe(text)
  const check = createKeyCheck({ team: 'correct-horse-battery' })
  expect(redact(text)).toBe('the header was: [hidden]')
  expect(check('Bearer correct-horse-battery')).toBe('team')
  expect(() => check('Bearer another')).toThrow('the API key is wrong')
})

test('a broken line of a key file is named by its number, without its text', () => {
  expect(() => parseKeys('# all\nteam correct-horse-battery\n', 'keys.txt')).toThrow(
    /^keys\.txt:2: expected NAME: KEY, or NAME: KEY requests-per-minute=60$/,
  )
})

test('a key file may give a key limits of its own', () => {
  const text = 'a: correct-horse-battery\nb: another-horse tokens-per-day=1000 cost-per-day=0.5\n'
  expect(parseKeys(text, 'keys.txt')).toEqual({
    keys: { a: 'correct-horse-battery', b: 'another-horse' },
    limits: { b: { tokensPerDay: 1000, costPerDay: 0.5 } },
  })
  expect(() => parseKeys('b: another-horse tokens=1', 'keys.txt')).toThrow(/^keys\.txt:1: .*tokens-per-day/)
  expect(() => parseKeys('b: another-horse running=-1', 'keys.txt')).toThrow(
    'keys.txt:1: running: expected a number above 0',
  )
})
