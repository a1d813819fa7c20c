/** Every write of a run fails once. The other commands: every-write.slow.test.ts. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { failEveryWrite } from './every-write.ts'

const prompts = ['Name a river.', 'Name a hill.'].map((prompt) => `${JSON.stringify({ prompt })}\n`).join('')

test('run: nothing is lost, torn or made twice, and each failure is said', async () => {
  const failed = await failEveryWrite({
    prepare: (folder) => writeFileSync(path.join(folder, 'p.jsonl'), prompts),
    args: ['run', 'p.jsonl', '-o', 'a.jsonl', '--model', 'scripted:echo', '--width', '2', '--no-progress'],
    outputs: ['a.jsonl'],
    journals: ['a.jsonl.journal'],
  })
  expect(failed).toBeGreaterThan(10)
})
