/** The collected cases, `../shared/cases/serve/NAME` beside the checkout, and what their READMEs start. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished } from 'vitest'

const root = path.join(import.meta.dirname, '../..')

/** Where the cases are. */
export const casesFolder = path.join(root, '../shared/cases/serve')
/** Whether they are there. */
export const hasCases = existsSync(casesFolder)

/** A file of a case. */
export const place = (name: string, file: string) => path.join(casesFolder, name, file)

/** The case's request.json; an empty object if it has none. */
export function readRequest(name: string): Record<string, unknown> {
  const file = place(name, 'request.json')
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
}

/** Sends a body as JSON. */
export function post(url: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
  const all = { 'content-type': 'application/json', ...headers }
  return fetch(url, { method: 'POST', headers: all, body: JSON.stringify(body) })
}

/** Starts `aft serve` in an empty folder, until the test ends. Resolves with its address. */
export async function serve(args: string[]): Promise<string> {
  const cwd = mkdtempSync(path.join(tmpdir(), 'aft-cases-'))
  const child = start([path.join(root, 'bin/aft.js'), 'serve', '--port', '0', ...args], cwd)
  const [line] = await once(child.stdout?.setEncoding('utf8') as NonNullable<typeof child.stdout>, 'data')
  return String(line).trim()
}

/** A case's stub on a free port, until the test ends, with the bodies that it got: it prints each. */
export async function startStub(name: string): Promise<{ model: string; bodies: () => Promise<string[]> }> {
  const port = await findPort()
  const child = start([place(name, 'stub.mjs'), String(port)])
  let printed = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    printed += text
  })
  const address = `http://127.0.0.1:${port}`
  // What the stub prints may come after its answer. What it printed before a greeting has come if the greeting has.
  let greetings = 0
  const greet = () => {
    const body = `{"messages":[],"greeting":${++greetings}}`
    return fetch(address, { method: 'POST', body }).then(
      () => body,
      () => undefined,
    )
  }
  await expect.poll(greet).toBeDefined()
  const bodies = async () => {
    const last = await greet()
    await expect.poll(() => printed).toContain(`${last}\n`)
    return printed.split('\n').filter((body) => body && !body.includes('"greeting":'))
  }
  return { model: `${address}/v1#m`, bodies }
}

async function findPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

function start(args: string[], cwd?: string): ChildProcess {
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}
