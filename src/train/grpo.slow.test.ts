/** Learning from rewards, for real: TRL's GRPO on this CPU with a model of two layers. Two minutes. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { aft } from '../../test/command-line.ts'
import { makeTiny } from '../../test/tiny-model.ts'
import { checkNumberedLines } from '../files/numbered-lines.ts'
import { readMetrics } from '../files/training-metrics.ts'
import { extractAnswer } from '../lib/answer-text.ts'
import { findEnvironment, trainerFolder } from './environment.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'aft-grpo-'))
const at = (name: string) => path.join(folder, name)
const env = { OMP_NUM_THREADS: '1' }
const { python } = findEnvironment()
afterAll(() => rmSync(folder, { recursive: true, force: true }))

beforeAll(async () => {
  await makeTiny(at('tiny'))
  const made = [
    '--format',
    'puzzles',
    '--puzzles',
    'routes:choices=3,steps=2',
    '--problems',
    '24',
    '--no-near-duplicates',
  ]
  await aft(['data', 'build', ...made, '-o', at('data')])
  writeFileSync(
    at('grpo.yaml'),
    'base: ./tiny\nmethod: full\nobjective: grpo\nreward: lines\nnum_generations: 4\nmax_completion_length: 8\n' +
      'per_device_train_batch_size: 4\ngradient_accumulation_steps: 1\nmax_steps: 6\nsave_steps: 2\n' +
      'learning_rate: 1.0e-2\nuse_cpu: true\ngguf: none\n',
  )
  // A reward that a model of random weights can learn: short texts.
  writeFileSync(at('short.py'), 'def reward(text, target, prompt):\n    return -len(text) / 40\n')
})

const run = (out: string, ...more: string[]) =>
  aft(['train', at('grpo.yaml'), '-d', at('data'), '-o', at(out), ...more], { env })

test('rewards are recorded for each step, an own one is learned from, and a run resumes', async () => {
  const { code, stderr } = await run(
    'short',
    ...['--reward', at('short.py'), '--set', 'max_steps=30', '--set', 'trl={top_k: 8}'],
  )
  expect({ code, stderr }).toMatchObject({ code: 0 })
  expect(stderr).toMatch(/step 30 of 30 · reward -?\d/)
  const metrics = readMetrics(at('short/metrics.jsonl'))
  expect(metrics.at(-1)?.tokens).toBeGreaterThan(1_000)
  const rewards = metrics.map(({ reward }) => reward ?? Number.NaN)
  expect(rewards).toHaveLength(30)
  const mean = (list: number[]) => list.reduce((a, b) => a + b, 0) / list.length
  expect(mean(rewards.slice(-5))).toBeGreaterThan(mean(rewards.slice(0, 5)) + 0.2)
  expect(readFileSync(at('short/README.md'), 'utf8')).toMatch(/\(GRPO\)[\s\S]*reward, last tenth/)

  expect((await run('lines')).code).toBe(0)
  const again = await run('lines')
  expect(again.stderr).toContain('finished after 6 steps')
})

test('a prompt that is read once for its group gives the answers, rewards and gradients of TRL', () => {
  writeFileSync(at('many.py'), 'def reward(text, target, prompt):\n    return len(set(text))\n')
  const config = {
    max_steps: 2,
    per_device_train_batch_size: 4,
    gradient_accumulation_steps: 2,
    num_generations: 4,
    max_completion_length: 12,
    learning_rate: 1e-3,
    seed: 3,
    temperature: 0.9,
  }
  type Logged = { reward: number; seconds: number; [name: string]: number }
  const train = (attention: string, more: object = {}): { trl: Logged[]; shared: Logged[] } => {
    const model_init_kwargs = { attn_implementation: attention, dtype: 'float32' }
    const fields = JSON.stringify({ ...config, ...more, model_init_kwargs })
    const script = path.join(import.meta.dirname, '../../bench/grpo-peer.py')
    const args = [script, at('tiny'), at('data'), at('many.py'), at('peer'), fields]
    const output = execFileSync(python, args, {
      encoding: 'utf8',
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return JSON.parse(output.trim().split('\n').at(-1) ?? '')
  }
  for (const { trl, shared } of [train('eager'), train('sdpa', { beta: 0.1, entropy_coef: 0.1 })]) {
    expect(shared).toHaveLength(2)
    expect(new Set(trl.map(({ reward }) => reward)).size).toBeGreaterThan(1)
    for (const [i, { seconds, reward, num_tokens, ...numbers }] of trl.entries()) {
      expect(shared[i]).toMatchObject({ reward, num_tokens })
      for (const [name, value] of Object.entries(numbers))
        expect(Math.abs((shared[i]?.[name] ?? Number.NaN) - value), name).toBeLessThan(1e-4)
    }
  }
})

test('a reward that fails, and settings that do not fit, are told', async () => {
  writeFileSync(at('broken.py'), 'def reward(text, target, prompt):\n    raise RuntimeError("no verdict")\n')
  const broken = await run('broken', '--reward', at('broken.py'))
  expect(broken.code).toBe(1)
  expect(broken.stderr).toContain('no verdict')
  const group = await run('group', '--set', 'num_generations=3')
  expect(group.code).toBe(2)
  expect(group.stderr).toMatch(/num_generations.*expected a divisor of the answers per update.*= 4\), got 3/)
  const missing = await run('missing', '--reward', at('none.py'))
  expect(missing.stderr).toContain('there is no such file')
  const sft = await run('sft', '--set', 'objective=sft')
  expect(sft.stderr).toMatch(/only for objective: grpo/)
})

test('answers are read as everywhere else', () => {
  const texts = [
    'So it is 12.\n#### 1,200',
    'The answer is **42**.',
    '\\boxed{\\frac{1}{2}}',
    'no number here',
    'Answer: 3 apples',
    'x = 3, then 7.50',
    '(1) A B C\n(2) D E.',
    '  (2)  D   E\n(1) A B X',
    '{"b": 1, "a": [2]}',
    '',
  ]
  const script =
    'import json, sys\nfrom rewards import score_answer, score_lines\ntexts = json.load(sys.stdin)\n' +
    'print(json.dumps([[[score_answer(a, b), score_lines(a, b)] for b in texts] for a in texts]))'
  const output = execFileSync(python, ['-c', script], {
    cwd: trainerFolder,
    input: JSON.stringify(texts),
    encoding: 'utf8',
  })
  const ours = texts.map((a) =>
    texts.map((b) => {
      const lines = checkNumberedLines(a, b)
      const share = lines.filter(Boolean).length / Math.max(1, lines.length)
      return [Number(extractAnswer(a) === extractAnswer(b)), share]
    }),
  )
  expect(JSON.parse(output)).toEqual(ours)
})
