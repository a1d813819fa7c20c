import { execFileSync } from 'node:child_process'
import path from 'node:path'
import { expect, test } from 'vitest'

test('what `npm ci` installs stays under 450 MB', () => {
  const modules = path.join(import.meta.dirname, '../node_modules')
  const output = execFileSync('du', ['-sm', '--exclude=.cache', '--exclude=.vite', modules], {
    encoding: 'utf8',
  })
  expect(Number(output.split('\t')[0])).toBeLessThan(450)
})
