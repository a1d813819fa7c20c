import { expect, test } from 'vitest'
import { type Message, textOf } from '../core/provider/engine.ts'
import { createTokenBound } from './token-bound.ts'

const ask = (content: string): Message[] => [{ role: 'user', content }]

test('a word counts as its bytes until it was seen four times, then it is tokenized once', async () => {
  const counted: string[] = []
  const bound = createTokenBound(async (messages) => {
    const content = messages.map(textOf).join('')
    counted.push(content)
    return 10 + content.replace(/^x\n?/, '').length / 2
  })
  const [margin, reserve] = [64, 1.02]
  const words = (n: number) => Array.from({ length: n }, () => ' elephant').join('')
  expect(await bound(ask(words(3)))).toBe(Math.ceil((3 * 9 + 16) * reserve) + margin)
  expect(counted).toEqual([])
  expect(await bound(ask(words(2)))).toBe(Math.ceil((2 * 4.5 + 16) * reserve) + margin)
  expect(counted).toEqual(['x', 'x elephant'])
  await bound(ask(words(50)))
  expect(counted).toHaveLength(2)
  await bound(ask(Array.from({ length: 5 }, () => 'owl').join('\n')))
  expect(counted.slice(2)).toEqual(['x\n', 'x\nowl', 'x\n'])
})
