/** Runs through a real Redis, with workers and submitters that are killed. Takes a minute or two. */
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { aft } from '../../../test/command-line.ts'
import {
  aftPart,
  comparable,
  countLines,
  countRun,
  grown,
  hasRedis,
  openQueueFolder,
  type Part,
  type QueueFolder,
} from '../../../test/queue-parts.ts'
import { keysOf, recordLines } from './keys.ts'

let queue: QueueFolder
const at = (name: string) => queue.at(name)
const start = (part: Part) => queue.start(part)
/**
 * On a slow machine a lock of 4 seconds is lost while its worker is alive, and its prompt is paid for again at another, over
 * and over. Tests that kill workers have it longer, so that only what was killed is paid again.
 */
const STEADY = ['--takeover-s', '60']
const AFTER_KILLS = ['--takeover-s', '20']
/** What waits for another process. */
const LATE = { timeout: 120_000 }
const PLAN = ['--width', '3', '--depth', '1', '--no-progress']

const work = (name: string, more: string[] = []) =>
  start(
    aftPart(
      name,
      ['work', '--queue', queue.url, '--takeover-s', '4', '--concurrency', '16', ...more],
      queue.folder,
    ),
  )
const run = (out: string, more: string[] = []) =>
  start(
    aftPart(
      `run-${out}`,
      ['run', 'p.jsonl', '-o', out, '--queue', queue.url, '--model', queue.upstream.model, ...PLAN, ...more],
      queue.folder,
    ),
  )

beforeEach(async () => {
  queue = await openQueueFolder(120)
  writePrompts(120)
})
afterEach(() => queue.end())

function writePrompts(count: number): void {
  const rows = Array.from(
    { length: count },
    (_, i) => `${JSON.stringify({ prompt: `question ${i} of many` })}\n`,
  )
  writeFileSync(at('p.jsonl'), rows.join(''))
}

describe.skipIf(!hasRedis())(
  'a run through a queue (skipped without redis-server)',
  { timeout: 600_000 },
  () => {
    test('one worker, four workers and none of them give the same answers, and the same journal but for times', async () => {
      const alone = await aft(
        ['run', 'p.jsonl', '-o', 'alone.jsonl', '--model', queue.upstream.model, ...PLAN],
        {
          cwd: queue.folder,
        },
      )
      expect(alone.stderr).toContain('120 of 120 answered')
      work('one', STEADY)
      expect(await run('one.jsonl').ended()).toBe(0)
      for (const name of ['two', 'three', 'four']) work(name, STEADY)
      expect(await run('four.jsonl').ended()).toBe(0)
      const answers = (name: string) =>
        readFileSync(at(name), 'utf8')
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line))
          .map(({ ms, usage, ...answer }) => answer)
      expect(answers('one.jsonl')).toEqual(answers('alone.jsonl'))
      expect(answers('four.jsonl')).toEqual(answers('alone.jsonl'))
      expect(comparable(at('four.jsonl.journal'))).toEqual(comparable(at('one.jsonl.journal')))
      expect(comparable(at('four.jsonl.journal'))).toEqual(comparable(at('alone.jsonl.journal')))
    })

    test('submitter, workers and Redis are killed while it runs: nothing is lost, nothing is there twice', async () => {
      const workers = ['w1', 'w2'].map((name) => work(name, AFTER_KILLS))
      let submitter = run('a.jsonl')
      const killAll = async () => {
        await Promise.all([submitter.kill(), queue.redis.kill(), ...workers.map((worker) => worker.kill())])
        queue.redis.start()
        await delay(500)
        for (const worker of workers) worker.start()
        submitter = run('a.jsonl')
      }
      const kills = [
        async () => {
          await submitter.kill()
          await delay(500)
          submitter = run('a.jsonl')
        },
        async () => {
          await workers[0]?.kill()
          workers[0]?.start()
        },
        async () => {
          await queue.redis.kill()
          await delay(300)
          queue.redis.start()
        },
        killAll,
      ]
      for (const kill of kills) {
        await grown(at('a.jsonl.journal'), 60)
        await kill()
      }
      expect(await submitter.ended()).toBe(0)
      const counts = countRun(at('a.jsonl.journal'), queue.upstream.log)
      expect(counts.answers).toEqual({ distinct: 120, again: 0 })
      expect(counts.completions).toEqual({ distinct: 480, again: 0 })
      expect(readFileSync(at('a.jsonl'), 'utf8').trimEnd().split('\n')).toHaveLength(120)
      // Five processes with 16 places each lost what they had in flight, and no more.
      expect(counts.sent.again).toBeLessThanOrEqual(5 * 16)
    })

    test('a worker that stands still longer than its lock loses its prompts to others, and nothing is there twice', async () => {
      writePrompts(400)
      const still = work('still')
      const running = run('a.jsonl')
      await grown(at('a.jsonl.journal'), 40)
      still.child.kill('SIGSTOP')
      work('other')
      const { log } = queue.upstream
      await expect.poll(() => countRun(at('a.jsonl.journal'), log).asked.again, LATE).toBeGreaterThan(0)
      still.child.kill('SIGCONT')
      await expect.poll(() => still.log, LATE).toContain('could not renew lock')
      expect(await running.ended()).toBe(0)
      expect(countRun(at('a.jsonl.journal'), log)).toMatchObject({
        answers: { distinct: 400, again: 0 },
        completions: { distinct: 1_600, again: 0 },
        failed: 0,
      })
    })

    test('lines are taken from the holder of the lock alone', async () => {
      const redis = new Redis(queue.url)
      const keys = keysOf('mine')
      const send = () => recordLines(redis, { keys, job: 'p-1', token: 'mine' }, ['{}'], 'part')
      const heard: boolean[] = []
      for (const holder of ['', 'mine', 'another']) {
        if (holder) await redis.set(keys.lock('p-1'), holder)
        heard.push(await send())
      }
      expect(heard).toEqual([false, true, false])
      expect(await redis.xlen(keys.lines)).toBe(1)
      redis.disconnect()
    })

    test('an interrupted run pauses its workers, and the same command resumes it', async () => {
      work('w', STEADY)
      const first = run('a.jsonl')
      await grown(at('a.jsonl.journal'), 100)
      await first.kill('SIGINT')
      const status = async () => {
        const { stdout } = await aft(['status', '--queue', queue.url, '--json'], { cwd: queue.folder })
        const [{ submitter, working, workers }] = JSON.parse(stdout).runs
        return { submitter, working, workers: workers.length }
      }
      await expect.poll(status, LATE).toEqual({ submitter: 'interrupted', working: 0, workers: 1 })
      expect(await run('a.jsonl').ended()).toBe(0)
      expect(countRun(at('a.jsonl.journal'), queue.upstream.log).completions).toEqual({
        distinct: 480,
        again: 0,
      })
    })

    test('a budget holds over all workers', async () => {
      for (const name of ['w1', 'w2']) work(name, STEADY)
      const budget = ['--max-tokens-total', '12000', '--max-tokens', '16']
      const held = run('a.jsonl', budget)
      expect(await held.ended()).toBe(1)
      expect(held.log).toContain('the next could exceed the budget')
      // A completion's line may have an estimate; the line of its usage follows.
      const usages = new Map<string, { calls: number; inputTokens: number; outputTokens: number }>()
      for (const line of readFileSync(at('a.jsonl.journal'), 'utf8').trimEnd().split('\n')) {
        const { type, prompt, layer, index, usage } = JSON.parse(line)
        if (type === 'completion' || type === 'usage') usages.set(`${prompt} ${layer} ${index}`, usage)
      }
      const tokens = [...usages.values()].reduce(
        (sum, { calls, inputTokens, outputTokens }) => sum + (calls > 0 ? inputTokens : 0) + outputTokens,
        0,
      )
      expect(tokens).toBeGreaterThan(6_000)
      expect(tokens).toBeLessThanOrEqual(12_000)
    })

    test('a worker for one run ends with it, a model is mapped, and proposing and labeling go through the queue too', async () => {
      writePrompts(6)
      const model = ['--model', 'anything']
      const worker = start(
        aftPart(
          'w',
          ['work', '--queue', queue.url, '--run', 'mine', '-m', `anything=${queue.upstream.model}`],
          queue.folder,
        ),
      )
      const common = ['--queue', queue.url, '--run', 'mine', ...model]
      const proposed = start(
        aftPart('propose', ['data', 'propose', 'p.jsonl', '-o', 'o.jsonl', ...common], queue.folder),
      )
      expect(await proposed.ended()).toBe(0)
      expect(await worker.ended()).toBe(0)
      expect(countLines(at('o.jsonl'))).toBe(6)
      worker.start()
      const labeled = start(
        aftPart('label', ['data', 'label', 'o.jsonl', '-o', 'l.jsonl', ...common], queue.folder),
      )
      expect(await labeled.ended()).toBe(0)
      expect(countLines(at('l.jsonl'))).toBe(6)
    })

    test('a worker without a server gives its prompts back, one with a wrong key ends, and another one answers them', async () => {
      writePrompts(30)
      const refusing = createServer((_, response) =>
        response.writeHead(401).end('{"error":{"message":"wrong key"}}'),
      )
      await once(refusing.listen(0, '127.0.0.1'), 'listening')
      const { port } = refusing.address() as AddressInfo
      const lost = work('lost', [...STEADY, '-m', `${queue.upstream.model}=http://127.0.0.1:9/v1#m`])
      const running = run('a.jsonl')
      await expect.poll(() => lost.log, LATE).toContain('leaves its prompts to others')
      const wrong = work('wrong', [...STEADY, '-m', `${queue.upstream.model}=http://127.0.0.1:${port}/v1#m`])
      expect(await wrong.ended()).toBe(1)
      expect(wrong.log).toContain('401')
      refusing.close()
      work('right', STEADY)
      expect(await running.ended()).toBe(0)
      expect(countRun(at('a.jsonl.journal'), queue.upstream.log)).toMatchObject({
        answers: { distinct: 30, again: 0 },
        failed: 0,
      })
    })

    test('the password of the address is in no message, and a wrong one is an error that says so', async () => {
      const password = 'pa-5ecret'
      await aft(['status', '--queue', queue.url], { cwd: queue.folder })
      const { execFileSync } = await import('node:child_process')
      const port = new URL(queue.url).port
      execFileSync('redis-cli', ['-p', port, 'config', 'set', 'requirepass', 'another-word'])
      const wrong = await aft(['work', '--queue', `redis://:${password}@127.0.0.1:${port}/0`], {
        cwd: queue.folder,
        env: { AFT_DEBUG: '1' },
      })
      expect(wrong.code).toBe(1)
      expect(wrong.stderr).toMatch(/WRONGPASS|NOAUTH/)
      expect(wrong.stderr + wrong.stdout).not.toContain(password)
      const right = await aft(['status', '--queue', `redis://127.0.0.1:${port}/0`], {
        cwd: queue.folder,
        env: { AFT_QUEUE_PASSWORD: 'another-word' },
      })
      expect(right.stdout).toBe('no runs\n')
    })

    test('a Redis that drops keys is refused', async () => {
      const { execFileSync } = await import('node:child_process')
      const port = new URL(queue.url).port
      execFileSync('redis-cli', ['-p', port, 'config', 'set', 'maxmemory-policy', 'allkeys-lru'])
      const refused = await aft(['run', 'p.jsonl', '-o', 'a.jsonl', '--queue', queue.url], {
        cwd: queue.folder,
      })
      expect(refused.code).toBe(2)
      expect(refused.stderr).toContain('maxmemory-policy is allkeys-lru')
    })

    test('the run of another journal is refused', async () => {
      const first = run('a.jsonl', ['--run', 'same'])
      await grown(at('a.jsonl.journal'), 5)
      const second = await aft(
        [
          'run',
          'p.jsonl',
          '-o',
          'b.jsonl',
          '--queue',
          queue.url,
          '--run',
          'same',
          '--model',
          queue.upstream.model,
          ...PLAN,
        ],
        { cwd: queue.folder },
      )
      expect(second.code).toBe(2)
      expect(second.stderr).toContain('the run same on redis')
      await first.kill()
    })
  },
)
