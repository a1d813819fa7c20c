/** What may go wrong around a run: each has a message that says what to do, an exit code, and loses nothing finished. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AftOptions, aft } from '../../../test/command-line.ts'
import { isSlow } from '../../../test/slow.ts'

/** Only registered in the slow set. */
const slowTest = isSlow ? test : () => {}

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cli-faults-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const at = (name: string) => join(folder, name)
function writePrompts(count: number): void {
  const rows = Array.from(
    { length: count },
    (_, i) => `${JSON.stringify({ prompt: `question ${i} of many` })}\n`,
  )
  writeFileSync(at('p.jsonl'), rows.join(''))
}
const run = (args: string[], options?: AftOptions) =>
  aft(['run', 'p.jsonl', '-o', 'a.jsonl', ...args], { cwd: folder, ...options })
const small = ['--width', '2', '--depth', '1']
const scripted = ['--model', 'scripted:echo', ...small]

const readLines = (file: string) =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
const answers = () => readLines(at('a.jsonl'))
/** Completions in the journal, each once. */
function expectNothingTwice(count: number): void {
  const made = readLines(at('a.jsonl.journal'))
    .filter((record) => record.type === 'completion')
    .map(({ prompt, layer, index }) => `${prompt} ${layer} ${index}`)
  expect(new Set(made).size).toBe(made.length)
  expect(made).toHaveLength(count)
}

describe('wrong usage ends with exit code 2 before anything is asked', () => {
  test.each([
    ['an unknown model', ['--model', 'smollm3'], /unknown engine "smollm3".*did you mean smollm2\?/],
    ['width 0', ['--width', '0'], /--width: expected a whole number from 1, got "0"/],
    ['depth -1', ['--depth', '-1'], /--depth: expected a whole number from 0, got "-1"/],
    ['a folder as output', ['-o', '.'], /\.: is a folder; expected a file/],
    ['concurrency 0', ['--concurrency', '0'], /--concurrency: expected a whole number from 1/],
    ['an unknown format', ['--output-format', 'csv'], /expected one of jsonl, alpaca-eval, got "csv"/],
  ])('%s', async (_, args, message) => {
    writePrompts(1)
    expect(await run(args)).toMatchObject({ code: 2, stderr: expect.stringMatching(message), stdout: '' })
    expect(existsSync(at('a.jsonl.journal'))).toBe(false)
  })

  test('a missing file of prompts', async () => {
    expect(await run(scripted)).toMatchObject({
      code: 2,
      stderr: 'error: p.jsonl: there is no such file or folder\n',
    })
  })

  test('an output folder that is a file', async () => {
    writePrompts(1)
    writeFileSync(at('file'), '')
    const { code, stderr } = await aft(['run', 'p.jsonl', '-o', 'file/a.jsonl', ...scripted], { cwd: folder })
    expect(code).toBe(2)
    expect(stderr).toMatch(/error: file: a part of the path is a file, not a folder/)
  })

  test.skipIf(!canMount())('an output folder on a read-only file system', async () => {
    writePrompts(1)
    mkdirSync(at('ro'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro,size=64k', 'tmpfs', at('ro')])
    try {
      const { code, stderr } = await aft(['run', 'p.jsonl', '-o', 'ro/a.jsonl', ...scripted], { cwd: folder })
      expect({ code, stderr }).toEqual({
        code: 2,
        stderr: 'error: ro/a.jsonl.journal: is on a read-only file system\n',
      })
    } finally {
      execFileSync('umount', [at('ro')])
    }
  })

  slowTest('a second run on the same journal, and the first is not disturbed', async () => {
    writePrompts(40)
    writeFileSync(at('slow.json'), '{"echo":true,"delayMs":100}')
    const args = ['--model', 'scripted:slow.json', ...small]
    const first = run(args)
    while (!existsSync(at('a.jsonl.journal'))) await new Promise((resolve) => setTimeout(resolve, 10))
    expect(await run(args)).toMatchObject({
      code: 2,
      stderr:
        'error: a.jsonl.journal: is in use by another process: wait for it to end, or give another -o\n',
    })
    expect((await first).code).toBe(0)
    expectNothingTwice(40 * 3)
  })
})

test('a corrupt model file is named before anything is asked', async () => {
  writePrompts(1)
  writeFileSync(at('broken.gguf'), Buffer.alloc(4096, 7))
  const { code, stderr } = await run(['--model', 'gguf:broken.gguf'])
  expect(code).toBe(1)
  expect(stderr).toMatch(/^error: broken\.gguf: .*\n$/)
})

test.each([
  [
    'torn',
    '{"prompt":"a"}\n{"prompt":"b',
    /^error: p\.jsonl:2: expected one JSON value.*is the last line cut\?/,
  ],
  [
    'wrong',
    '{"prompt":"a"}\n{"text":"b"}\n{"prompt":"c"}\n',
    /^error: p\.jsonl:2: expected one of messages, query, prompt, instruction/,
  ],
])('a %s line of prompts is named before anything is asked', async (_, content, message) => {
  writeFileSync(at('p.jsonl'), content)
  expect(await run(scripted)).toMatchObject({ code: 1, stderr: expect.stringMatching(message) })
  expect(existsSync(at('a.jsonl.journal'))).toBe(false)
})

test('a prompt longer than the context fails alone', async () => {
  const rows = ['short', 'long '.repeat(400), 'short too'].map((prompt) => `${JSON.stringify({ prompt })}\n`)
  writeFileSync(at('p.jsonl'), rows.join(''))
  writeFileSync(at('s.json'), '{"echo":true,"contextLength":300}')
  const { code, stderr } = await run(['--model', 'scripted:s.json', ...small, '--max-tokens', '50'])
  expect(code).toBe(1)
  expect(stderr).toMatch(/^failed: prompt 1: context-overflow: .*401 tokens.*the context has 300/)
  expect(answers().map((a) => a.error?.kind)).toEqual([undefined, 'context-overflow', undefined])
})

/** Mounting needs root, and a system that lets it. */
function canMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  const folder = mkdtempSync(join(tmpdir(), 'mount-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', folder], { stdio: 'ignore' })
    execFileSync('umount', [folder])
    return true
  } catch {
    return false
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
