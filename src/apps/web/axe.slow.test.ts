import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { describe, expect, test } from 'vitest'
import { states } from '../../../scripts/shots/states.ts'
import { hasBrowser, serveScene, useBrowser } from './browser.fixture.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const shown =
  'streaming answering answer-30 disagreement opened math code thoughts sources-marked stopped failed'.split(
    ' ',
  )
const cases = states
  .filter(({ name }) => shown.includes(name))
  .flatMap((state) => [
    { state, width: 1280, colorScheme: 'light' as const },
    { state, width: 360, colorScheme: 'dark' as const },
  ])

describe.skipIf(!hasBrowser)('axe in Chromium', () => {
  const open = useBrowser()

  test.each(cases)(
    'finds nothing in $state.name at $width pixels, $colorScheme',
    async ({ state, width, colorScheme }) => {
      const { url } = await serveScene(state.scene, state.delayMs)
      const { page } = await open(url, { viewport: { width, height: 800 }, colorScheme })
      await page.emulateMedia({ reducedMotion: 'reduce' })
      await state.act(page, state.scene)
      await page.evaluate(axe)
      const found = await page.evaluate('axe.run().then(({ violations }) => violations)')
      const told = (found as { id: string; nodes: { html: string }[] }[]).map(
        ({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 150)).join(' ; ')}`,
      )
      expect(told).toEqual([])
      expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0)
    },
  )
})
