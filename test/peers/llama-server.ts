/** llama.cpp's own server: a peer in benches and a real endpoint in slow tests. */
import { spawn } from 'node:child_process'
import net from 'node:net'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { installLlamaServer } from './llama-server-program.ts'

export interface LlamaServer {
  /** Base address that OpenAI clients take, ending in `/v1`. */
  url: string
  pid: number
  close(): Promise<void>
}

/** Starts the server on a free loopback port. `slots` share `contextTokens` evenly. */
export async function startLlamaServer(options: {
  model: string
  threads?: number
  slots?: number
  contextTokens?: number
  args?: string[]
}): Promise<LlamaServer> {
  const { model, threads = 2, slots = 10, contextTokens = 30_000, args = [] } = options
  const port = await findFreePort()
  const flags = [
    '-m',
    path.resolve(model),
    '-ngl',
    '0',
    '-np',
    `${slots}`,
    '-c',
    `${contextTokens}`,
    '-t',
    `${threads}`,
  ]
  const program = installLlamaServer()
  const address = ['--host', '127.0.0.1', '--port', `${port}`]
  const child = spawn(program.file, [...program.args, ...flags, ...address, ...args], {
    cwd: program.cwd,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let log = ''
  child.stderr.on('data', (chunk) => {
    log = (log + chunk).slice(-4000)
  })
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  for (let tries = 0; ; tries++) {
    const end = child.signalCode ?? child.exitCode
    if (end !== null) throw new Error(`llama-server ended at its start with ${end}:\n${log}`)
    const ok = await fetch(`http://127.0.0.1:${port}/health`).then(
      (r) => r.ok,
      () => false,
    )
    if (ok) break
    if (tries > 900) throw new Error(`llama-server did not answer within 180 s:\n${log}`)
    await delay(200)
  }
  return {
    url: `http://127.0.0.1:${port}/v1`,
    pid: child.pid as number,
    close: async () => {
      process.off('exit', kill)
      child.kill('SIGTERM')
      await Promise.race([gone, delay(3000).then(kill)])
      await gone
    },
  }
}

function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo
      server.close(() => resolve(port))
    })
  })
}
