import { expect, test } from 'vitest'
import { ApiError } from './api-error.ts'
import { createQueue, type Queue } from './queue.ts'

const { signal } = new AbortController()

/** Enters the queue, and notes the request's turn. */
function enter(queue: Queue, client: string, log: string[]): Promise<() => void> {
  const turn = queue.enter(client, signal)
  void turn.then(() => log.push(client))
  return turn
}
const settle = () => new Promise((resolve) => setImmediate(resolve))

test('a client with one waiting request is next, even if another has many', async () => {
  const queue = createQueue({ maxRunning: 2, maxWaiting: 100 })
  const log: string[] = []
  const releases = await Promise.all([enter(queue, 'greedy', log), enter(queue, 'greedy', log)])
  const turns = Array.from({ length: 20 }, () => enter(queue, 'greedy', log))
  const modest = enter(queue, 'modest', log)
  releases[0]?.()
  await settle()
  expect(log).toEqual(['greedy', 'greedy', 'modest'])
  ;(await modest)()
  await settle()
  expect(log.length).toBe(4)
  expect(queue.count()).toEqual({ running: 2, waiting: 19 })
  releases[1]?.()
  for (const turn of turns) (await turn)()
  await queue.idle()
  expect(log.length).toBe(23)
})

test('waiting clients take turns', async () => {
  const queue = createQueue({ maxRunning: 3, maxWaiting: 100 })
  const log: string[] = []
  const first = await Promise.all(['a', 'a', 'a'].map((client) => enter(queue, client, log)))
  for (const client of ['a', 'a', 'a', 'b', 'b', 'c']) void enter(queue, client, log)
  for (const release of first) release()
  await settle()
  expect(log.slice(3).sort()).toEqual(['a', 'b', 'c'])
})

test('one client fills at most half of the queue, and gets a time to retry after', () => {
  const queue = createQueue({ maxRunning: 1, maxWaiting: 4 })
  const log: string[] = []
  for (let i = 0; i < 3; i++) void enter(queue, 'greedy', log)
  const refused = (client: string) => {
    try {
      void enter(queue, client, log)
    } catch (error) {
      return error as ApiError
    }
  }
  const error = refused('greedy')
  expect(error).toBeInstanceOf(ApiError)
  expect(error).toMatchObject({ status: 429, code: 'queue_full' })
  expect(Number(error?.headers['retry-after'])).toBeGreaterThan(0)
  expect(refused('modest')).toBe(undefined)
})

test('a waiting client that disconnects frees its place', async () => {
  const queue = createQueue({ maxRunning: 1, maxWaiting: 2 })
  const release = await queue.enter('a', signal)
  const leave = new AbortController()
  const left = queue.enter('b', leave.signal)
  leave.abort(new Error('gone'))
  await expect(left).rejects.toThrow('gone')
  expect(queue.count()).toEqual({ running: 1, waiting: 0 })
  release()
  release()
  expect(queue.count()).toEqual({ running: 0, waiting: 0 })
})
