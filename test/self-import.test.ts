/** `import 'aft'` without a build: in a file of the checkout, and in a config anywhere. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { aft } from './command-line.ts'

const program = `import { answer, type Engine, scriptedEngine } from 'aft'
  import { createAft } from 'aft/ai-sdk'
  import { createServer } from 'aft/server'
  const engine: Engine = scriptedEngine([{ replies: ['one'] }])
  console.log((await answer('Why?', { engine, width: 1 })).answer, typeof createAft, typeof createServer)`

test('a file of the checkout imports the package by its name, in any folder', () => {
  const folder = path.join(import.meta.dirname, '../.cache/self-import/deep')
  mkdirSync(folder, { recursive: true })
  const file = path.join(folder, 'program.ts')
  writeFileSync(file, program)
  expect(execFileSync(process.execPath, [file], { encoding: 'utf8' })).toBe('one function function\n')
})

test.each(['ts', 'mts', 'mjs', 'js'])(
  'aft.config.%s imports it in a folder where nothing is installed',
  async (extension) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'aft-self-import-'))
    writeFileSync(
      path.join(folder, `aft.config.${extension}`),
      `import { defineConfig, scriptedEngine } from 'aft'
      const own = () => scriptedEngine([{ replies: ['from the config'] }])
      export default defineConfig({ engines: { own } })`,
    )
    const asked = await aft(['ask', '--model', 'own', 'Why?'], { cwd: folder })
    expect(asked).toMatchObject({ code: 0, stdout: 'from the config\n' })
  },
)
