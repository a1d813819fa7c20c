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
    /^keys\.txt:2: expected NAME: KEY$/,
  )
})
