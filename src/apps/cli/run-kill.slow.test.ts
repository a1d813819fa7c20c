import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { aft } from '../../../test/command-line.ts'

const KILLS = 7
const PROMPTS = 60

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cli-kill-'))
  const rows = Array.from(
    { length: PROMPTS },
    (_, i) => `${JSON.stringify({ instruction: `question ${i}` })}\n`,
  )
  writeFileSync(join(folder, 'p.jsonl'), rows.join(''))
  writeFileSync(join(folder, 'script.json'), '{"echo":true,"delayMs":6}')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const run = (out: string, during?: (child: ChildProcess) => void) =>
  aft(['run', 'p.jsonl', '-o', out, '--model', 'scripted:script.json', '--width', '3', '--depth', '2'], {
    cwd: folder,
    during,
  })
const read = (name: string) => readFileSync(join(folder, name), 'utf8')
const countLines = (name: string) => (existsSync(join(folder, name)) ? read(name).split('\n').length - 1 : 0)

/** Kills once the journal has grown by so many lines: it strikes while completions are under way. */
async function killAfter(child: ChildProcess, lines: number): Promise<void> {
  const wanted = countLines('b.jsonl.journal') + lines
  while (child.exitCode === null && countLines('b.jsonl.journal') < wanted) await delay(2)
  child.kill('SIGKILL')
}

test(`killed ${KILLS} times at random and started again each time, it ends with the bytes of an undisturbed run`, async () => {
  expect((await run('a.jsonl')).code).toBe(0)
  for (let kill = 0; kill < KILLS; kill++) {
    const { signal } = await run('b.jsonl', (child) => killAfter(child, 1 + Math.floor(Math.random() * 80)))
    // On a slow machine each kill comes late, and the run may end before the last ones.
    if (signal !== 'SIGKILL' && kill > 2) break
    expect(signal).toBe('SIGKILL')
    expect(existsSync(join(folder, 'b.jsonl'))).toBe(false)
  }
  expect((await run('b.jsonl')).code).toBe(0)
  expect(read('b.jsonl')).toBe(read('a.jsonl'))
  const made = read('b.jsonl.journal')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter((record) => record.type === 'completion')
    .map(({ prompt, layer, index }) => `${prompt} ${layer} ${index}`)
  expect(made).toHaveLength(PROMPTS * 7)
  expect(new Set(made).size).toBe(made.length)
})
