/** What may go wrong before a run: each has a message that says what to do, and an exit code. Its slow twin is about what comes after. */
import { existsSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { aftHere } from '../../../test/aft-here.ts'
import { canMount, scripted, small, useRunFolder } from './run-folder.fixture.ts'

const { aft, answers, at, run, withMount, writePrompts } = useRunFolder(aftHere)

describe('wrong usage ends with exit code 2 before any request', () => {
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
    const { code, stderr } = await aft(['run', 'p.jsonl', '-o', 'file/a.jsonl', ...scripted])
    expect(code).toBe(2)
    expect(stderr).toMatch(/error: file: a part of the path is a file, not a folder/)
  })

  test.skipIf(!canMount())('an output folder on a read-only file system', async () => {
    writePrompts(1)
    await withMount('ro', 'ro,size=64k', async () => {
      const { code, stderr } = await aft(['run', 'p.jsonl', '-o', 'ro/a.jsonl', ...scripted])
      expect({ code, stderr }).toEqual({
        code: 2,
        stderr: 'error: ro/a.jsonl.journal: is on a read-only file system\n',
      })
    })
  })
})

test('a corrupt model file is named before any request', async () => {
  writePrompts(1)
  writeFileSync(at('broken.gguf'), Buffer.alloc(4096, 7))
  const { code, stderr } = await run(['--model', 'gguf:broken.gguf'])
  expect(code).toBe(1)
  expect(stderr).toMatch(/^error: broken\.gguf: .*\n$/)
})

test.each([
  ['torn', '{"prompt":"a"}\n{"prompt":"b', /^error: p\.jsonl:2: expected JSON: Unterminated string/],
  [
    'wrong',
    '{"prompt":"a"}\n{"text":"b"}\n{"prompt":"c"}\n',
    /^error: p\.jsonl:2: expected a question; `text` alone is for language modeling/,
  ],
])('a %s line of prompts is named before any request', async (_, content, message) => {
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
  expect(stderr).toMatch(/^failed: prompt 1: context-overflow: .*400 tokens.*the context has 300/)
  expect(answers().map((a) => a.error?.kind)).toEqual([undefined, 'context-overflow', undefined])
})
