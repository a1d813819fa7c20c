/** Evaluations through a real Redis, with workers and submitters that are killed. Takes two minutes. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { aft } from '../../../../test/command-line.ts'
import {
  aftPart,
  grown,
  hasRedis,
  openQueueFolder,
  type Part,
  type QueueFolder,
} from '../../../../test/queue-parts.ts'

let queue: QueueFolder
const at = (name: string) => queue.at(name)
const start = (part: Part) => queue.start(part)

beforeEach(async () => {
  queue = await openQueueFolder(100)
})
afterEach(() => queue.end())

const work = (name: string) =>
  start(
    aftPart(name, ['work', '--queue', queue.url, '--takeover-s', '20', '--concurrency', '4'], queue.folder),
  )

const writeRows = (name: string, rows: object[]) =>
  writeFileSync(at(name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))

/** The lines of a journal without their header and what differs between two runs that do the same. */
function linesOf(journal: string): { type: string; id: string; name?: string }[] {
  const lines = existsSync(at(journal))
    ? readFileSync(at(journal), 'utf8').trimEnd().split('\n').slice(1)
    : []
  return lines.map((line) =>
    JSON.parse(line, (key, value) => (/^(ms|at|usage)$/.test(key) ? undefined : value)),
  )
}

const sorted = (journal: string) =>
  linesOf(journal)
    .map((line) => JSON.stringify(line))
    .sort()

/** Files of MT-Bench and AlpacaEval in small. */
function writeBenchmarks(): void {
  mkdirSync(at('bench'))
  const category = 'writing'
  const questions = [1, 2, 3].map((id) => ({
    question_id: id,
    category,
    turns: [`Write ${id}.`, 'Rewrite.'],
  }))
  writeRows('bench/question.jsonl', questions)
  writeRows('bench/reference-gpt-4.jsonl', [{ question_id: 9, choices: [{ turns: ['a', 'b'] }] }])
  const prompts = ['single-v1', 'single-math-v1', 'single-v1-multi-turn', 'single-math-v1-multi-turn']
  const prompt_template = '{question}{question_1}{question_2}{answer_2}'
  writeRows(
    'bench/judge_prompts.jsonl',
    prompts.map((name) => ({ name, system_prompt: name, prompt_template })),
  )
  const rows = (generator: string) =>
    Array.from({ length: 4 }, (_, i) => ({ instruction: `${i}`, output: `${generator} ${i}`, generator }))
  for (const name of ['own', 'base']) writeFileSync(at(`${name}.json`), JSON.stringify(rows(name)))
}

describe.skipIf(!hasRedis())(
  'an evaluation through a queue (skipped without redis-server)',
  { timeout: 600_000 },
  () => {
    test('answers as it does alone, while workers, submitter and Redis are killed: no part is lost or there twice', async () => {
      writeRows(
        'q.jsonl',
        Array.from({ length: 16 }, (_, i) => ({ question: `What is ${i} + ${i}?`, answer: `#### ${2 * i}` })),
      )
      const command = [
        'eval',
        'gsm8k',
        'q.jsonl',
        '--width',
        '2',
        '--model',
        queue.upstream.model,
        '--no-progress',
      ]
      const alone = await aft([...command, '-o', 'alone'], { cwd: queue.folder })
      expect({ code: alone.code, stderr: alone.stderr }).toEqual({ code: 0, stderr: '' })
      const submit = () =>
        start(aftPart('submitter', [...command, '-o', 'queued', '--queue', queue.url], queue.folder))
      const workers = ['w1', 'w2'].map(work)
      let submitter = submit()
      const kills = [
        async () => {
          await workers[0]?.kill()
          workers[0]?.start()
        },
        async () => {
          await submitter.kill()
          await delay(500)
          submitter = submit()
        },
        async () => {
          await queue.redis.kill()
          await delay(300)
          queue.redis.start()
        },
      ]
      for (const kill of kills) {
        await grown(at('queued/journal.jsonl'), 15)
        await kill()
      }
      expect({ code: await submitter.ended(), log: submitter.log }).toMatchObject({ code: 0 })
      const lines = linesOf('queued/journal.jsonl')
      const partsOf = lines.filter(({ type }) => type === 'part').map(({ id, name }) => `${id} ${name}`)
      expect(new Set(partsOf).size).toBe(partsOf.length)
      expect(lines.filter(({ type }) => type === 'done')).toHaveLength(16)
      expect(sorted('queued/journal.jsonl')).toEqual(sorted('alone/journal.jsonl'))
      const rowsOf = (name: string) => JSON.parse(readFileSync(at(`${name}/result.json`), 'utf8')).rows
      const scores = (name: string) => rowsOf(name).map((row: { scores: object }) => row.scores)
      expect(scores('queued')).toEqual(scores('alone'))
    })

    test('every kind of it has the same journal as alone, and `aft status` shows how far it is', async () => {
      writeBenchmarks()
      writeRows('q.jsonl', [{ question: 'What is 1 + 1?', answer: '#### 2' }])
      const { model } = queue.upstream
      const judge = ['--model', model, '--judge', model]
      const kinds: [args: string[], out: (name: string) => string[], journal: string][] = [
        [
          ['eval', 'mt-bench', 'bench', ...judge, '--depth', '1', '--width', '2'],
          (name) => ['-o', name],
          'journal.jsonl',
        ],
        [
          ['eval', 'alpaca-eval', '--outputs', 'own.json', '--baseline', 'base.json', '--judge', model],
          (name) => ['-o', name],
          'annotations.json.journal',
        ],
        [
          ['analyze', 'scaling', 'q.jsonl', '--model', model, '--widths', '2', '--depths', '0,1'],
          (name) => ['-o', name],
          'journal.jsonl',
        ],
      ]
      work('w')
      const both = kinds.map(async ([args, out, journal], i) => {
        const more = ['--no-progress', '--limit', '2']
        const [one, queued] = await Promise.all([
          aft([...args, ...out(`alone${i}`), ...more], { cwd: queue.folder }),
          aft([...args, ...out(`queued${i}`), ...more, '--queue', queue.url], { cwd: queue.folder }),
        ])
        expect({ args, code: queued.code }).toEqual({ args, code: one.code })
        expect(sorted(`queued${i}/${journal}`)).toEqual(sorted(`alone${i}/${journal}`))
        expect(sorted(`queued${i}/${journal}`).length).toBeGreaterThan(1)
      })
      await Promise.all(both)
      const [args, out] = kinds[0] as (typeof kinds)[0]
      const interrupted = start(
        aftPart('again', [...args, ...out('again'), '--no-progress', '--queue', queue.url], queue.folder),
      )
      await grown(at('again/journal.jsonl'), 4)
      await interrupted.kill('SIGINT')
      const { stdout } = await aft(['status', '--queue', queue.url], { cwd: queue.folder })
      expect(stdout).toMatch(
        /again-\w+\n {2}submitter interrupted; the same command resumes\n {2}\d of 3 answered/,
      )
      const flags = ['--queue', queue.url, '--concurrency', '4']
      const refused = await aft([...args, ...out('other'), ...flags], { cwd: queue.folder })
      expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('give it to `aft work`') })
    })
  },
)
