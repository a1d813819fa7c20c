import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type EventStream, KEEP_ALIVE_MS, streamEvents } from './sse.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})
const turn = () => new Promise((resolve) => setImmediate(resolve))

/** A stream for a test to write to, with the text that was received. */
function open() {
  let stream: EventStream | undefined
  let end = () => {}
  const onDisconnect = vi.fn()
  const response = streamEvents(
    (opened) => {
      stream = opened
      return new Promise((resolve) => {
        end = resolve
      })
    },
    { onDisconnect, headers: {} },
  )
  const reader = (response.body as ReadableStream<Uint8Array>)
    .pipeThrough(new TextDecoderStream())
    .getReader()
  const read: string[] = []
  const done = (async () => {
    for (let next = await reader.read(); !next.done; next = await reader.read()) read.push(next.value)
  })()
  return { send: (data: object) => stream?.send(data), end: () => end(), read, done, onDisconnect, reader }
}

test('a comment is sent after every ten seconds of silence, but not while events are sent', async () => {
  expect(KEEP_ALIVE_MS).toBe(10_000)
  const { send, end, read, done } = open()
  for (let i = 0; i < 5; i++) {
    send({ i })
    await turn()
    await vi.advanceTimersByTimeAsync(9_000)
  }
  expect(read.join('')).not.toContain('keep-alive')
  await vi.advanceTimersByTimeAsync(1_000)
  await turn()
  expect(read.at(-1)).toBe(': keep-alive\n\n')
  await vi.advanceTimersByTimeAsync(20_000)
  await turn()
  expect(read.filter((text) => text === ': keep-alive\n\n').length).toBe(3)
  end()
  await done
  expect(vi.getTimerCount()).toBe(0)
})

test('all events of one turn are one write', async () => {
  const { send, end, read, done } = open()
  send({ a: 1 })
  send({ b: 2 })
  await turn()
  expect(read).toEqual(['data: {"a":1}\n\ndata: {"b":2}\n\n'])
  end()
  await done
})

test('a client that disconnects is noticed, and no timer is left', async () => {
  const { reader, onDisconnect, send } = open()
  await reader.cancel()
  await turn()
  expect(onDisconnect).toHaveBeenCalledOnce()
  expect(vi.getTimerCount()).toBe(0)
  send({ into: 'the void' })
  await turn()
})
