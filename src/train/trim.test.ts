import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Message, textOf } from '../core/provider/engine.ts'
import { DataError } from '../core/provider/errors.ts'
import type { Template } from '../core/provider/template.ts'
import { makeExample } from '../data/make-example.ts'
import { defaultTemplate, paperTemplate } from '../plans/wordings.ts'
import { TrainingError } from './launch.ts'
import { type LongRow, shorten, trimRows } from './trim.ts'

const words = (count: number, word: string) =>
  Array.from({ length: count }, (_, i) => `${word}${i}`).join(' ')
const count = async (messages: Message[]) => messages.map(textOf).join(' ').split(/\s+/).length
const draft = {
  id: 'it',
  source: 'test',
  target: words(50, 'target'),
  conversation: [{ role: 'user' as const, content: 'Why?' }],
  proposals: [words(300, 'a'), 'short', words(200, 'b')].map((text) => ({ text, model: 'm' })),
}
const build = async (maxTokens = 10_000, template: Template = paperTemplate) => {
  const budget = { maxTokens, countTokens: count, tooLong: 'trim' as const }
  return (await makeExample(draft, template, budget)) as LongRow
}
const place = { file: 'data/train.jsonl', line: 7, tokens: 690, count }

describe('a row that is too long', () => {
  test('becomes the same as in a build with that limit', async () => {
    const long = await build()
    const [system] = (await build(400)).prompt
    expect(await count([...long.prompt, ...long.completion])).toBeGreaterThan(400)
    expect(await shorten(long, { ...place, maxLength: 400 })).toBe(system?.content)
  })

  test('may show its proposals after the conversation', async () => {
    const long = await build(10_000, defaultTemplate)
    const shorter = (await build(400, defaultTemplate)).prompt
    expect(await shorten(long, { ...place, maxLength: 400 })).toBe(shorter.at(-1)?.content)
    expect(shorter[0]).toEqual(draft.conversation[0])
  })

  test.each<[string, (row: LongRow) => LongRow, number, RegExp]>([
    [
      'that has no proposals',
      (row) => ({ ...row, proposals: [] }),
      400,
      /it has no proposals that could be cut/,
    ],
    [
      'whose proposals cannot be found',
      (row) => ({ ...row, proposals: [{}, {}, {}] }),
      400,
      /does not have the places of its proposals, so they cannot be cut; build the data again/,
    ],
    [
      'that does not fit even so',
      (row) => row,
      150,
      /does not fit even if each proposal is cut to 200 characters/,
    ],
  ])('%s is refused by file and line', async (_, change, maxLength, message) => {
    const refused = shorten(change(await build()), { ...place, maxLength })
    await expect(refused).rejects.toThrow(DataError)
    await expect(refused).rejects.toThrow(message)
    await expect(refused).rejects.toThrow(/^data\/train.jsonl:7: has 690 tokens, and max_length is/)
  })
})

describe('if Python counts the lengths,', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'aft-trim-'))
  const out = path.join(folder, 'trimmed.jsonl')
  const start = (script: string, signal = new AbortController().signal) => {
    const python = path.join(folder, 'python')
    writeFileSync(python, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
    const files = { config: 'trl.yaml', request: 'request.json', out, files: [] }
    return trimRows({ ...files, python, maxLength: 9, isOffline: true, isOnCpu: true, signal })
  }

  test('a failure is an error with its message', async () => {
    const failed = start('echo "no module named yaml" >&2; exit 1')
    await expect(failed).rejects.toThrow(TrainingError)
    await expect(failed).rejects.toThrow('cannot be counted: no module named yaml')
  })

  test('a killed Python is an error', async () => {
    await expect(start('kill -9 $$')).rejects.toThrow('cannot be counted: Python ended by SIGKILL')
  })

  test('a refused row is left to the preflight, which names its place', async () => {
    expect(await start('exit 3')).toBe(0)
    expect(readFileSync(out, 'utf8')).toBe('')
  })

  test('an abort ends Python', async () => {
    const [stop, reason] = [new AbortController(), new Error('enough')]
    const started = start('exec sleep 20', stop.signal)
    setTimeout(() => stop.abort(reason), 50)
    await expect(started).rejects.toBe(reason)
  })
})
