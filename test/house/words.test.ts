/** The spelling of names and texts: one word, one thing, as AGENTS.md has it. */
import { expect, test } from 'vitest'
import { find, read } from './house.ts'

const BRITISH =
  /\b\w*(catalogu|learnt|spelt|cancelled|cancelling|behaviour|labelled|labelling|licence|favour|centre\b|recogni[s]e|normali[s]e|summari[s]e|seriali[s]e|organi[s]e|optimi[s]e|tokeni[s]e|judgement)/i

/** Names that earlier versions had, and the rule itself. */
const excepted = [
  'AGENTS.md',
  'CHANGELOG.md',
  'src/apps/cli/removed.ts',
  'src/train/recipe.test.ts',
  'src/train/recipe.ts',
  'test/house/words.test.ts',
]

test('names, comments and texts have American spelling', () => {
  expect('a catalogue of models').toMatch(BRITISH)
  expect('a catalog of licenses').not.toMatch(BRITISH)
  const files = [
    ...find('*.md'),
    ...find('docs/*.md'),
    ...find('{src,bench,runs,recipes,examples,scripts,trainer,test/house}/**/*.{ts,tsx,sh,py,yaml,css}'),
  ].filter((file) => !/node_modules|LOG\.md/.test(file))
  const british = files.flatMap((file) =>
    read(file)
      .split('\n')
      .flatMap((line, i) => (BRITISH.test(line) ? [`${file}:${i + 1}`] : [])),
  )
  expect(british.filter((place) => !excepted.some((file) => place.startsWith(`${file}:`)))).toEqual([])
})
