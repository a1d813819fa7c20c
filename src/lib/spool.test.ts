import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createSpool } from './spool.ts'

const folder = mkdtempSync(join(tmpdir(), 'spool-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('what was put under a key comes back, the last of them, in any order; the file goes with the spool', () => {
  const file = join(folder, 'a.tmp')
  const spool = createSpool<{ text: string }>(file)
  for (let i = 0; i < 200; i++) spool.put(`k${i}`, { text: `Wert ${i} ✓\n`.repeat(i) })
  spool.put('k7', { text: 'again' })
  expect(spool.get('k7')).toEqual({ text: 'again' })
  for (const i of [199, 0, 42]) expect(spool.get(`k${i}`)).toEqual({ text: `Wert ${i} ✓\n`.repeat(i) })
  expect(spool.get('none')).toBeUndefined()
  expect(existsSync(file)).toBe(true)
  spool.close()
  expect(existsSync(file)).toBe(false)
})
