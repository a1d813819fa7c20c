import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { findEnvironment, readPins } from './environment.ts'
import { inspectPython, judgePython } from './python-facts.ts'

const whole = { torch: '2.13.0+cpu', transformers: '5.23.0', trl: '1.16.0', peft: '0.21.2' }
const versions = { ...whole, accelerate: '1.15.0', datasets: '5.2.0', gguf: '0.19.0' }

test('every requirement is pinned, torch without a local version', () => {
  const pins = readPins()
  expect(pins.torch).toBe('2.13.0')
  expect(Object.values(pins).every((version) => /^\d[\w.]*$/.test(version))).toBe(true)
})

test('the environment is in the cache folder, under a name that depends on the requirements', () => {
  const { folder, python, converter } = findEnvironment({ AFT_CACHE_DIR: '/cache' })
  expect(folder).toMatch(/^\/cache\/trainer\/[0-9a-f]{12}$/)
  expect(python.startsWith(folder)).toBe(true)
  expect(converter).toMatch(/^\/cache\/converter\/[0-9a-f]{12}$/)
})

test('a complete environment has no problems; other versions are notes', () => {
  expect(judgePython({ python: '3.11.7', versions })).toEqual({ problems: [], notes: [] })
  const other = judgePython({ python: '3.11.7', versions: { ...versions, trl: '1.0.0' } })
  expect(other).toEqual({ problems: [], notes: ['trl is 1.0.0; tested with 1.16.0'] })
})

test('each missing, broken or outdated part is a line', () => {
  const failures = { torch: 'OSError: libtorch.so\nmore' }
  const { problems } = judgePython({ python: '3.9.2', versions: { ...versions, peft: null }, failures })
  expect(problems).toEqual([
    'Python 3.9.2 is too old: expected 3.10 or newer',
    'torch 2.13.0+cpu cannot be imported: OSError: libtorch.so',
    'peft is not installed: expected peft==0.21.2',
  ])
})

test('a Python without packages is reported with nothing installed', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'aft-python-'))
  const python = path.join(folder, 'python')
  const real = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' })
  writeFileSync(python, `#!/bin/sh\nexec ${real.trim()} -ES "$@"\n`)
  chmodSync(python, 0o755)
  const { problems } = judgePython(await inspectPython(python))
  expect(problems.filter((line) => line.includes('is not installed')).length).toBe(7)
})

test('a program that is not Python is named in the error', async () => {
  await expect(inspectPython('/no/such/python')).rejects.toThrow(
    '--python /no/such/python: there is no such program',
  )
})
