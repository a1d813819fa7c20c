import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { ask, hasBrowser, servePage, useBrowser, waitForAnswer } from './browser.fixture.ts'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe finds, of any weight, and by how much the page is too wide. */
async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  const found = await page.evaluate('axe.run().then(({ violations }) => violations)')
  const over = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
  const told = (found as { id: string; nodes: { html: string }[] }[]).map(
    ({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 150)).join(' ; ')}`,
  )
  return (over as number) > 0 ? [...told, `${over} px too wide`] : told
}

describe.skipIf(!hasBrowser)('around a run in Chromium', () => {
  const open = useBrowser()

  test.each([
    { width: 1280, colorScheme: 'light' as const },
    { width: 360, colorScheme: 'dark' as const },
  ])('at $width pixels, $colorScheme, axe finds nothing in any state', async ({ width, colorScheme }) => {
    const { url } = await servePage(['One is right.', 'Two is right.'], 'Both are right.', {
      ratings: '/dev/null',
    })
    const { page } = await open(url, { viewport: { width, height: 800 }, colorScheme })
    await page.emulateMedia({ reducedMotion: 'reduce' })
    const press = (name: string) => page.getByRole('button', { name, exact: true }).click()
    const check = async (state: string) => expect([state, await findings(page)]).toEqual([state, []])
    await page.locator('.estimate').waitFor()
    await check('empty')
    await ask(page, 'Which?')
    await waitForAnswer(page)
    await press('Run again')
    await page.getByText('run 2 of 2').waitFor()
    await waitForAnswer(page)
    await press('Good')
    await check('rated')
    await press('Side by side')
    await check('side by side')
    await press('Edit')
    await check('edit')
    await press('Cancel')
    for (const dialog of ['Export', 'History', 'Settings']) {
      await press(dialog)
      await check(dialog)
      await page.keyboard.press('Escape')
    }
    await press('Journals')
    await check('no journal')
    await press('Open two examples')
    await page.locator('.answer-diff summary').click()
    await page.locator('.diff-text').waitFor()
    await check('two journals')
  })
})
