import { expect, test } from 'vitest'
import { findAgreement } from '../../../analyze/agreement.ts'
import { comparedFinals, disputesOf, doDisagree } from './differences.ts'

const sentence = (value: string) => `Blue light is scattered about ${value} times as strongly as red.`

test('a value that only one proposal has is no disagreement, even if the answer has another', () => {
  const found = findAgreement(
    [`${sentence('ten')} So far.`, 'The sea has no part in it at all.'],
    sentence('five'),
  )
  expect(found.points.flatMap((p) => p.differences)).toHaveLength(1)
  expect(found.points.flatMap(disputesOf)).toEqual([])
  expect(doDisagree(found)).toBe(false)
})

test('two proposals with different values disagree, whatever the answer says', () => {
  const drafts = [`${sentence('ten')} So far.`, `${sentence('five')} So near.`]
  for (const answer of [undefined, sentence('ten'), 'It is the air.']) {
    expect(doDisagree(findAgreement(drafts, answer))).toBe(true)
  }
})

test('short endings that differ are a disagreement, long ones are sentences of their own', () => {
  expect(doDisagree(findAgreement(['Paris.', 'Lyon.']))).toBe(true)
  expect(comparedFinals(findAgreement(['Paris.', 'Lyon.', 'Paris'])).map((v) => v.text)).toEqual([
    'paris',
    'lyon',
  ])
  const unlike = findAgreement(['The sea is wide and blue.', 'Waves never sleep at night.'])
  expect(unlike.finals).toHaveLength(2)
  expect(comparedFinals(unlike)).toEqual([])
  expect(doDisagree(unlike)).toBe(false)
})
