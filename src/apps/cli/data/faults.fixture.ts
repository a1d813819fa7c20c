/** For tests of `aft data build`: a folder with good rows, and a file with rows that are broken in every way. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { type AftOptions, aft, type Ended } from '../../../../test/command-line.ts'

/** A row as `aft data build` reads it. */
export const row = (i: number, more: object = {}) =>
  JSON.stringify({
    id: `r${i}`,
    prompt: `What is thing number ${i}?`,
    target: `It is ${i}.`,
    responses: ['It is a.', 'It is b.', 'It is c.'],
    ...more,
  })
/** The rows of good.jsonl, and the first of bad.jsonl. */
export const good = Array.from({ length: 20 }, (_, i) => row(i))
const bad = [
  '{"prompt":"torn',
  row(100, { responses: [] }),
  row(101, { responses: ['only one'] }),
  row(102, { responses: ['', '  ', '<think>no more</think>'] }),
  row(103, { responses: ['a', 3] }),
  row(104, { responses: 'text' }),
  row(105, { prompt: { a: 1 } }),
  row(106, { target: 5 }),
  'null',
  row(107, { responses: [{ text: null }, 'a', 'b'] }),
]
const long = row(108, { prompt: 'word '.repeat(210_000) })

/** Makes a folder with good.jsonl and bad.jsonl for the tests of a file. `command` runs the command line. */
export function useBadRows(command: (args: string[], options?: AftOptions) => Promise<Ended> = aft) {
  const folder = mkdtempSync(join(tmpdir(), 'cli-data-faults-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const at = (name: string) => join(folder, name)
  writeFileSync(at('good.jsonl'), good.join('\n'))
  writeFileSync(
    at('bad.jsonl'),
    Buffer.concat([
      Buffer.from([...good, ...bad, '{"prompt":"'].join('\n')),
      Buffer.from([0xff, 0xfe]),
      Buffer.from(`"}\n${long}\n{"prompt":"to`),
    ]),
  )
  return {
    folder,
    /** Path of a file of the folder. */
    at,
    /** `aft data build …` in the folder. */
    build: (args: string[], input?: string) => command(['data', 'build', ...args], { cwd: folder, input }),
    /** Reads a file of JSON lines. */
    lines: (name: string) =>
      readFileSync(at(name), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
  }
}
