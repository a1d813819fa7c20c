import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { aft } from '../../../test/command-line.ts'

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

test('tells beforehand what it would take', async () => {
  const { code, stdout } = await aft(['eval', 'alpaca-eval', ...files, '--dry-run'], { cwd })
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^pairs +3\ncalls +3\n/) })
})

test('without a baseline says where one is looked for', async () => {
  const { code, stderr } = await aft(['eval', 'alpaca-eval', ...files.slice(0, 2), '--judge', 'x'], { cwd })
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('gpt4_1106_preview.json') })
})
