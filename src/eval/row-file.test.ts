import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { readRows } from './row-file.ts'

test('rows that gzip packed are read, and a wrong one is named by its line', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'rows-'))
  const put = (text: string) => {
    const file = path.join(folder, 'rows.jsonl.gz')
    writeFileSync(file, gzipSync(text))
    return file
  }
  expect((await readRows(put('{"a":1}\n{"a":2}\n'))).rows).toEqual([{ a: 1 }, { a: 2 }])
  expect((await readRows(put('[{"a":1},{"a":2}]'))).rows).toHaveLength(2)
  await expect(readRows(put('{"a":1}\n3\n'))).rejects.toThrow(/gz:2: expected an object, got 3/)
})
