import { existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeFolder } from './make-folder.ts'
import { checkReplaceable, writeWhole } from './write-whole.ts'

const folder = mkdtempSync(join(tmpdir(), 'aft-write-'))
const at = (name: string) => join(folder, name)

test('a file is written whole, and its folder is made', () => {
  writeWhole(at('a/b/c.txt'), 'one')
  writeWhole(at('a/b/c.txt'), 'two')
  expect(readFileSync(at('a/b/c.txt'), 'utf8')).toBe('two')
  expect(existsSync(at('a/b/c.txt.tmp'))).toBe(false)
})

test('a folder that exists is fine, and a file in its place is an error', () => {
  makeFolder(folder)
  writeFileSync(at('file'), '')
  const problem = 'a part of the path is a file, not a folder'
  expect(() => makeFolder(at('file'))).toThrow(`${at('file')}: ${problem}`)
  expect(() => writeWhole(at('file/x/y'), '')).toThrow(problem)
})

test('a folder is never replaced by a file', () => {
  expect(() => writeWhole(folder, '')).toThrow(`${folder}: is a folder; expected a file`)
})

test.skipIf(!existsSync('/dev/null'))('a device is never replaced by a file', () => {
  expect(() => checkReplaceable('/dev/null')).toThrow('/dev/null: is a device or a pipe; expected a file')
  expect(() => writeWhole('/dev/null', 'x')).toThrow('is a device or a pipe')
  expect(statSync('/dev/null').isCharacterDevice()).toBe(true)
})

test.skipIf(!existsSync('/proc/self'))('a place that takes no folders is an error, and nothing waits', () => {
  expect(() => makeFolder('/proc/none/a')).toThrow('/proc/none/a: no folder can be made there')
})
