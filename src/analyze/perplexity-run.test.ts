import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { runPerplexity } from './perplexity-run.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'perplexity-run-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('a journal of 0.1.0 is resumed: it has `mostChars`, which is `maxChars` now', async () => {
  const journal = path.join(folder, 'journal.jsonl')
  let scored = 0
  const score = async (maxChars: number) =>
    runPerplexity({
      journal,
      version: '0.2.0',
      engine: {
        id: 'reader',
        async *generate() {},
        async score() {
          scored++
          return [{ token: 'x', logprob: -1 }]
        },
      },
      cases: [{ id: 'a', target: 'x', drafts: [], prompts: { none: [{ role: 'user', content: 'q' }] } }],
      made: { format: 'responses', maxChars },
    })
  const first = await score(500)
  writeFileSync(journal, readFileSync(journal, 'utf8').replace('"maxChars":500', '"mostChars":500'))
  expect(await score(500)).toEqual(first)
  expect(scored).toBe(1)
  await expect(score(400)).rejects.toThrow('maxChars: the journal has 500, now it is 400')
})
