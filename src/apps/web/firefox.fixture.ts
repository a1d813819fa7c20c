/** For tests: drives Debian's Firefox over WebDriver BiDi. Playwright needs a newer Firefox than Debian's. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'

const program = '/usr/bin/firefox-esr'
/** True if Firefox exists; `.ci/run` installs it with `apt-get install firefox-esr`. Without it its tests are skipped. */
export const hasFirefox = existsSync(program)

type Send = (method: string, params: object) => Promise<Record<string, unknown>>

/** A page in Firefox. */
export interface FirefoxPage {
  /** What the page's console reported as errors. */
  problems: string[]
  /** Returns the value of an expression, which may be a promise. */
  evaluate<T>(expression: string): Promise<T>
  /** Waits until an expression is true. @throws if it is not within 20 s */
  waitFor(expression: string): Promise<void>
  /** Moves the mouse to the middle of an element, and clicks if asked. */
  point(selector: string, isClick?: boolean): Promise<void>
  /** Types a text or one key by its name, into what has the focus. */
  press(keys: string): Promise<void>
  close(): Promise<void>
}

/** Starts Firefox with a profile of its own, and opens an address. */
export async function openFirefox(url: string): Promise<FirefoxPage> {
  const profile = mkdtempSync(path.join(tmpdir(), 'aft-firefox-'))
  const browser = spawn(
    program,
    ['--headless', '--remote-debugging-port=0', '--profile', profile, '--no-remote'],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  const ended = new Promise((resolve) => browser.once('exit', resolve))
  const address = await new Promise<string>((resolve, reject) => {
    browser.once('exit', () => reject(new Error('Firefox ended before it listened')))
    createInterface(browser.stderr).on('line', (line) => {
      const found = /WebDriver BiDi listening on (ws:\/\/\S+)/.exec(line)?.[1]
      if (found) resolve(found)
    })
  })
  const problems: string[] = []
  const send = await connect(`${address}/session`, problems)
  await send('session.new', { capabilities: {} })
  await send('session.subscribe', { events: ['log.entryAdded'] })
  const tree = (await send('browsingContext.getTree', {})) as { contexts: { context: string }[] }
  const context = tree.contexts[0]?.context ?? ''
  await send('browsingContext.navigate', { context, url, wait: 'complete' })
  const close = async () => {
    await send('browser.close', {}).catch(() => browser.kill())
    await ended
    rmSync(profile, { recursive: true, force: true })
  }
  return { problems, close, ...actionsOf(send, context) }
}

async function connect(address: string, problems: string[]): Promise<Send> {
  const socket = new WebSocket(address)
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve)
    socket.addEventListener('error', reject)
  })
  const waiting = new Map<number, (message: Record<string, unknown>) => void>()
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data))
    waiting.get(message.id)?.(message)
    if (message.method === 'log.entryAdded' && message.params.level === 'error')
      problems.push(message.params.text)
  })
  let last = 0
  return async (method, params) => {
    const id = ++last
    const answer = new Promise<Record<string, unknown>>((resolve) => waiting.set(id, resolve))
    socket.send(JSON.stringify({ id, method, params }))
    const { type, result, message } = await answer
    waiting.delete(id)
    if (type === 'error') throw new Error(`${method}: ${message}`)
    return result as Record<string, unknown>
  }
}

function actionsOf(send: Send, context: string): Omit<FirefoxPage, 'problems' | 'close'> {
  const evaluate = async <T>(expression: string) => {
    const answer = await send('script.evaluate', {
      expression: `(async () => JSON.stringify(await (${expression})))()`,
      target: { context },
      awaitPromise: true,
    })
    if (answer.type === 'exception') {
      throw new Error((answer.exceptionDetails as { text: string }).text)
    }
    return JSON.parse((answer.result as { value?: string }).value ?? 'null') as T
  }
  const waitFor = async (expression: string) => {
    const endMs = performance.now() + 60_000
    while (!(await evaluate<boolean>(`Boolean(${expression})`))) {
      if (performance.now() > endMs) throw new Error(`in a minute it was never true: ${expression}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  const point = async (selector: string, isClick = false) => {
    const [x, y] = await evaluate<[number, number]>(`(() => {
      const { left, top, width, height } = document.querySelector(${JSON.stringify(selector)}).getClientRects()[0]
      return [Math.round(left + Math.min(width / 2, 200)), Math.round(top + height / 2)]
    })()`)
    const press = [
      { type: 'pointerDown', button: 0 },
      { type: 'pointerUp', button: 0 },
    ]
    const actions = [{ type: 'pointerMove', x, y }, ...(isClick ? press : [])]
    await send('input.performActions', { context, actions: [{ type: 'pointer', id: 'mouse', actions }] })
  }
  const press = async (keys: string) => {
    const values = keys === 'Enter' ? ['\uE007'] : keys === 'Escape' ? ['\uE00C'] : [...keys]
    const actions = values.flatMap((value) => [
      { type: 'keyDown', value },
      { type: 'keyUp', value },
    ])
    await send('input.performActions', { context, actions: [{ type: 'key', id: 'keyboard', actions }] })
  }
  return { evaluate, waitFor, point, press }
}
