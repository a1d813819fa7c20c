/** For tests: opens the page in Debian's Chromium. */
import { existsSync } from 'node:fs'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { sceneEngine } from '../../../scripts/shots/scene-engine.ts'
import type { Scene } from '../../../scripts/shots/texts.ts'
import { type Reply, scriptedEngine } from '../../engines/scripted/scripted.ts'
import { startServer } from '../server/server.fixture.ts'
import type { ServerOptions } from '../server/server.ts'

/** Path of Chromium. `.ci/run` installs it with `apt-get install chromium`. */
export const executablePath = '/usr/bin/chromium'
/** True if Chromium exists. Without it the page's tests are skipped. */
export const hasBrowser = existsSync(executablePath)

const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Starts one browser for all tests of a file. `open` returns a new page and the list of its errors. */
export function useBrowser() {
  let browser: Browser
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args })
  })
  afterAll(() => browser.close())
  return async (
    url: string,
    options: BrowserContextOptions = {},
    ready = '[aria-label="Your question"]',
  ): Promise<{ page: Page; problems: string[] }> => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
    onTestFinished(() => context.close())
    const page = await context.newPage()
    page.setDefaultTimeout(60_000)
    const problems: string[] = []
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
    page.on('dialog', (dialog) => problems.push(`dialog: ${dialog.message()}`))
    page.on('request', (request) => {
      if (!request.url().startsWith(url)) problems.push(`asked for ${request.url()}`)
    })
    await page.goto(url)
    await page.locator(ready).first().waitFor()
    return { page, problems }
  }
}

/** Matches the system message of an aggregator. */
export const isAggregator = /Drafts:/

/** Makes an engine whose proposers and aggregator give these replies. */
export function pageEngine(proposals: (string | Reply)[], answer: string | Reply, delayMs = 0) {
  const script = [
    { when: isAggregator, replies: [answer] },
    { replies: proposals, pick: 'index' as const },
  ]
  return scriptedEngine(script, { delayMs })
}

/** Starts a server with such an engine. */
export function servePage(
  proposals: (string | Reply)[],
  answer: string | Reply,
  options: Partial<ServerOptions> & { delayMs?: number } = {},
) {
  const { delayMs, ...more } = options
  const engine = pageEngine(proposals, answer, delayMs)
  const defaults = { width: proposals.length, depth: 1, ...more.defaults }
  return startServer(engine, { ...more, defaults }).then((server) => ({ ...server, engine }))
}

/** Starts a server whose models play a scene. */
export function serveScene(scene: Scene, delayMs?: number) {
  const defaults = { width: scene.proposals.length, depth: scene.aggregations ? 2 : 1 }
  return startServer(sceneEngine(scene, delayMs), { defaults })
}

/** Asks a question on the page. */
export async function ask(page: Page, question: string): Promise<void> {
  await page.getByLabel('Your question').fill(question)
  await page.getByRole('button', { name: 'Ask', exact: true }).click()
}

/** Waits until a turn has its answer. */
export async function waitForAnswer(page: Page, turn = 0): Promise<void> {
  await page.locator('.turn').nth(turn).and(page.locator('[data-state="done"]')).waitFor()
}
