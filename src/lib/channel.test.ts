import { expect, test } from 'vitest'
import { createChannel } from './channel.ts'

test('items come in order, those of before the reading and those of after', async () => {
  const channel = createChannel<number>()
  channel.push(1)
  channel.push(2)
  const seen: number[] = []
  const reading = (async () => {
    for await (const item of channel) {
      seen.push(item)
      if (item === 2) setTimeout(() => [3, 4, 5].forEach(channel.push), 5)
      if (item === 5) channel.end()
    }
  })()
  await reading
  expect(seen).toEqual([1, 2, 3, 4, 5])
})

test('an error comes after the items, once', async () => {
  const channel = createChannel<string>()
  channel.push('a')
  channel.end(new Error('broken'))
  channel.push('late')
  channel.end(new Error('another'))
  const reader = channel[Symbol.asyncIterator]()
  expect(await reader.next()).toEqual({ done: false, value: 'a' })
  await expect(reader.next()).rejects.toThrow('broken')
  expect(await reader.next()).toEqual({ done: true, value: undefined })
})

test('an end reaches a reader that waits', async () => {
  for (const error of [undefined, new Error('broken')]) {
    const channel = createChannel<string>()
    const waiting = channel[Symbol.asyncIterator]().next()
    channel.end(error)
    if (error) await expect(waiting).rejects.toThrow('broken')
    else expect(await waiting).toEqual({ done: true, value: undefined })
  }
})
