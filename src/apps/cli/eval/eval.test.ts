import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { aftHere as aft } from '../../../../test/aft-here.ts'

const cwd = mkdtempSync(path.join(tmpdir(), 'eval-'))
const write = (name: string, value: object) => writeFileSync(path.join(cwd, name), JSON.stringify(value))
const rows = (generator: string) =>
  ['a', 'b', 'c'].map((instruction) => ({
    instruction,
    output: `${generator} says ${instruction}`,
    generator,
  }))
write('own.json', rows('own'))
write('base.json', rows('base'))
write('judge.json', { rules: [{ when: 'says b', replies: ['Hm'] }, { replies: ['M'] }] })
const files = ['--outputs', 'own.json', '--baseline', 'base.json', '--judge', 'scripted:judge.json']

test('judges, writes annotations, and says what it dropped', async () => {
  const { code, stdout, stderr } = await aft(['eval', 'alpaca-eval', ...files, '--json'], { cwd })
  expect(stderr).toContain('row 2: the judge answered neither m nor M: "Hm"')
  expect(code).toBe(0)
  const result = JSON.parse(stdout)
  expect(result).toMatchObject({
    n: 2,
    dropped_rows: [2],
    variant: 'minimal',
    generator: 'own',
    baseline: 'base',
  })
  expect(result.judge).toMatchObject({ template: 'aft-judge-1', by_token: 2, no_preference: 1, calls: 3 })
  expect(JSON.parse(readFileSync(path.join(cwd, 'own.annotations.json'), 'utf8'))).toHaveLength(3)
})

test('a folder gets annotations and a result, which `aft report` puts into one table with win rates', async () => {
  const judged = await aft(['eval', 'alpaca-eval', ...files, '-o', 'judged'], { cwd })
  expect(judged).toMatchObject({ code: 0 })
  const read = (name: string) => JSON.parse(readFileSync(path.join(cwd, name), 'utf8'))
  expect(read('judged/annotations.json')).toHaveLength(3)
  expect(read('judged/result.json')).toMatchObject({
    task: 'alpaca-eval',
    model: 'own',
    n: 2,
    asked: 3,
    template: { id: 'aft-judge-1' },
    judge: { engine: 'scripted:judge.json' },
    settings: { seed: 0 },
    version: expect.any(String),
  })
  const scored = ['eval', 'win-rate', '--annotations', 'judged/annotations.json', '-o', 'scored']
  expect(await aft(scored, { cwd })).toMatchObject({ code: 0 })
  expect(read('scored/result.json')).toMatchObject({ task: 'alpaca-eval', judge: null, template: null })
  const page = await aft(['report', 'judged', 'scored', '-o', 'page.html', '--about', 'Two of them.'], {
    cwd,
  })
  expect(page).toMatchObject({ code: 0, stderr: '' })
  expect(readFileSync(path.join(cwd, 'page.html'), 'utf8').match(/<svg/g)).toHaveLength(2)
})

test('says with --dry-run what it would take', async () => {
  const { code, stdout } = await aft(['eval', 'alpaca-eval', ...files, '--dry-run'], { cwd })
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^pairs +3\ncalls +3\n/) })
})

test('without a baseline says where it looked for one', async () => {
  const { code, stderr } = await aft(['eval', 'alpaca-eval', ...files.slice(0, 2), '--judge', 'x'], { cwd })
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('gpt4_1106_preview.json') })
})

describe('a dry run prints the most that it can take, and the cost if the config has prices:', () => {
  const price = '{ inputPerMTok: 1000, outputPerMTok: 1e5 }'
  const config = `export default { engines: { paid: { model: 'openai:x', baseURL: 'http://h/v1', price: ${price} } } }`
  writeFileSync(path.join(cwd, 'aft.config.ts'), config)
  writeFileSync(path.join(cwd, 'two.jsonl'), '{"question":"1+1?","answer":"#### 2"}\n'.repeat(2))
  const few = ['--width', '2', '--max-tokens', '10', '--judge-max-tokens', '5', '--dry-run', '-o', 'none']

  test('the controls share their proposals', async () => {
    const args = ['eval', 'gsm8k', 'two.jsonl', '--model', 'paid', ...few]
    const { code, stdout } = await aft(args, { cwd })
    expect({ code, stdout }).toEqual({
      code: 0,
      // a question: 3 completions of the aggregation, one more proposal, one answer of 30 tokens, and two judgments
      stdout: expect.stringMatching(
        /^questions +2\ncontrols +7\ncalls +at most 12\ntokens in +at most [\d,]+\ntokens out +at most 160\ncost +at most \$(1[6-9]|2\d)\.\d\d\n/,
      ),
    })
  })

  test('of chosen controls, the widest samples what the others share', async () => {
    const args = ['eval', 'gsm8k', 'two.jsonl', '--model', 'paid', ...few]
    const told = async (controls: string) => (await aft([...args, '--controls', controls], { cwd })).stdout
    expect(await told('single,majority-same')).toMatch(/\ncalls +at most 2\n.*\ntokens out +at most 60\n/)
    expect(await told('single,aggregated')).toMatch(/\ncalls +at most 4\n.*\ntokens out +at most 60\n/)
    expect(await told('single,single-long')).toMatch(/\ncalls +at most 4\n.*\ntokens out +at most 80\n/)
  })

  test('an engine without a price has no known cost', async () => {
    const args = ['eval', 'gsm8k', 'two.jsonl', '--model', 'paid', '--judge', 'openai:x', ...few]
    expect((await aft(args, { cwd })).stdout).toMatch(/\ncost +unknown \(aft.config.ts can give the price\)/)
    const free = ['eval', 'gsm8k', 'two.jsonl', '--model', 'scripted:echo', ...few]
    expect((await aft(free, { cwd })).stdout).toMatch(/\ncost +none\n/)
  })

  test('a grid samples its proposals once, and the layers of each width once', async () => {
    const grid = ['--widths', '2,4', '--depths', '0,1,2', '--max-tokens', '10', '--dry-run', '-o', 'none']
    const args = ['analyze', 'scaling', 'two.jsonl', '--model', 'paid', ...grid]
    const { stdout } = await aft(args, { cwd })
    // a question: 4 proposals, then 4 + 1 + 1 completions of width 4 and 2 + 1 + 1 of width 2
    expect(stdout).toMatch(/\ncalls +at most 14\n[^$]*tokens out +at most 280\ncost +at most \$/)
  })

  test('a grid of puzzles may have another aggregator, and needs a file', async () => {
    const messages = [{ role: 'user', content: 'Go.' }]
    write('puzzle.json', [{ messages, target: '(1) A B' }])
    const args = [
      'analyze',
      'scaling',
      '--task',
      'puzzles',
      '--model',
      'scripted:echo',
      '--aggregators',
      'paid',
    ]
    const grid = ['--widths', '2', '--depths', '1', '--order', 'reversed', '--max-tokens', '10', '-o', 'none']
    const { stdout } = await aft([...args, 'puzzle.json', ...grid, '--dry-run'], { cwd })
    expect(stdout).toMatch(/\ntokens out +at most 30\ncost +at most \$1\./) // the free model proposes
    const { stderr } = await aft([...args, '--official', ...grid], { cwd })
    expect(stderr).toContain('--task puzzles: expected a file of questions')
  })

  test('MT-Bench has two turns and two grades', async () => {
    const folder = path.join(cwd, 'bench')
    mkdirSync(folder)
    const question = { question_id: 1, category: 'writing', turns: ['Write.', 'Rewrite.'] }
    writeFileSync(path.join(folder, 'question.jsonl'), JSON.stringify(question))
    writeFileSync(
      path.join(folder, 'reference-gpt-4.jsonl'),
      JSON.stringify({ question_id: 2, choices: [{ turns: ['a', 'b'] }] }),
    )
    const names = ['single-v1', 'single-math-v1', 'single-v1-multi-turn', 'single-math-v1-multi-turn']
    const prompts = names.map((name) => JSON.stringify({ name, system_prompt: '', prompt_template: '' }))
    writeFileSync(path.join(folder, 'judge_prompts.jsonl'), prompts.join('\n'))
    const args = ['eval', 'mt-bench', 'bench', '--model', 'paid', '--judge', 'paid', '--depth', '1', ...few]
    const { stdout } = await aft(args, { cwd })
    expect(stdout).toMatch(/^questions +1 of two turns\ncalls +at most 6\n/)
    expect(stdout).toMatch(/\ntokens out +at most 70\ncost +at most \$7\.\d\d\n/)
  })
})

describe('--official fetches the file of its owner', () => {
  test('and says what to do if that fails', async () => {
    const env = { AFT_CACHE_DIR: path.join(cwd, 'cache'), AFT_GITHUB_RAW: 'http://127.0.0.1:1' }
    const args = ['eval', 'gsm8k', '--official', '--model', 'scripted:echo', '-o', 'none']
    const { code, stderr } = await aft(args, { cwd, env })
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: \S+: cannot get gsm8k's test.jsonl: fetch failed/)
    const judging = ['eval', 'alpaca-eval', ...files, '--official']
    expect((await aft(judging, { cwd, env })).stderr).toContain('alpaca_eval_clf.txt: fetch failed')
    const fetching = ['eval', 'fetch', 'mt-bench', 'answers']
    expect((await aft(fetching, { cwd, env })).stderr).toContain(
      '(questions, references, prompts), got "answers"',
    )
    expect((await aft(['eval', 'fetch', 'mmlu'], { cwd, env })).stderr).toContain('got "mmlu"')
    const hub = { ...env, HF_ENDPOINT: 'http://127.0.0.1:1' }
    const rates = ['eval', 'win-rate', '--annotations', 'a.json', '--official']
    expect((await aft(rates, { cwd, env: hub })).stderr).toContain('df_gamed.csv: fetch failed')
    const grid = ['analyze', 'scaling', '--official', '--model', 'scripted:echo', '-o', 'none']
    expect((await aft(grid, { cwd, env })).stderr).toContain("cannot get gsm8k's test.jsonl")
  })

  test.each([
    [['gsm8k', '--model', 'x', '-o', 'none'], 'expected a file of questions, or --official'],
    [['gsm8k', 'two.jsonl', '--official', '--model', 'x', '-o', 'none'], 'or --official, got both'],
    [
      ['gsm8k', 'two.jsonl', '--model', 'x', '--controls', 'single,best', '-o', 'none'],
      'oracle-same, judge, judge-same, majority, majority-same, majority-parts, majority-parts-same, aggregated, trained, got best',
    ],
    [
      ['gsm8k', 'two.jsonl', '--model', 'x', '--controls', 'trained', '-o', 'none'],
      'expected a trained aggregator',
    ],
    [['gsm8k', 'official', '--model', 'x', '-o', 'none'], 'use --official'],
    [['mt-bench', '--model', 'x', '--judge', 'x', '-o', 'none'], 'or --official, which downloads'],
    [['win-rate', '--annotations', 'a.json', '--gamed', 'official'], 'use --official'],
  ])('and what is missing, twice there, or of earlier versions is told: %s', async (args, told) => {
    const { code, stderr } = await aft(['eval', ...args], { cwd })
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(told) })
  })
})

test('aft eval table crosses models and ways to answer, from packed lines too', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'aft-table-'))
  const write = (name: string, right: number[]) => {
    const lines = right.map((one, i) => {
      const answer = (control: string, score: number) => ({ control, text: '', scores: { whole: score } })
      const answers = [answer('single', 0), answer('aggregated', one)]
      return JSON.stringify({ id: String(i), prompt: '', proposals: [], answers })
    })
    writeFileSync(path.join(folder, name), gzipSync(lines.join('\n')))
    return path.join(folder, name)
  }
  const [sft, tuned] = [write('a.jsonl.gz', [0, 0, 0, 0, 0, 0]), write('b.jsonl.gz', [1, 1, 1, 1, 1, 1, 0])]
  const { stdout } = await aft(['eval', 'table', `SFT=${sft}`, `AFT=${tuned}`])
  expect(stdout).toMatch(/^whole: 6 questions that all have, 1 seed; .* \(3 tests\)/)
  expect(stdout).toMatch(
    /prompted aggregator +0\.0 \[0\.0, 45\.9\] +\+0\.0 +1\.000 +100\.0 \[54\.1, 100\.0\] +\+100\.0 +0\.094/,
  )
  const { code, stderr } = await aft(['eval', 'table', folder])
  expect([code, stderr]).toEqual([
    2,
    expect.stringContaining('expected a folder of `aft eval` with questions.jsonl'),
  ])
})
