import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'

const root = path.join(import.meta.dirname, '../..')

/** The check in a folder where no package is installed but these. */
function check(use: string, installed: string[]): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'aft-optional-'))
  for (const part of ['src/files/optional-packages.ts', 'src/core/provider'])
    cpSync(path.join(root, part), path.join(folder, part), { recursive: true })
  for (const name of installed) {
    mkdirSync(path.join(folder, 'node_modules'), { recursive: true })
    cpSync(path.join(root, 'node_modules', name), path.join(folder, 'node_modules', name), {
      recursive: true,
    })
  }
  const program = `import { needPackages } from './src/files/optional-packages.ts'
    try { needPackages('${use}'); console.log('ok') } catch (error) { console.log(error.name + ': ' + error.message) }`
  const args = ['--input-type=module', '-e', program]
  return execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8' }).trim()
}

test('a missing package is asked for by name, with the command that installs all of a use', () => {
  expect(check('drawing charts', [])).toBe(
    'UsageError: drawing charts needs the packages vega and vega-lite: npm install vega vega-lite',
  )
  expect(check('reading Parquet', ['hyparquet'])).toBe(
    'UsageError: reading Parquet needs the package hyparquet-compressors: npm install hyparquet hyparquet-compressors',
  )
  expect(check('counting over several servers', [])).toContain('the package ioredis: npm install ioredis')
  expect(check('writing Parquet', ['hyparquet-writer'])).toBe('ok')
})

test('every optional package is an optional peer', () => {
  const { peerDependencies, peerDependenciesMeta } = JSON.parse(
    readFileSync(path.join(root, 'package.json'), 'utf8'),
  )
  const source = readFileSync(path.join(import.meta.dirname, 'optional-packages.ts'), 'utf8')
  const lists = source.matchAll(/^ {2}'[^']+': \[(.*)\],$/gm)
  const names = [...lists].flatMap(([, list]) =>
    [...(list as string).matchAll(/'([^']+)'/g)].map((m) => m[1]),
  )
  expect([...new Set(names), 'ai'].sort()).toEqual(Object.keys(peerDependencies))
  expect(Object.keys(peerDependenciesMeta)).toEqual(Object.keys(peerDependencies))
})
