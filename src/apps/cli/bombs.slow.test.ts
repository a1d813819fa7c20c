/** A small packed file that unpacks to one value of 280 MB: each command says so, in bounded memory. */
import { createWriteStream, statSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { expect, test } from 'vitest'
import { aft as start } from '../../../test/command-line.ts'
import { useRunFolder } from './run-folder.fixture.ts'

const { aft, at } = useRunFolder(start)
const model = ['--model', 'scripted:echo']

test.each([
  ['line.jsonl.gz', '', ['run', 'line.jsonl.gz', '-o', 'a.jsonl', ...model]],
  ['array.json.gz', '[', ['run', 'array.json.gz', '-o', 'a.jsonl', ...model]],
  [
    'rows.jsonl.gz',
    '',
    ['data', 'build', 'rows.jsonl.gz', '--format', 'responses', '--target', 'gold', '-o', 'out'],
  ],
  ['questions.jsonl.gz', '', ['eval', 'gsm8k', 'questions.jsonl.gz', '-o', 'out', ...model]],
])('%s: a value without an end is refused', async (name, start, args) => {
  const pieces = [`${start}{"prompt": "`, ...Array.from({ length: 280 }, () => 'a'.repeat(2 ** 20))]
  await pipeline(Readable.from(pieces), createGzip({ level: 1 }), createWriteStream(at(name)))
  expect(statSync(at(name)).size).toBeLessThan(4e6)
  const { code, stderr } = await aft(args)
  expect({ code, stderr }).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /\.gz:1: expected values of at most 256 MB|\.gz: holds more than 256 MB once it is unpacked/,
    ),
  })
})
