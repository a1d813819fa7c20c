/** The import rule, readable off any line (AGENTS.md); tests may cross. Erasable syntax is checked by tsc. */
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'

const root = path.join(import.meta.dirname, '..')
const find = (pattern: string) => globSync(pattern, { cwd: root }).map((file) => file.replaceAll('\\', '/'))
const read = (file: string) => readFileSync(path.join(root, file), 'utf8')
const sources = find('src/**/*.ts').filter((file) => !file.endsWith('.test.ts'))

/** Over 300 lines, and why there is no seam. */
const long: Record<string, string> = {
  'src/engines/contract.ts': 'a flat list of facts',
}

/** Relative imports, static and dynamic, types too. */
function importsOf(source: string): string[] {
  const pattern = /(?:\bfrom|\bimport|\bnew URL)[\s(]*['"](\.[^'"]*)['"]/g
  return [...source.matchAll(pattern)].map((match) => match[1] as string)
}

/** Imports of a file that its place does not allow. */
function findCrossings(file: string, source: string): string[] {
  const [, place = ''] = file.split('/')
  if (place === 'apps' || file === 'src/index.ts') return []
  const isGround = place === 'core' || place === 'lib'
  const leadsToGround = (to: string) =>
    /^(src\/(core|lib)\/|package\.json$)/.test(path.posix.join(path.dirname(file), to))
  return importsOf(source).filter((to) => to.startsWith('../') && (isGround || !leadsToGround(to)))
}

describe('the layer test', () => {
  test.each([
    ['src/core/a.ts', "import type { B } from '../lib/b.ts'", ['../lib/b.ts']],
    ['src/engines/a.ts', "const b = await import('../inference/b.ts')", ['../inference/b.ts']],
    ['src/engines/a.ts', 'export { b } from "../core/b.ts"\nimport "./c.ts"', []],
    ['src/evaluation/tasks/a.ts', "import b from '../../lib/b.ts'\nimport d from '../d.ts'", ['../d.ts']],
    ['src/apps/cli/a.ts', "import b from '../../engines/b.ts'", []],
  ])('in %s, of %j it finds %j', (file, source, crossings) => {
    expect(findCrossings(file, source)).toEqual(crossings)
  })
})

test('core and lib import nothing outside themselves, and a stage only core and lib', () => {
  expect(sources.length).toBeGreaterThan(20)
  expect(sources.flatMap((file) => findCrossings(file, read(file)).map((to) => `${file}: ${to}`))).toEqual([])
})

test('core has no network, files, clock or randomness', () => {
  const impure = /\bfetch\(|Date\.now|performance\.|Math\.random|setTimeout|node:(?!crypto)/
  expect(sources.filter((file) => file.startsWith('src/core/') && impure.test(read(file)))).toEqual([])
})

test('the public face only re-exports', () => {
  const statements = read('src/index.ts')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .split(/\n(?=export|import|const|function|class|type|interface)/)
  expect(
    statements.filter((s) => s.trim() && !/^export (type )?(\*|\{[^}]*\}) from '[^']+'\s*$/.test(s)),
  ).toEqual([])
})

test('no file has more than 300 lines (tests 500), but for those named with a reason', () => {
  const files = find('{src,bench,examples,test,bin,.ci}/**/*.{ts,js,mjs,sh,py}')
  const limitOf = (file: string) => (file.endsWith('.test.ts') ? 500 : 300)
  const isLong = (file: string) => read(file).split('\n').length > limitOf(file) + 1
  expect(files.filter(isLong).sort()).toEqual(Object.keys(long).sort())
})
