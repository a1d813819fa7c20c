import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createPager } from './paged-words.ts'
import { randomFrom } from './random.ts'
import { openRecords } from './record-file.ts'
import { createWordTable } from './word-table.ts'

const folder = mkdtempSync(join(tmpdir(), 'paged-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const at = (name: string) => join(folder, name)

test('words are as they were set, 0 at first, with room for a few pages only; the file goes with the pager', () => {
  const pager = createPager(at('a.tmp'), { memoryBytes: 4 * 4096 })
  const [a, b] = [pager.create(20_000), pager.create(20_000)]
  const random = randomFrom(1)
  const expected = new Map<number, number>()
  for (let i = 0; i < 3000; i++) {
    const index = Math.floor(random() * 20_000)
    a.set(index, i + 1)
    b.set(index, 2 ** 32 - 1 - i)
    expected.set(index, i + 1)
  }
  for (const [index, word] of expected) {
    expect(a.get(index)).toBe(word)
    expect(b.get(index)).toBe(2 ** 32 - word)
  }
  expect(existsSync(at('a.tmp'))).toBe(true)
  a.free()
  const c = pager.create(20_000)
  for (const index of expected.keys()) expect(c.get(index)).toBe(0)
  pager.close()
  expect(existsSync(at('a.tmp'))).toBe(false)
})

test('a table finds all slots of a key in their order, also after it has grown beyond its memory', () => {
  const pager = createPager(at('b.tmp'), { memoryBytes: 8 * 4096 })
  const table = createWordTable(pager, 2)
  const random = randomFrom(2)
  const expected = new Map<number, number[]>()
  for (let i = 1; i <= 12_000; i++) {
    // the highest keys are at the end of the table: it has no place to wrap around to
    const key = i % 3 === 0 ? 0xffffffff - (i % 40) : Math.floor(random() * 2 ** 32)
    const values = expected.get(key) ?? []
    if (values.length < 20) {
      expected.set(key, [...values, i])
      table.add(key, [i])
    }
  }
  for (const [key, values] of expected) {
    const found: number[] = []
    expect(table.find(key, (slot) => found.push(table.get(slot, 1)) < 0)).toBeUndefined()
    expect(found).toEqual(values)
  }
  pager.close()
})

test('records come back by number, from memory and from the file; a later process cuts off what came after', () => {
  const record = (i: number) => Uint32Array.from([i, i * i, 2 ** 32 - 1 - i])
  const records = openRecords(at('c.bin'), { words: 3 })
  for (let i = 0; i < 100_000; i++) records.append(record(i))
  for (const i of [0, 99_999, 50_000]) expect([...records.read(i)]).toEqual([...record(i)])
  records.sync()
  records.append(record(7))
  records.close()
  const again = openRecords(at('c.bin'), { words: 3, count: 60_000 })
  expect(again.count).toBe(60_000)
  again.append(record(1))
  expect([...again.read(60_000)]).toEqual([...record(1)])
  expect([...again.read(59_999)]).toEqual([...record(59_999)])
  again.close()
})
