import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { aftHere } from '../../../test/aft-here.ts'
import { scripted, useRunFolder } from './run-folder.fixture.ts'

const { at, aft, run, writePrompts } = useRunFolder(aftHere)

test('prompts of a journal become a page, Markdown or JSON, and the page becomes the others', async () => {
  writePrompts(3)
  expect((await run(scripted)).code).toBe(0)
  for (const [from, to] of [
    ['a.jsonl.journal', 'a.html'],
    ['a.html', 'b.json'],
    ['b.json', 'b.md'],
  ] as const)
    expect(await aft(['export', from, '-o', to])).toMatchObject({ code: 0, stdout: `${to}\n`, stderr: '' })
  expect(readFileSync(at('a.html'), 'utf8')).toMatch(/^<!doctype html>[\s\S]*default-src 'none'/)
  const text = readFileSync(at('b.md'), 'utf8')
  for (const i of [0, 1, 2]) expect(text).toContain(`> question ${i} of many`)
  expect(text.match(/^### Proposal 2 \(scripted:echo, \d+ tokens\)$/gm)).toHaveLength(3)
  const few = await aft(['export', 'a.jsonl.journal', '--limit', '1', '-o', 'c.md', '--title', 'Mine'])
  expect(few.stderr).toBe('1 of 3 prompts: --prompt-id or --limit chooses others\n')
  expect(readFileSync(at('c.md'), 'utf8')).toMatch(/^# Mine\n/)
})

test('what cannot be exported is an error that says what to do, and leaves no file', async () => {
  writePrompts(1)
  await run(scripted)
  const journal = 'a.jsonl.journal'
  const [{ id }] = readFileSync(at(journal), 'utf8')
    .split('\n')
    .slice(1, 2)
    .map((line) => JSON.parse(line))
  expect(await aft(['export', journal, '--prompt-id', 'zzz', '-o', 'x.md'])).toMatchObject({
    code: 2,
    stderr: `error: ${journal} has no prompt "zzz"; there are: ${id}\n`,
  })
  expect(await aft(['export', journal, '-o', 'x.pdf'])).toMatchObject({
    code: 2,
    stderr: 'error: --output: expected a name that ends in .html, .md or .json, got "x.pdf"\n',
  })
  expect((await aft(['export', 'p.jsonl', '-o', 'x.md'])).stderr).toContain(
    'The journal of `aft run -o FILE` is FILE.journal',
  )
  writeFileSync(at('no.json'), '{}')
  expect(await aft(['export', 'no.json', '-o', 'x.md'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no.json: holds no conversation: expected a file that'),
  })
})
