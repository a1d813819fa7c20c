/** For slow tests: `aft serve` as several processes that count in one Redis. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { aftPart, freePort, type Part, startRedis } from '../../../test/queue-parts.ts'

/** The client's key, which must not be in Redis. */
export const KEY = 'the-key-of-the-team-9'

/** A server, and a way to ask it. */
export interface Serving {
  part: Part
  url: string
  /** A question that has the word `slow` is answered after a while. */
  ask(content?: string, init?: RequestInit): Promise<Response>
}

/** Servers with one Redis, in a folder of their own. */
export interface Farm {
  folder: string
  redis: Part
  port: number
  start(name: string, limits: string[]): Promise<Serving>
  end(): Promise<void>
}

/** Starts Redis. */
export async function openFarm(): Promise<Farm> {
  const folder = mkdtempSync(path.join(tmpdir(), 'aft-usage-'))
  const { part: redis, port } = await startRedis(folder)
  const parts: Part[] = [redis]
  writeFileSync(path.join(folder, 'keys.txt'), `team-of-nine: ${KEY}\n`)
  const reply = { text: 'one two three', usage: { inputTokens: 7 } }
  const script = [{ when: 'slow', replies: [{ ...reply, delayMs: 12_000 }] }, { replies: [reply] }]
  writeFileSync(path.join(folder, 'script.json'), JSON.stringify(script))
  return {
    folder,
    redis,
    port,
    async start(name, limits) {
      const at = await freePort()
      const store = ['--usage-store', `redis://127.0.0.1:${port}/0`, '--client-key-file', 'keys.txt']
      const args = ['serve', '--model', 'scripted:script.json', '--port', `${at}`, '--max-running', '64']
      const part = aftPart(name, [...args, ...store, ...limits], folder).start()
      parts.push(part)
      const url = `http://127.0.0.1:${at}`
      await untilUp(part, url)
      return { part, url, ask: (content, init) => ask(url, content, init) }
    },
    async end() {
      for (const part of parts) await part.kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function untilUp(part: Part, url: string): Promise<void> {
  for (let tries = 0; tries < 600 && part.isRunning; tries++) {
    const health = await fetch(`${url}/health`).catch(() => undefined)
    if (health?.ok) return
    await delay(100)
  }
  throw new Error(`${part.name} does not listen: ${part.log}`)
}

function ask(url: string, content = 'Name a river.', init: RequestInit = {}): Promise<Response> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${KEY}` }
  const body = { model: 'single', messages: [{ role: 'user', content }], max_tokens: 3 }
  return fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body: JSON.stringify(body), ...init })
}
