/**
 * Photographs the page of `aft serve` in Chromium, with written replies: light, dark, and on a phone.
 *   node docs/make-page.ts
 */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { chromium, type Page } from 'playwright-core'
import { skyScene } from '../scripts/shots/texts.ts'
import { listen } from '../src/apps/server/listen.ts'
import { createServer } from '../src/apps/server/server.ts'
import { scriptedEngine } from '../src/engines/scripted/scripted.ts'

const { question, proposals, answer } = skyScene
const script = [
  { when: /Drafts:/, replies: [{ text: String(answer), ms: 1_900 }] },
  {
    replies: proposals.map(String).map((text) => ({ text, ms: 700 + 5 * text.length })),
    pick: 'index' as const,
  },
]
const engine = scriptedEngine(script)
const server = createServer({ engines: { 'a-model': engine }, defaults: { width: 5, depth: 1 } })
const listening = await listen(server, { host: '127.0.0.1', port: 0 })
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })

const pictures = [
  { name: 'page-light', width: 1280, height: 850, colorScheme: 'light' },
  { name: 'page-dark', width: 1280, height: 850, colorScheme: 'dark' },
  { name: 'page-narrow-light', width: 390, height: 900, colorScheme: 'light' },
  { name: 'page-narrow-dark', width: 390, height: 900, colorScheme: 'dark' },
] as const

for (const { name, width, height, colorScheme } of pictures) {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme, deviceScaleFactor: 1.5 })
  await page.goto(listening.url)
  await page.getByLabel('Your question').fill(question)
  await page.getByRole('button', { name: 'Ask', exact: true }).click()
  await page.locator('.turn[data-state="done"]').waitFor()
  await page.locator('.agreement strong').waitFor()
  await page.locator('[data-sentence="1"]').first().hover()
  await page.locator('[data-sentence="1"]').first().focus()
  await page.waitForTimeout(500)
  const bytes = await toWebp(page, await page.screenshot())
  writeFileSync(path.join(import.meta.dirname, `${name}.webp`), bytes)
  console.log(`docs/${name}.webp: ${Math.round(bytes.length / 1000)} kB`)
  await page.close()
}
await browser.close()
await listening.close(0)

/** Chromium writes WebP; its screenshots are PNG. */
async function toWebp(page: Page, png: Buffer): Promise<Buffer> {
  await page.goto('about:blank')
  const source = `data:image/png;base64,${png.toString('base64')}`
  const data = await page.evaluate<string>(`(async () => {
    const image = new Image()
    image.src = ${JSON.stringify(source)}
    await image.decode()
    const surface = document.createElement('canvas')
    surface.width = image.width
    surface.height = image.height
    surface.getContext('2d').drawImage(image, 0, 0)
    return surface.toDataURL('image/webp', 0.8)
  })()`)
  return Buffer.from(data.slice(data.indexOf(',') + 1), 'base64')
}
