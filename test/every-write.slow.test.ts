/** Every write of each command fails once, in each way. That of `run` is in the quick set. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { createServer } from '../src/apps/server/server.ts'
import { scriptedEngine } from '../src/engines/scripted/scripted.ts'
import { finishRun } from '../src/train/finish.ts'
import { recipeSchema } from '../src/train/recipe.ts'
import { train } from '../src/train/run.ts'
import { aftHere } from './aft-here.ts'
import { failEveryWrite } from './every-write.ts'

const jsonl = (rows: object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('')
const prompts = jsonl(
  ['Name a river.', 'Name a hill.', 'Name a sea.'].map((prompt, i) => ({ id: `p${i}`, prompt })),
)
const rows = (word: string) =>
  jsonl(
    Array.from({ length: 12 }, (_, i) => ({
      id: `r${i}`,
      prompt: `What is thing number ${i}?`,
      target: `It is ${word} ${i}.`,
      responses: ['It is a.', 'It is b.', 'It is c.'],
    })),
  )
const put = (files: Record<string, string>) => (folder: string) => {
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text)
}
const model = ['--model', 'scripted:echo']

describe('run', () => {
  const run = ['run', 'p.jsonl', '-o', 'a.jsonl', '--width', '2', '--no-progress', ...model]

  test('over the answers of an earlier run', async () => {
    const failed = await failEveryWrite({
      async prepare(folder) {
        put({ 'p.jsonl': prompts })(folder)
        await aftHere([...run, '--seed', '3'], { cwd: folder })
      },
      args: [...run, '--seed', '4', '--restart'],
      // What --restart has begun is resumed.
      again: [...run, '--seed', '4', '--restart'],
      outputs: ['a.jsonl'],
    })
    expect(failed).toBeGreaterThan(10)
  })

  test('with --fsync each wait for the disk fails, too', async () => {
    const failed = await failEveryWrite({
      prepare: put({ 'p.jsonl': prompts }),
      args: [...run, '--fsync'],
      outputs: ['a.jsonl'],
      journals: ['a.jsonl.journal'],
    })
    // At least twice as many operations as without.
    expect(failed).toBeGreaterThan(18)
  })

  test('in the form of a benchmark', async () => {
    const failed = await failEveryWrite({
      prepare: put({ 'p.jsonl': prompts }),
      args: [...run, '--output-format', 'alpaca-eval'],
      outputs: ['a.jsonl'],
      journals: ['a.jsonl.journal'],
    })
    expect(failed).toBeGreaterThan(10)
  })
})

describe('data', () => {
  test('propose', async () => {
    const failed = await failEveryWrite({
      prepare: put({ 'p.jsonl': prompts }),
      args: ['data', 'propose', 'p.jsonl', '-o', 'd/r.jsonl', '--proposals', '2', ...model],
      outputs: ['d/r.jsonl'],
      journals: ['d/r.jsonl.journal'],
    })
    expect(failed).toBeGreaterThan(10)
  })

  test('label', async () => {
    const failed = await failEveryWrite({
      prepare: put({ 'r.jsonl': rows('x') }),
      args: ['data', 'label', 'r.jsonl', '-o', 'l.jsonl', ...model],
      outputs: ['l.jsonl'],
      journals: ['l.jsonl.journal'],
    })
    expect(failed).toBeGreaterThan(10)
  })

  const build = ['data', 'build', '-o', 'data', '--format', 'responses']
  test('build', async () => {
    const failed = await failEveryWrite({
      prepare: put({ 'r.jsonl': rows('x') }),
      args: [...build, 'r.jsonl', '--sft-twin'],
      outputs: ['data'],
    })
    expect(failed).toBeGreaterThan(10)
  })

  test('build in the place of an earlier data set, which is never lost', async () => {
    const failed = await failEveryWrite({
      async prepare(folder) {
        put({ 'r.jsonl': rows('x'), 'old.jsonl': rows('y') })(folder)
        await aftHere([...build, 'old.jsonl'], { cwd: folder })
      },
      args: [...build, 'r.jsonl', '--restart'],
      outputs: ['data/train.jsonl'],
    })
    expect(failed).toBeGreaterThan(10)
  })

  test('export', async () => {
    const failed = await failEveryWrite({
      async prepare(folder) {
        put({ 'r.jsonl': rows('x') })(folder)
        await aftHere([...build, 'r.jsonl'], { cwd: folder })
      },
      args: ['data', 'export', 'data', '--to', 'axolotl', '-o', 'axolotl'],
      outputs: ['axolotl'],
    })
    expect(failed).toBeGreaterThan(5)
  })
})

describe('eval', () => {
  test('gsm8k', async () => {
    const questions = jsonl(['1+1?', '2+2?'].map((question) => ({ question, answer: '#### 2' })))
    const failed = await failEveryWrite({
      prepare: put({ 'q.jsonl': questions }),
      args: ['eval', 'gsm8k', 'q.jsonl', '-o', 'results', '--width', '2', '--max-tokens', '10', ...model],
      outputs: ['results/result.json', 'results/rows.jsonl'],
    })
    expect(failed).toBeGreaterThan(10)
  })

  test('a judge', async () => {
    const outputs = (generator: string) =>
      JSON.stringify(
        ['a', 'b'].map((instruction) => ({ instruction, output: `${generator} ${instruction}`, generator })),
      )
    const failed = await failEveryWrite({
      prepare: put({
        'own.json': outputs('own'),
        'base.json': outputs('base'),
        'judge.json': JSON.stringify([{ replies: ['M'] }]),
      }),
      args: 'eval alpaca-eval --outputs own.json --baseline base.json --judge scripted:judge.json -o judged'.split(
        ' ',
      ),
      outputs: ['judged/annotations.json', 'judged/result.json'],
    })
    expect(failed).toBeGreaterThan(10)
  })
})

test('fixes: 201 only for a line that is whole, and no other line is harmed', async () => {
  const fix = (text: string) => ({
    messages: [{ role: 'user', content: 'Name a river.' }],
    proposals: [{ text: 'Po', model: 'one' }],
    model: 'one',
    completion: text,
  })
  let acknowledged: string[] = []
  const failed = await failEveryWrite({
    prepare: put({ 'fixes.jsonl': '' }),
    async work(folder) {
      const file = path.join(folder, 'fixes.jsonl')
      const server = createServer({ engines: { one: scriptedEngine([{ replies: ['x'] }]) }, fixes: file })
      const statuses: number[] = []
      acknowledged = []
      for (const text of ['Rhine', 'Rhone', 'Elbe']) {
        const { status } = await server.fetch(
          new Request('http://localhost/v1/aft/fixes', {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(fix(text)),
          }),
        )
        statuses.push(status)
        if (status === 201) acknowledged.push(text)
      }
      const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
      const kept = lines.map((line) => JSON.parse(line).completion[0].content)
      for (const text of acknowledged) expect(kept).toContain(text)
      expect(statuses.every((status) => status === 201 || status === 500)).toBe(true)
      const isWhole = statuses.every((status) => status === 201)
      return { code: isWhole ? 0 : 1, stderr: isWhole ? '' : 'injected' }
    },
    outputs: [],
  })
  expect(failed).toBeGreaterThan(5)
})

test('train: the record of the run is whole, and the next run resumes', async () => {
  const failed = await failEveryWrite({
    async prepare(folder) {
      put({ 'r.jsonl': rows('x') })(folder)
      await aftHere(['data', 'build', 'r.jsonl', '-o', 'data', '--format', 'responses'], { cwd: folder })
      mkdirSync(path.join(folder, 'base'))
      writeFileSync(path.join(folder, 'base/config.json'), '{}')
      // Stands for Python: it writes what a trainer writes, in a process of its own.
      const script = [
        '#!/bin/sh',
        'out=$(dirname "$3")',
        'echo \'@aft {"event":"preflight","templateSha256":"x","warnings":[]}\'',
        'mkdir -p "$out/model"; echo weights > "$out/model/weights"',
        'echo \'{"step":1,"loss":1,"learningRate":1,"gradNorm":1,"tokens":1,"seconds":1}\' > "$out/metrics.jsonl"',
        'echo \'@aft {"event":"end","step":1}\'',
      ]
      writeFileSync(path.join(folder, 'python'), `${script.join('\n')}\n`, { mode: 0o755 })
    },
    async work(folder) {
      const python = path.join(folder, 'python')
      const base = path.join(folder, 'base')
      const recipe = recipeSchema.parse({
        base,
        method: 'full',
        gguf: 'none',
        max_steps: 1,
        eval_steps: null,
      })
      const { signal } = new AbortController()
      const how = { python, signal, onLine: () => {}, onEvent: () => {}, findGguf: async () => undefined }
      try {
        await train(
          { recipe, data: path.join(folder, 'data'), output: path.join(folder, 'out'), ...how },
          (trained) => finishRun(trained, how),
        )
        return { code: 0, stderr: '' }
      } catch (error) {
        return { code: 1, stderr: (error as Error).message }
      }
    },
    outputs: ['out/aft-model.json', 'out/README.md', 'out/recipe.yaml'],
  })
  expect(failed).toBeGreaterThan(10)
})
