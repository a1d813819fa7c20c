import { expect, test } from 'vitest'
import { UsageError } from '../../core/provider/errors.ts'
import { makePlan } from '../../plans/strategies.ts'
import { checkServer } from './connect.ts'
import { isAfter, jobOf, keysOf, readMeta, readWorker } from './keys.ts'
import { createRecorder, TakenOver } from './recorder.ts'
import { activePrompts, readLine, readPrompt } from './run-work.ts'
import { idOf } from './stand-ins.ts'

test('a server that drops keys is refused; one without an append-only file is warned about', () => {
  const info = (policy: string, aof: number) => `maxmemory_policy:${policy}\r\naof_enabled:${aof}\r\n`
  expect(checkServer(info('noeviction', 1), 'h')).toEqual([])
  expect(checkServer(info('noeviction', 0), 'h')).toEqual([expect.stringContaining('appendonly yes')])
  expect(() => checkServer(info('allkeys-lru', 1), 'h')).toThrow('its maxmemory-policy is allkeys-lru')
})

test('ids of prompts become ids that BullMQ takes, each its own', () => {
  const ids = ['1', 'a:b', 'a/b', 'x'.repeat(80), 'p-1', 'ü', '']
  const jobs = ids.map(jobOf)
  expect(new Set(jobs).size).toBe(ids.length)
  for (const job of jobs) expect(job).toMatch(/^[ph]-[\w-]*$/)
})

test('all keys of a run are on one node of a cluster, and a name that is none is refused', () => {
  const keys = keysOf('answers-1')
  const all = [keys.meta, keys.lines, keys.workers, keys.parts('p-1'), keys.lock('p-1'), keys.pause('m')]
  for (const key of all) expect(key).toMatch(/^\{aft:answers-1\}/)
  for (const name of ['', 'a b', '{x}', 'a:b', '*']) expect(() => keysOf(name)).toThrow(UsageError)
})

test('places in a stream are compared by both numbers', () => {
  expect(isAfter('10-2', '10-1')).toBe(true)
  expect(isAfter('9-5', '10-0')).toBe(false)
  expect(isAfter('10-1', '10-1')).toBe(false)
})

test('what Redis holds is checked: lines, jobs and workers of another shape are errors or nothing', () => {
  expect(() => readLine('{"type":"completion","prompt":"0","layer":300000000}')).toThrow('expected')
  expect(() => readLine('{"type":"header"}')).toThrow('expected')
  expect(() => readPrompt({ id: 3, messages: 'x' })).toThrow('expected')
  expect(() => readMeta('null', 'run r')).toThrow('run r: expected')
  expect(() => readMeta('{"header":{},"journal":3}', 'run r')).toThrow('run r: expected')
  expect(readWorker('{"host":1}')).toBeUndefined()
  expect(readWorker('no json')).toBeUndefined()
})

test('a worker takes as many prompts as keep its places busy', () => {
  const plan = (width: number, depth: number) => makePlan({ proposers: ['m'], width, depth })
  expect(activePrompts(plan(5, 2), 256)).toBe(140)
  expect(activePrompts(plan(3, 1), 64)).toBe(64)
  expect(activePrompts(plan(16, 1), 1)).toBe(2)
})

test('the id of a stand-in is that of the engine that its name opens', () => {
  const config = {
    engines: {
      fast: 'smollm2',
      big: { model: 'llama', baseURL: 'http://H:8000/v1/' },
      self: 'self',
    },
  }
  const ids = ['http://h:1/v1/#m', 'fast', 'big', 'smollm2', 'self'].map((name) => idOf(name, config))
  expect(ids).toEqual(['http://h:1/v1#m', 'smollm2', 'http://h:8000/v1#llama', 'smollm2', 'self'])
})

/** A Redis whose script returns these values, and the lines that it got. */
function scriptedRedis(returns: (number | Error)[]) {
  const calls: string[][] = []
  const redis = {
    status: 'ready',
    defineCommand(name: string) {
      ;(redis as Record<string, unknown>)[name] = async (...args: string[]) => {
        calls.push(args.slice(4))
        const value = returns.shift() ?? 1
        if (value instanceof Error) throw value
        return value
      }
    },
  }
  return { redis: redis as never, calls }
}

const held = { keys: keysOf('r'), job: 'p-1', token: 't' }
const line = (layer: number) => ({ type: 'layer' as const, prompt: '1', layer, shown: [] })
const end = { type: 'answer' as const, prompt: '1', error: { kind: 'internal', message: 'm' } }

test('lines that are recorded together are sent together, in order, and before the end', async () => {
  const { redis, calls } = scriptedRedis([])
  const recorder = createRecorder(redis, held, () => {})
  recorder.record(line(0))
  recorder.record(line(1))
  await recorder.end(end)
  expect(calls.map(([role, ...lines]) => [role, lines.length])).toEqual([
    ['part', 2],
    ['end', 1],
  ])
})

test('a worker that was taken over is told so, and sends nothing more', async () => {
  const { redis, calls } = scriptedRedis([0])
  const lost: unknown[] = []
  const recorder = createRecorder(redis, held, (reason) => lost.push(reason))
  recorder.record(line(0))
  await expect(recorder.end(end)).rejects.toThrow(TakenOver)
  expect(lost).toEqual([expect.any(TakenOver)])
  expect(calls).toHaveLength(1)
})
