/** Each collected case has a test. `npm run test:cases` runs them. */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { casesFolder, hasCases } from './cases.fixture.ts'

const tests = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.slow.test.ts'))
  .map((file) => readFileSync(path.join(import.meta.dirname, file), 'utf8'))
  .join('\n')

test.skipIf(!hasCases)('every folder of cases has a test (needs ../shared/cases/serve)', () => {
  const names = readdirSync(casesFolder)
  expect(names.length).toBeGreaterThan(30)
  expect(names.filter((name) => !new RegExp(`['/]${name}['/:]`).test(tests))).toEqual([])
})
