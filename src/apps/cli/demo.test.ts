import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { aftHere } from '../../../test/aft-here.ts'
import { useRunFolder } from './run-folder.fixture.ts'

const { at, aft } = useRunFolder(aftHere)

test('the example says that a person wrote it, and prints its answer', async () => {
  const { code, stdout, stderr } = await aft(['demo'])
  expect(code).toBe(0)
  expect(stderr).toMatch(/^An example without a model: a person wrote/)
  expect(stderr).toContain('How often do the two hands of a clock meet in 24 hours?')
  expect(stdout).toMatch(/^\*\*22 times\.\*\*/)
})

test('the example is a page, too', async () => {
  expect(await aft(['demo', '-o', 'demo.html'])).toMatchObject({ code: 0, stdout: 'demo.html\n' })
  const page = readFileSync(at('demo.html'), 'utf8')
  expect(page).toContain('<title>How often do the two hands of a clock meet in 24 hours?</title>')
  expect(page).toContain('a person wrote the question')
  expect(await aft(['demo', '-o', 'demo.md'])).toMatchObject({
    code: 2,
    stderr: 'error: --output: expected a name that ends in .html, got "demo.md"\n',
  })
})
