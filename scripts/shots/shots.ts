/**
 * Photographs every state of the page at four widths, light and dark, into .cache/shots (which git ignores).
 *   npm run shots                       all
 *   npm run shots -- math 360           those whose name holds every word given
 */
import { mkdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import { listen } from '../../src/apps/server/listen.ts'
import { createServer } from '../../src/apps/server/server.ts'
import { sceneEngine } from './scene-engine.ts'
import { type State, states } from './states.ts'
import type { Scene } from './texts.ts'

const folder = path.join(import.meta.dirname, '../../.cache/shots')
const widths = [360, 768, 1280, 1920]
const wanted = process.argv.slice(2)

/** Serves a page whose models reply as the scene says. */
function serve(scene: Scene, { delayMs }: State) {
  const defaults = { width: scene.proposals.length, depth: scene.aggregations ? 2 : 1 }
  const server = createServer({ engines: { 'a-model': sceneEngine(scene, delayMs) }, defaults })
  return listen(server, { host: '127.0.0.1', port: 0 })
}

async function photograph(browser: Browser, state: State, width: number, colorScheme: 'light' | 'dark') {
  const name = `${state.name}-${width}-${colorScheme}`
  if (!wanted.every((word) => name.includes(word))) return
  const listening = await serve(state.scene, state)
  const height = width < 500 ? 740 : width < 1000 ? 1024 : width < 1500 ? 800 : 1080
  const context = await browser.newContext({ viewport: { width, height }, colorScheme })
  const page = await context.newPage()
  page.on('pageerror', (error) => console.log(`${name}: ${error.message}`))
  page.on('console', (message) => message.type() === 'error' && console.log(`${name}: ${message.text()}`))
  try {
    await page.goto(listening.url)
    await page.getByLabel('Your question').waitFor()
    await state.act(page, state.scene)
    await page.waitForTimeout(300)
    await page.screenshot({ path: path.join(folder, `${name}.png`) })
  } catch (error) {
    console.log(`${name}: ${(error as Error).message.split('\n')[0]}`)
    process.exitCode = 1
  }
  await context.close()
  await listening.close(0)
}

if (wanted.length === 0) rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
})
for (const state of states)
  for (const width of widths)
    for (const scheme of ['light', 'dark'] as const) await photograph(browser, state, width, scheme)
await browser.close()
console.log(folder)
