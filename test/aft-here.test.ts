import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { aftHere } from './aft-here.ts'

const before = { env: process.env, stdout: process.stdout, cwd: process.cwd() }

test.fails('a test that ends before its command', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'aft-here-'))
  await new Promise<void>((resolve) => {
    const server = createServer(() => resolve()).unref() // it never answers
    server.listen(0, '127.0.0.1', () => {
      const model = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1#m`
      void aftHere(['ask', 'Hi', '--model', model], { cwd, env: { PATH: '/nowhere' } })
    })
  })
  expect([process.env.PATH, process.cwd()]).toEqual(['/nowhere', cwd])
  rmSync(cwd, { recursive: true })
  throw new Error('as if its time was over')
})

test('leaves the process as it was, and the next command runs', async () => {
  expect({ env: process.env, stdout: process.stdout, cwd: process.cwd() }).toEqual(before)
  expect(await aftHere(['--version'])).toMatchObject({ code: 0, stderr: '' })
})
