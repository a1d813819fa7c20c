import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { aftHere as aft } from '../../../../test/aft-here.ts'

const cwd = mkdtempSync(path.join(tmpdir(), 'analyze-'))
const read = (name: string) => readFileSync(path.join(cwd, name), 'utf8')
const write = (name: string, rows: object[]) => {
  mkdirSync(path.dirname(path.join(cwd, name)), { recursive: true })
  writeFileSync(path.join(cwd, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
}

test('what cannot be scored is refused before a model is opened', async () => {
  const row = { prompt: 'Name a river.', responses: ['The Nile.', 'The Rhine.'], target: 'The Nile.' }
  write('rows.jsonl', [row, { ...row, prompt: 'Name a long river.' }])
  const of = (...args: string[]) =>
    aft(['analyze', 'perplexity', ...args, '--model', 'x', '-o', 'none'], { cwd })
  expect((await of('rows.jsonl')).stderr).toContain(
    'expected train.jsonl or validation.jsonl of a built folder',
  )
  expect((await of('rows.jsonl', '--format', 'responses')).stderr).toContain(
    '2 left out: fewer than 5 responses',
  )
  expect((await of('rows.jsonl', '--format', 'responses', '--target-file', 'x.json')).stderr).toContain(
    'x.json does not exist',
  )
  expect(await of('rows.jsonl', '--format', 'responses', '--target', 'x.json')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('expected gold or best (a file: --target-file), got "x.json"'),
  })
  expect((await of('nothing')).stderr).toContain('there is no such file or folder')
})

test('training runs are compared by groups, and the result is drawn', async () => {
  for (const [run, gain] of Object.entries({ a1: 1, a2: 1.2, b1: 0.5, b2: 0.4 })) {
    write(
      `${run}/metrics.jsonl`,
      [1, 2, 3].map((step) => ({ step, loss: 3 - step / 2, gradNorm: step })),
    )
    write(
      `${run}/eval.jsonl`,
      [0, 2, 4].map((step) => ({ step, loss: 3 - (gain * step) / 4, tokens: step * 100 })),
    )
  }
  write('a1/run.json', [{ recipe: { seed: 7, base: 'small', rows: 'aft' }, dataSha256: 'abc' }])
  write('a1/aft-model.json', [{ templates: [{ id: 'aft-1', sha256: 'def' }] }])
  const groups = ['--group', 'a=a1,a2', '--group', 'b=b1,b2']
  const { code, stdout } = await aft(['analyze', 'convergence', ...groups, '-o', 'curves'], { cwd })
  expect(code).toBe(0)
  expect(stdout).toMatch(/^ +a \(2 runs\) +b \(2 runs\) +b minus a\n/)
  expect(stdout).toMatch(/90 % of the improvement, step +3\.6 \[3\.6, 3\.6\]/)
  expect(JSON.parse(read('curves/result.json')).settings['run a1']).toBe(
    'seed: 7; base: small; rows: aft; data, SHA-256: abc; template: aft-1, SHA-256 def',
  )
  expect(await aft(['report', 'curves', '-o', 'curves.html'], { cwd })).toMatchObject({ code: 0, stderr: '' })
  expect(read('curves.html').match(/<svg/g)).toHaveLength(3)
  const alone = await aft(['analyze', 'convergence', 'a1', 'b1', '--json'], { cwd })
  expect(JSON.parse(alone.stdout)).toMatchObject({
    groups: [{ group: 'a1' }, { group: 'b1' }],
    differences: [],
  })
  expect((await aft(['analyze', 'convergence'], { cwd })).stderr).toContain('expected folders of `aft train`')
  expect((await aft(['analyze', 'convergence', '--group', 'a1'], { cwd })).stderr).toContain('NAME=FOLDER')
})
