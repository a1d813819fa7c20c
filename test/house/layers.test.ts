/** The house's rules, readable off any line (AGENTS.md); tests may cross. Erasable syntax is checked by tsc. */
import { describe, expect, test } from 'vitest'
import {
  budgets,
  exportsWithoutSentence,
  find,
  findCircles,
  findCrossings,
  floors,
  functionsOf,
  importGraph,
  importsOf,
  linesPerFolder,
  literalSpreads,
  read,
  roomOf,
  sources,
} from './house.ts'

/** Over 300 lines, and why there is no seam. */
const long: Record<string, string> = {
  'src/engines/contract.ts': 'a flat list of facts',
}

describe('the floor test', () => {
  test.each([
    ['src/lib/a.ts', "import type { B } from '../core/b.ts'", ['src/core/b.ts']],
    ['src/core/a.ts', "import type { B } from '../lib/b.ts'\nimport c from './provider/c.ts'", []],
    ['src/core/provider/a.ts', "import b from '../b.ts'", ['src/core/b.ts']],
    ['src/core/provider/a.ts', "import b from '../../lib/b.ts'", ['src/lib/b.ts']],
    ['src/engines/a.ts', "const b = await import('../run/b.ts')", ['src/run/b.ts']],
    ['src/engines/a.ts', 'export { b } from "../core/b.ts"\nimport "./c.ts"', []],
    ['src/eval/tasks/a.ts', "import b from '../../data/b.ts'\nimport d from '../d.ts'", ['src/data/b.ts']],
    ['src/apps/cli/a.ts', "import b from '../../engines/b.ts'", []],
  ])('in %s, of %j it finds %j', (file, source, crossings) => {
    expect(findCrossings(file, source)).toEqual(crossings)
  })

  test('knows every room', () => {
    const known = new Set([...floors.flat(), 'index'])
    expect(sources.filter((file) => !known.has(roomOf(file)))).toEqual([])
  })
})

test('a line imports only from a lower floor', () => {
  expect(sources.length).toBeGreaterThan(20)
  expect(sources.flatMap((file) => findCrossings(file, read(file)).map((to) => `${file}: ${to}`))).toEqual([])
})

test('imports make no circle, types included', () => {
  const graph = new Map([
    ['a', ['b']],
    ['b', ['c']],
    ['c', ['b']],
  ])
  expect(findCircles(graph)).toEqual([['b', 'c']])
  expect(findCircles(importGraph())).toEqual([])
})

test('no folder is above its budget', () => {
  const over = Object.entries(linesPerFolder()).filter(([folder, lines]) => lines > (budgets[folder] ?? 0))
  expect(over).toEqual([])
})

test('no function has more than 60 lines', () => {
  expect(functionsOf('a.ts', 'const a = () => {\n\n}\n')).toMatchObject([{ name: 'a', line: 1, lines: 3 }])
  const tooLong = sources.flatMap((file) => functionsOf(file, read(file))).filter(({ lines }) => lines > 60)
  expect(tooLong.map(({ file, name, lines }) => `${file} ${name}: ${lines}`)).toEqual([])
})

test('no literal is spread only to fold lines', () => {
  expect(literalSpreads('a.ts', 'const a = { ...{ b: 1 },\nc: [...[1, 2], 3] }')).toEqual([1, 2])
  const all = sources.flatMap((file) => literalSpreads(file, read(file)).map((line) => `${file}:${line}`))
  expect(all).toEqual([])
})

test('every export has a sentence', () => {
  const found = exportsWithoutSentence(
    'a.ts',
    [
      '/** Of the file. */',
      '',
      'export const a = 1',
      '/** @throws Error */',
      'export function b() {}',
      '/** One. */',
      'export type C = 1',
    ].join('\n'),
  )
  expect(found).toEqual(['a.ts:3 a', 'a.ts:5 b'])
  expect(sources.flatMap((file) => exportsWithoutSentence(file, read(file)))).toEqual([])
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

test('no test file imports another: no test runs twice', () => {
  const imports = find('{src,test,scripts}/**/*.test.ts').map(
    (file) => [file, importsOf(read(file)).filter((to) => to.endsWith('.test.ts'))] as const,
  )
  expect(imports.filter(([, tests]) => tests.length > 0)).toEqual([])
})

test('no file has more than 300 lines (tests 500), but for those named with a reason', () => {
  const files = find('{src,bench,examples,test,bin,.ci}/**/*.{ts,js,mjs,sh,py}')
  const limitOf = (file: string) => (file.endsWith('.test.ts') ? 500 : 300)
  const isLong = (file: string) => read(file).split('\n').length > limitOf(file) + 1
  expect(files.filter(isLong).sort()).toEqual(Object.keys(long).sort())
})

/** Where a decision on a text is right, because another program says it nowhere else. */
const readers: Record<string, string> = {
  'src/engines/upstream/': 'why a server or a provider refuses a request: its own words',
  'src/engines/models/model-sources.ts': 'pip says in words that the disk is full',
  'src/lib/explain-json.ts': 'V8 says in words in which line a text is not JSON',
}

test('no decision is made on the text of an error, but for those of other programs, named with a reason', () => {
  const texts = '(?:\\w+[.?!]*\\.)?(?:message|serverMessage|stderr)'
  const decision = new RegExp(
    `\\.(?:test|exec)\\(${texts}\\)|\\b${texts}\\.(?:match|includes|startsWith|endsWith|search|indexOf)\\(`,
  )
  expect('if (/full/.test(error.message))').toMatch(decision)
  expect("if (stderr.includes('full'))").toMatch(decision)
  const isReader = (file: string) => Object.keys(readers).some((place) => file.startsWith(place))
  const found = sources.filter((file) => decision.test(read(file)))
  expect(found.filter((file) => !isReader(file))).toEqual([])
  expect(Object.keys(readers).filter((place) => !found.some((file) => file.startsWith(place)))).toEqual([])
})
