import { appendFileSync, mkdtempSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { scriptedEngine } from '../../engines/scripted/scripted.ts'
import { createServer } from './server.ts'
import type { Piece } from './shown-runs.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'aft-runs-'))

/** Serves one journal, and reads it as the page does. */
function serveRun(file: string, keys?: Record<string, string>) {
  const server = createServer({ engines: { a: scriptedEngine([]) }, runs: [file], keys })
  return (path: string) => server.fetch(new Request(`http://localhost/v1/aft/${path}`))
}

const pieceOf = async (response: Promise<Response>): Promise<Piece> => (await response).json() as never

test('a journal is read in whole lines, and each of them once', async () => {
  const file = path.join(folder, 'a.journal')
  const get = serveRun(file)
  expect(await (await get('runs')).json()).toEqual({ runs: [{ name: 'a.journal', bytes: null }] })
  expect(await (await get('runs/0')).json()).toMatchObject({ next: 0, text: '' })
  writeFileSync(file, 'première\nsec')
  const first = await pieceOf(get('runs/0'))
  expect(first).toMatchObject({ from: 0, next: 10, text: 'première\n' })
  appendFileSync(file, 'ond\n')
  const more = await get(`runs/0?from=10&file=${first.file}`)
  expect(await more.json()).toMatchObject({ from: 10, next: 17, text: 'second\n' })
})

test('the journal of a restarted run is read from its beginning', async () => {
  const file = path.join(folder, 'b.journal')
  const get = serveRun(file)
  writeFileSync(file, 'old\n')
  const { next, file: before } = await pieceOf(get('runs/0'))
  renameSync(file, `${file}.old`)
  writeFileSync(file, 'new, and longer\n')
  const again = await get(`runs/0?from=${next}&file=${before}`)
  expect(await again.json()).toMatchObject({ from: 0, text: 'new, and longer\n' })
})

test('a line that is longer than a reply is read whole', async () => {
  const file = path.join(folder, 'c.journal')
  const line = `${'x'.repeat(5 * 2 ** 20)}\n`
  writeFileSync(file, line)
  const { text } = await pieceOf(serveRun(file)('runs/0'))
  expect(text.length).toBe(line.length)
})

test('runs need a key if the server has keys, and what is not listed is not found', async () => {
  const file = path.join(folder, 'd.journal')
  writeFileSync(file, 'x\n')
  expect((await serveRun(file, { one: 'long enough' })('runs/0')).status).toBe(401)
  for (const place of ['1', '-1', 'd.journal', '..%2Fd.journal'])
    expect((await serveRun(file)(`runs/${place}`)).status).toBe(404)
})
