/** `runs/paper.sh` from its first line to its report, with a model of two layers and a scripted judge. Three minutes. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeTiny } from './tiny-model.ts'

const root = path.join(import.meta.dirname, '..')
const folder = mkdtempSync(path.join(tmpdir(), 'aft-paper-'))
const at = (name: string) => path.join(folder, name)
const out = at('out')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const putLines = (name: string, rows: object[]) =>
  writeFileSync(at(name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))

/** Questions that are not nearly the same. */
const nouns =
  'river mountain garden window silver market summer letter planet engine harbor castle forest bridge'.split(
    ' ',
  )
const about = Array.from({ length: 40 }, (_, i) =>
  [1, 2, 3].map((k) => nouns[(i * 7 + k * 5 + ((i * k) % 11)) % nouns.length]),
)
const instructions = about.map((of, i) => `Question ${i * i}: how do ${of.join(', ')} belong together?`)

function writeFiles(): void {
  mkdirSync(at('ultrafeedback'))
  putLines(
    'ultrafeedback/rows.jsonl',
    instructions.map((instruction, i) => ({
      instruction,
      source: 'made',
      models: ['a', 'b', 'c', 'd'],
      completions: ['a', 'b', 'c', 'd'].map((model, k) => ({
        model,
        response: `The answer ${k} of ${model}: ${about[(i + k) % 40]?.join(' and ')}.`,
        overall_score: 5 + k,
      })),
    })),
  )
  putLines(
    'targets.jsonl',
    instructions.map((prompt, i) => ({ prompt, target: `They all belong to ${about[i]?.[0]}.` })),
  )
  putLines('gsm8k.jsonl', [{ question: 'What is 1 plus 1?', answer: 'It is 2.\n#### 2' }])
  putLines('ifeval.jsonl', [
    {
      key: 1000,
      prompt: 'Write without commas.',
      instruction_id_list: ['punctuation:no_comma'],
      kwargs: [{}],
    },
  ])
  mkdirSync(at('mt-bench'))
  putLines('mt-bench/question.jsonl', [
    { question_id: 81, category: 'writing', turns: ['Write a line.', 'Another.'] },
  ])
  const marks =
    '{question} {question_1} {question_2} {answer} {answer_1} {answer_2} {ref_answer_1} {ref_answer_2}'
  putLines(
    'mt-bench/judge_prompts.jsonl',
    ['single-v1', 'single-math-v1', 'single-v1-multi-turn', 'single-math-v1-multi-turn'].map((name) => ({
      name,
      system_prompt: 'Rate it.',
      prompt_template: marks,
    })),
  )
  putLines('mt-bench/reference-gpt-4.jsonl', [{ question_id: 101, choices: [{ turns: ['One.', 'Two.'] }] }])
  const pairs = ['Say hello.', 'Say good night.'].map((instruction) => ({
    dataset: 'made',
    instruction,
    output: 'Hello there.',
    generator: 'base',
  }))
  writeFileSync(at('baseline.json'), JSON.stringify(pairs))
  writeFileSync(at('gamed.csv'), 'preference,std_delta_len,instruction_difficulty\n0.4,1,0.1\n0.6,-1,-0.1\n')
  writeFileSync(at('difficulty.csv'), 'index,instruction_difficulty\n0,0.1\n1,-0.1\n')
  writeFileSync(
    at('judge-template.txt'),
    '<|im_start|>user\nWhich is better? {instruction} m: {output_1} M: {output_2}\n<|im_end|>\n',
  )
  writeFileSync(
    at('judge.json'),
    JSON.stringify([{ when: 'Which is better', replies: ['m'] }, { replies: ['Rating: [[5]]'] }]),
  )
  writeFileSync(
    at('base.json'),
    JSON.stringify([{ replies: ['One.', 'Another one.', 'A third.', 'A fourth.'] }]),
  )
  writeFileSync(
    at('recipe.yaml'),
    'base: ./tiny\nmethod: full\nmax_steps: 9\nsave_steps: 1\neval_steps: 1\ngradient_accumulation_steps: 1\n' +
      'learning_rate: 1.0e-3\nuse_cpu: true\n',
  )
}

beforeAll(async () => {
  await makeTiny(at('tiny'))
  writeFiles()
})

/** Runs the script; gives what it printed, both streams. */
function run(more: Record<string, string>): string {
  const settings = {
    OUT: out,
    SERVED: 'here',
    TRAIN: 'max_steps=2',
    MAX_TOKENS: '16',
    WIDTH: '2',
    DEPTH: '1',
    JUDGE: `scripted:${at('judge.json')}`,
    BASE_MODEL: `scripted:${at('base.json')}`,
    JUDGE_TEMPLATE: at('judge-template.txt'),
    GAMED: at('gamed.csv'),
    DIFFICULTY: at('difficulty.csv'),
    ALPACA_EVAL: at('baseline.json'),
    MT_BENCH: at('mt-bench'),
    GSM8K: at('gsm8k.jsonl'),
    IFEVAL: at('ifeval.jsonl'),
    OMP_NUM_THREADS: '1',
    ...more,
  }
  const args = [at('ultrafeedback'), at('targets.jsonl'), at('recipe.yaml')]
  const how = { cwd: root, encoding: 'utf8', env: { ...process.env, ...settings } } as const
  const { stdout, status } = spawnSync('bash', ['-c', 'runs/paper.sh "$@" 2>&1', 'paper.sh', ...args], how)
  expect(status, stdout.slice(-2_000)).toBe(0)
  return stdout
}

test('a dry run trains nothing, asks nobody, and prints what all of it takes', () => {
  const printed = run({ DRY: '1', OUT: at('dry') })
  expect(printed).toMatch(/training of sft:[\s\S]*training of off:/)
  expect(printed).toMatch(/on: 40 prompts x 4 proposals/)
  expect(existsSync(at('dry/sft'))).toBe(false)
  expect(existsSync(at('dry/eval/gsm8k-sft/journal.jsonl'))).toBe(false)
})

test('two arms are trained and measured in all ways, and a second start only reads', () => {
  const arms = { ARMS: 'sft on' }
  run(arms)
  for (const arm of ['sft', 'on'])
    for (const name of [
      `gsm8k-${arm}`,
      `ifeval-${arm}`,
      ...['one', 'best-of-n', 'aggregate'].map((method) => `alpaca-eval-${arm}-${method}`),
      `mt-bench-${arm}-0`,
      `mt-bench-${arm}-1`,
    ])
      expect(existsSync(path.join(out, 'eval', name, 'result.json')), name).toBe(true)
  const report = () => readFileSync(path.join(out, 'report.html'), 'utf8')
  expect(report()).toContain('majority, same completions')
  const answers = readFileSync(path.join(out, 'eval/on-aggregate.json'))
  run(arms)
  expect(readFileSync(path.join(out, 'eval/on-aggregate.json'))).toEqual(answers)
})
