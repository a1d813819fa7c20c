/** Evaluations from end to end: a real model, the published checker, the harness. Takes two to four minutes, mostly the model. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { aft } from './command-line.ts'

const data = path.join(import.meta.dirname, '../../shared/data')
const cwd = mkdtempSync(path.join(tmpdir(), 'evaluation-'))
const file = (name: string) => path.join(cwd, name)
const head = (name: string, lines: number) =>
  readFileSync(path.join(data, name), 'utf8').split('\n').slice(0, lines)

describe.skipIf(!existsSync(data))('with the data sets (needs ../shared/data)', () => {
  test('GSM8K on the embedded model, killed on the way, becomes a table and a page', async () => {
    writeFileSync(file('gsm8k.jsonl'), head('gsm8k/test.jsonl', 2).join('\n'))
    const args = ['eval', 'gsm8k', 'gsm8k.jsonl', '--model', 'smollm2', '--width', '2', '--max-tokens', '24']
    const small = ['--judge-max-tokens', '16', '--concurrency', '1', '--threads', '1']
    const run = (more: object = {}) => aft([...args, ...small, '--json', '-o', 'gsm8k'], { cwd, ...more })
    const journal = () =>
      existsSync(file('gsm8k/journal.jsonl')) ? readFileSync(file('gsm8k/journal.jsonl'), 'utf8') : ''
    const killed = await run({
      during: (child: { kill(signal: string): void }) => {
        const watch = setInterval(() => {
          if (!journal().includes('"type":"part"')) return
          clearInterval(watch)
          child.kill('SIGKILL')
        }, 20)
      },
    })
    const before = journal().match(/"type":"part"/g)?.length ?? 0
    const whole = await run()
    expect({ code: whole.code, stderr: whole.code === 0 ? '' : whole.stderr }).toEqual({
      code: 0,
      stderr: '',
    })
    const result = JSON.parse(whole.stdout)
    expect(result).toMatchObject({ n: 2, asked: 2 })
    expect(result.rows).toHaveLength(8)
    for (const row of result.rows) {
      expect(row.output_tokens).toBeGreaterThan(0)
      expect(row.scores.strict.mean).toBeGreaterThanOrEqual(0)
    }
    // a question has seven parts; parts from before the kill were not made again
    expect(killed.signal === 'SIGKILL' || killed.code === 137 || killed.code === 0).toBe(true)
    expect(journal().match(/"type":"part"/g)).toHaveLength(14)
    expect(before).toBeGreaterThan(0)
    expect((await aft(['report', 'gsm8k', '-o', 'page.html'], { cwd })).code).toBe(0)
  })

  test('IFEval is checked by the published checker, prompts that it cannot check are counted', async () => {
    const rules = [
      { system: 'Candidates:', replies: ['1'] },
      { replies: ['no comma here', 'a, b'], pick: 'seed' },
    ]
    writeFileSync(file('script.json'), JSON.stringify({ rules }))
    writeFileSync(file('ifeval.jsonl'), head('ifeval/input_data.jsonl', 60).join('\n'))
    const args = ['--model', 'scripted:script.json', '--width', '2', '--json', '-o', 'ifeval']
    const { code, stdout, stderr } = await aft(['eval', 'ifeval', 'ifeval.jsonl', ...args], { cwd })
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
    const result = JSON.parse(stdout)
    const left = Object.values(result.left_out as Record<string, number>).reduce((a, b) => a + b, 0)
    expect(result.n + left).toBe(60)
    expect(result.rows.map((row: { control: string }) => row.control)).not.toContain('majority')
    const [single] = result.rows
    expect(single.scores['prompt loose'].mean).toBeGreaterThanOrEqual(single.scores['prompt strict'].mean)
    expect(single.scores['instruction strict'].mean).toBeGreaterThan(0)
  })

  test('the harness runs a task file against the server', async () => {
    writeFileSync(file('script.json'), JSON.stringify({ rules: [{ replies: ['It is 18', 'So 18'] }] }))
    writeFileSync(file('three.jsonl'), head('gsm8k/test.jsonl', 3).join('\n'))
    const task = `task: three
dataset_path: json
dataset_kwargs: {data_files: {test: ${file('three.jsonl')}}}
test_split: test
output_type: generate_until
doc_to_text: "{{question}}"
doc_to_target: "{{answer.split('####')[-1].strip()}}"
generation_kwargs: {until: []}
filter_list: [{name: last, filter: [{function: regex, regex_pattern: "([0-9]+)", group_select: -1}, {function: take_first}]}]
metric_list: [{metric: exact_match, aggregation: mean, higher_is_better: true}]
`
    writeFileSync(file('three.yaml'), task)
    const where = ['--tasks', 'three', '--include-path', '.', '--offline', '-o', 'harness']
    const how = ['--model', 'scripted:script.json', '--width', '2', '--depth', '1']
    const { code, stdout, stderr } = await aft(['eval', 'harness', ...where, ...how], { cwd })
    expect({ code, stderr: code === 0 ? '' : stderr.slice(-2000) }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/\|three\|.*exact_match\|.*0\.3333/)
  })
})
