import { expect, onTestFinished, test } from 'vitest'
import { mathScene } from '../../../scripts/shots/texts.ts'
import { serveScene } from './browser.fixture.ts'
import { hasFirefox, openFirefox } from './firefox.fixture.ts'

test.skipIf(!hasFirefox)(
  'in Firefox a question gets its answer, with formulas, sources, what the proposals disagree in, and opened layers',
  async () => {
    const { url } = await serveScene({ ...mathScene, proposals: mathScene.proposals.slice(1) }, 5)
    const page = await openFirefox(url)
    onTestFinished(() => page.close())
    await page.waitFor(`document.querySelector('textarea')`)
    await page.point('textarea', true)
    await page.press(mathScene.question)
    await page.press('Enter')
    await page.waitFor(`document.querySelector('.card .md')`)
    await page.waitFor(`document.querySelector('.turn[data-state="done"] .prose math')`)
    expect(await page.evaluate(`document.querySelector('.question').innerText`)).toBe(mathScene.question)
    await page.waitFor(`/35.* vs .*36/.test(document.querySelector('.agreement summary').innerText)`)
    const size = `document.querySelector('.prose mfrac').getBoundingClientRect()`
    const { height } = await page.evaluate<{ height: number }>(size)
    expect(height).toBeGreaterThan(20)

    expect(await page.evaluate(`document.querySelector('.cards').getClientRects().length`)).toBe(0)
    await page.waitFor(`document.querySelector('[data-sentence]:not(.new)')`)
    const rest = 'new Promise((told) => { const y = scrollY; setTimeout(() => told(y === scrollY), 300) })'
    await page.waitFor(`await ${rest}`) // The page scrolls to the actions below the answer.
    await page.point('[data-sentence]:not(.new)')
    await page.waitFor(`document.querySelector('.chip.lit')`)
    await page.waitFor(`/Shared with \\d of 2 proposals/.test(document.querySelector('.sources').innerText)`)
    await page.waitFor(`CSS.highlights.get('aft-source')?.size > 0`)
    await page.evaluate('scrollTo(0, 0)')
    await page.point('.fold', true)
    await page.waitFor(`document.querySelector('.cards').getClientRects().length === 1`)
    expect(page.problems).toEqual([])
  },
)
