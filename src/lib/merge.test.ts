import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { merge } from './merge.ts'

async function* count(name: string, to: number, turns = 1) {
  for (let i = 1; i <= to; i++) {
    for (let t = 0; t < turns; t++) await turn()
    yield `${name}${i}`
  }
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

test('each stream keeps its order, and a fast one does not wait for a slow one', async () => {
  const items = await collect(merge(() => [count('slow', 2, 20), count('fast', 3)]))
  expect(items).toEqual(['fast1', 'fast2', 'fast3', 'slow1', 'slow2'])
})

test('no streams bring nothing', async () => {
  expect(await collect(merge(() => []))).toEqual([])
})

test('a stream is not asked for its next item before the last one was taken', async () => {
  let made = 0
  async function* produce() {
    while (true) yield ++made
  }
  const merged = merge(() => [produce()])
  await merged.next()
  for (let t = 0; t < 5; t++) await turn()
  expect(made).toBe(1)
  await merged.return()
})

/** Brings one item, then nothing until the signal fires. */
async function* waitFor(signal: AbortSignal, closed: string[], name: string) {
  try {
    yield name
    while (!signal.aborted) await turn()
    yield `${name} after abort: ${signal.reason}`
  } finally {
    closed.push(name)
  }
}

test('a consumer that leaves aborts and closes every stream', async () => {
  const closed: string[] = []
  for await (const _ of merge((signal) => [waitFor(signal, closed, 'a'), waitFor(signal, closed, 'b')])) break
  expect(closed.sort()).toEqual(['a', 'b'])
})

test('a stream that throws stops the others, and its error is thrown', async () => {
  const closed: string[] = []
  async function* fail() {
    yield 'before'
    await turn()
    throw new Error('broken')
  }
  await expect(collect(merge((signal) => [waitFor(signal, closed, 'a'), fail()]))).rejects.toThrow('broken')
  expect(closed).toEqual(['a'])
})

test("the caller's abort and its reason reach the streams, whose last words are still heard", async () => {
  const caller = new AbortController()
  const items: string[] = []
  for await (const item of merge((signal) => [waitFor(signal, [], 'a')], caller.signal)) {
    items.push(item)
    caller.abort('enough')
  }
  expect(items).toEqual(['a', 'a after abort: enough'])
})
