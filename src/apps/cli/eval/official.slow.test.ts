/** Whether every command finds the owners' files, served here from the shared copies. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { aft } from '../../../../test/command-line.ts'

const shared = path.join(import.meta.dirname, '../../../../../shared/data')
const cwd = mkdtempSync(path.join(tmpdir(), 'official-'))
for (const name of ['own', 'base']) {
  const rows = [{ instruction: 'a', output: `${name} says a`, generator: name }]
  writeFileSync(path.join(cwd, `${name}.json`), JSON.stringify(rows))
}
const files = ['--outputs', 'own.json', '--baseline', 'base.json', '--judge', 'scripted:echo']

test('a file of a benchmark is fetched once, in every command whose --official needs it', async () => {
  const places: Record<string, string> = {
    'alpaca_eval_clf.txt': 'alpaca-eval/judge-template.txt',
    'mt_bench/question.jsonl': 'mt-bench/question.jsonl',
    'gpt-4.jsonl': 'mt-bench/reference-gpt-4.jsonl',
    'judge_prompts.jsonl': 'mt-bench/judge_prompts.jsonl',
    'test.jsonl': 'gsm8k/test.jsonl',
  }
  const asked: string[] = []
  const server = createServer(({ url = '' }, response) => {
    asked.push(url)
    const [, file = ''] = Object.entries(places).find(([end]) => url.endsWith(end)) ?? []
    response.end(readFileSync(path.join(shared, file)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const AFT_GITHUB_RAW = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const env = { AFT_CACHE_DIR: path.join(cwd, 'official'), AFT_GITHUB_RAW }
  const dry = ['--model', 'scripted:echo', '--dry-run', '-o', 'none']
  for (let i = 0; i < 2; i++) {
    const gsm8k = await aft(['eval', 'gsm8k', '--official', ...dry], { cwd, env })
    expect(gsm8k.stdout).toMatch(/^questions +1,319\n/)
    const mtBench = await aft(['eval', 'mt-bench', '--official', ...dry, '--judge', 'scripted:echo'], {
      cwd,
      env,
    })
    expect(mtBench.stdout).toMatch(/^questions +80 of two turns\n/)
    const lengths = ['--gamed', 'own.json', '--instruction-difficulty', 'own.json']
    const judging = ['eval', 'alpaca-eval', ...files, ...lengths, '--official', '--dry-run']
    expect((await aft(judging, { cwd, env })).stdout).toContain('alpaca_eval_clf_gpt4_turbo, 784227e6')
  }
  const { stdout } = await aft(['eval', 'fetch', 'mt-bench', 'prompts', 'questions'], { cwd, env })
  expect(stdout.split('\n').map((line) => path.basename(line))).toEqual([
    'judge_prompts.jsonl',
    'question.jsonl',
    '',
  ])
  expect(asked).toHaveLength(5)
  server.close()
})
