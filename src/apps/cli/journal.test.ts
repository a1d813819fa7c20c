import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { aftHere } from '../../../test/aft-here.ts'
import { scripted, useRunFolder } from './run-folder.fixture.ts'

const { aft, answers, at, run, writePrompts, expectNothingTwice } = useRunFolder(aftHere)
const journal = 'a.jsonl.journal'
const lines = () => readFileSync(at(journal), 'utf8').split('\n').slice(0, -1)

test('a whole journal is good, and repair leaves it as it is', async () => {
  writePrompts(3)
  await run(scripted)
  const before = readFileSync(at(journal), 'utf8')
  const { code, stdout } = await aft(['journal', 'check', journal])
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: expect.stringMatching(/: run, \d+ lines; 3 items: 3 done, 0 failed, 0 open\n$/),
  })
  expect((await aft(['journal', 'repair', journal])).stdout).toContain('nothing to repair')
  expect(readFileSync(at(journal), 'utf8')).toBe(before)
})

test('a damaged one is refused by a run, named line by line, repaired, and resumed', async () => {
  writePrompts(3)
  await run(scripted)
  const clean = answers().map(({ answer }) => answer)
  const whole = lines()
  const found = whole.findIndex((line) => line.includes('"type":"completion"'))
  const spoilt = whole.map((line, i) => {
    if (i === found) return line.slice(10)
    return i === found + 1 ? line.replace('"layer":0', '"layer":300000000') : line
  })
  const foreign = '{"type":"answer","prompt":"nobody"}'
  writeFileSync(at(journal), `${[...spoilt, foreign, '\0\0\0'].join('\n')}\n{"type":"comp`)
  expect((await run(scripted)).code).not.toBe(0)
  const check = await aft(['journal', 'check', journal])
  expect(check.code).toBe(1)
  for (const line of [found + 1, found + 2, whole.length + 1, whole.length + 2])
    expect(check.stdout).toContain(`${journal}:${line}: `)
  expect(check.stdout).toContain('got 300000000')
  expect(check.stdout).toContain('the last line was cut')
  expect((await aft(['journal', 'repair', journal])).code).toBe(0)
  expect(readFileSync(at(`${journal}.bad`), 'utf8')).toContain('nobody')
  expect((await aft(['journal', 'check', journal])).code).toBe(0)
  expect((await run(scripted)).code).toBe(0)
  expect(answers().map(({ answer }) => answer)).toEqual(clean)
  expect(existsSync(at(`${journal}.tmp`))).toBe(false)
  expectNothingTwice(new Set(lines().filter((line) => line.includes('"completion"'))).size)
})

test.each([
  ['p.jsonl', 'expected a journal, got no header'],
  ['none', 'there is no such file'],
  ['.', 'is a folder'],
])('%s is no journal', async (name, problem) => {
  writePrompts(1)
  expect(await aft(['journal', 'check', name])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(problem),
  })
})

test('a journal in use is not repaired', async () => {
  const { takeLock } = await import('../../lib/lock.ts')
  writePrompts(1)
  await run(scripted)
  const lock = takeLock(`${at(journal)}.lock`)
  expect((await aft(['journal', 'repair', journal])).stderr).toContain('in use by another process')
  lock?.release()
})
