import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { canShare } from './parallel-rows.ts'

const folder = mkdtempSync(join(tmpdir(), 'parallel-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const at = (name: string) => join(folder, name)

test('threads share only large JSON-lines files with one row per line', () => {
  const large = `${JSON.stringify({ prompt: 'x'.repeat(1_000) })}\n`.repeat(100)
  writeFileSync(at('large.jsonl'), large)
  writeFileSync(at('large.jsonl.gz'), gzipSync(large, { level: 0 }))
  writeFileSync(at('large.json'), `[${large.trimEnd().replaceAll('\n', ',\n')}]`)
  for (const name of ['large.jsonl', 'large.jsonl.gz', 'large.json']) truncateSync(at(name), 32e6)
  expect(canShare('responses', [at('large.jsonl')])).toBe(true)
  expect(canShare('journal', [at('large.jsonl')])).toBe(false)
  for (const name of ['large.jsonl.gz', 'large.json']) expect(canShare('responses', [at(name)])).toBe(false)
  writeFileSync(at('small.jsonl'), large.slice(0, 10_000))
  expect(canShare('responses', [at('small.jsonl')])).toBe(false)
})
