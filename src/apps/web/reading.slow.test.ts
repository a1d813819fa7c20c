import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { deepScene, longScene, skyScene } from '../../../scripts/shots/texts.ts'
import { ask, hasBrowser, servePage, serveScene, useBrowser, waitForAnswer } from './browser.fixture.ts'

const inView = (page: Page, selector: string) =>
  page.evaluate(`(() => {
    const { top, bottom } = document.querySelector('${selector}').getBoundingClientRect()
    return top >= 0 && bottom <= document.querySelector('.composer').getBoundingClientRect().top + 16
  })()`)

describe.skipIf(!hasBrowser)('reading an answer in Chromium', () => {
  const open = useBrowser()

  test.each([360, 768, 1280, 1920])(
    'at %i pixels the answer stands below its question, however long the drafts are',
    async (width) => {
      for (const words of [23, 230, 2_300]) {
        const { proposals, answer } = longScene(words, 1)
        const { url } = await servePage(proposals, answer)
        const { page } = await open(url, { viewport: { width, height: 800 } })
        await ask(page, 'Why?')
        await waitForAnswer(page)
        await page.evaluate('scrollTo(0, 0)')
        const top = (await page.locator('.answer h3').boundingBox())?.y
        expect(top).toBeLessThan(340)
        expect(await page.locator('.card').first().isVisible()).toBe(false)
      }
    },
  )

  test('layers become a line when the answer begins; a click opens one, and what the reader opened stays', async () => {
    const { proposals, answer } = longScene(60, 1)
    const { url } = await servePage(proposals, answer, { delayMs: 15 })
    const { page } = await open(url)
    await ask(page, 'Why?')
    const cards = page.locator('.cards')
    await page.locator('.card .md').first().waitFor()
    expect(await cards.isVisible()).toBe(true)
    await page.locator('.prose .md').waitFor()
    expect(await cards.isVisible()).toBe(false)
    await page.getByRole('button', { name: 'Show Proposal 4' }).click()
    await waitForAnswer(page)
    expect(await cards.isVisible()).toBe(true)
    await expect.poll(() => page.evaluate('document.activeElement.ariaLabel')).toBe('Text of Proposal 4')
    await page.getByRole('button', { name: 'Proposals', exact: true }).click()
    expect(await cards.isVisible()).toBe(false)

    await ask(page, 'And then?')
    const body = page.getByRole('group', { name: 'Text of Proposal 2' })
    await body.click()
    await waitForAnswer(page, 1)
    expect(await body.isVisible()).toBe(true)
  })

  test('a further question goes to the top of the page, above its answer', async () => {
    const { url } = await serveScene(skyScene)
    const { page } = await open(url)
    for (const turn of [0, 1, 2]) {
      await ask(page, `Why, for the time ${turn}?`)
      await waitForAnswer(page, turn)
    }
    const top = (await page.locator('.turn').nth(2).boundingBox())?.y
    expect(top).toBeGreaterThan(50)
    expect(top).toBeLessThan(120)
  })

  test('above the answer stands where the proposals disagree; the table says who has what; aggregations are grouped', async () => {
    const { url } = await serveScene(deepScene)
    const { page, problems } = await open(url)
    await ask(page, deepScene.question)
    await waitForAnswer(page)
    const line = page.locator('.agreement summary')
    await expect
      .poll(() => line.innerText())
      .toMatch(
        /^The proposals disagree “ten” \(proposal 2\) vs “five” \(4\) · the answer took \d+ of \d+ points$/,
      )
    const [above, below] = [await line.boundingBox(), await page.locator('.prose').boundingBox()]
    expect(above?.y).toBeLessThan(below?.y ?? 0)
    await line.click()
    const row = page.getByRole('row', { name: /about ten times as strongly/ })
    expect(await row.getByRole('cell').allInnerTexts()).toEqual(['·', 'ten', '·', 'five', '·', 'five'])
    await page
      .getByRole('group', { name: 'What each proposal says' })
      .getByRole('button', { name: 'Show Proposal 4' })
      .click()
    await page.getByRole('group', { name: 'Text of Proposal 4' }).waitFor()
    const colors = page.locator('.layer').nth(1).locator('.chip')
    expect(await colors.evaluateAll((chips) => chips.every((chip) => /hue-1/.test(chip.className)))).toBe(
      true,
    )
    expect(await page.locator('.layer').nth(1).innerText()).toMatch(
      /1\s*2\s*3\s*4\s*5\s*closest to Proposal 2/,
    )
    await page.getByRole('button', { name: 'Layer 2' }).click()
    const cards = page.locator('.layer').nth(1).locator('.card')
    expect(await cards.evaluateAll((all) => all.every((card) => /hue-1/.test(card.className)))).toBe(true)
    await page.locator('[data-sentence="1"]').first().hover()
    await expect
      .poll(() => page.locator('.sources').innerText())
      .toMatch(/Shared with 2 of 5 proposals, kept by 5 of 5 of layer 2: \d+ % of this/)
    expect(await page.locator('.sources li').count()).toBe(2)
    expect(problems).toEqual([])
  })

  test('a sentence that an aggregation has reworded has the color of the proposal, not of the aggregation', async () => {
    const { url } = await serveScene({
      question: 'Why?',
      proposals: ['The sea is salt and wide.', 'Air scatters short waves of the light most of all.'],
      aggregations: Array(2).fill('Clean air scatters short waves of the light much more, most of all.'),
      answer: 'Clean air scatters short waves of the light much more, most of all.',
    })
    const { page } = await open(url)
    await ask(page, 'Why?')
    await waitForAnswer(page)
    await page.locator('.sentence.hue-1').waitFor()
    await page.getByText('Color by source').click()
    expect(await page.locator('.attributed .sentence').count()).toBe(1)
  })

  test('a long list of points shows all of them when asked to, and some again', async () => {
    const { url } = await serveScene(longScene(230, 1))
    const { page } = await open(url)
    await ask(page, 'Why?')
    await waitForAnswer(page)
    await page.locator('.agreement summary').click()
    const last = page.locator('.agreement tbody').last()
    const rows = last.locator('tr')
    expect(await rows.count()).toBe(7)
    const all = Number((await last.getByRole('button').innerText()).replace('Show all ', ''))
    await last.getByRole('button', { name: `Show all ${all}` }).click()
    expect(await rows.count()).toBe(all + 1)
    await last.getByRole('button', { name: 'Show 6' }).click()
    expect(await rows.count()).toBe(7)
  })

  test('what a reader opens as the answer ends stays in sight', async () => {
    const { url } = await serveScene(skyScene)
    const { page } = await open(url, { viewport: { width: 1280, height: 640 } })
    await ask(page, 'Why?')
    await waitForAnswer(page)
    await page.locator('.agreement summary').click()
    await page.waitForTimeout(600)
    expect(await page.locator('.agreement[open]').count()).toBe(1)
    expect(await inView(page, '.agreement summary')).toBe(true)
  })

  test('what a model thought folds to a line with its time and stays; sources are marked when asked for, and next time too', async () => {
    const thoughts = 'Let me compare the drafts. '.repeat(8)
    const { url } = await servePage(['The sky is blue because of the air.', 'It is the sea.'], {
      reasoning: thoughts,
      text: 'The sky is blue because of the air.',
      delayMs: 50,
    })
    const { page } = await open(url)
    await ask(page, 'Why?')
    await page.locator('.answer .thinking').waitFor()
    await waitForAnswer(page)
    const line = page.locator('.answer .thoughts summary')
    expect(await line.innerText()).toMatch(/^Thought for \d+\.\d s$/)
    expect(await page.locator('.answer .thinking').isVisible()).toBe(false)
    await line.click()
    expect(await page.locator('.answer .thinking').innerText()).toBe(thoughts)

    const style = `getComputedStyle(document.querySelector('[data-sentence="0"]')).textDecorationLine`
    await page.locator('[data-sentence="0"]').waitFor()
    expect(await page.evaluate(style)).toBe('none')
    await page.getByRole('button', { name: 'Color by source' }).click()
    expect(await page.evaluate(style)).toBe('underline')
    await page.reload()
    await page.locator('[data-sentence="0"]').waitFor()
    expect(await page.evaluate(style)).toBe('underline')
  })

  test('the page follows the answer until the reader scrolls back, and again from its end', async () => {
    const { proposals, answer } = longScene(900, 1)
    const { url } = await servePage(
      proposals.map((text) => ({ text, delayMs: 0 })),
      { text: answer, delayMs: 6 },
    )
    const { page } = await open(url, { viewport: { width: 768, height: 600 } })
    await ask(page, 'Why?')
    const top = () => page.evaluate('scrollY') as Promise<number>
    await expect.poll(top).toBeGreaterThan(150)
    expect(await inView(page, '.prose .md > :last-child')).toBe(true)
    await page.mouse.move(300, 300)
    await page.mouse.wheel(0, -120)
    const button = page.getByRole('button', { name: 'To the end of the answer' })
    await button.waitFor()
    const before = await top()
    await page.waitForTimeout(400)
    expect(await top()).toBe(before)
    await button.click()
    await expect.poll(top).toBeGreaterThan(before + 50)
    await waitForAnswer(page)
    await expect.poll(() => inView(page, '.turn-bar')).toBe(true)
    expect(await inView(page, '.prose .md > :last-child')).toBe(true)
    expect(await button.count()).toBe(0)
  })

  test('a card shows the end of its text while it grows, stays where its reader scrolls, and begins anew when it is complete', async () => {
    const long = Array.from({ length: 400 }, (_, i) => `Word ${i}.`).join(' ')
    const { url } = await servePage(
      [
        { text: long, delayMs: 8 },
        { text: long, delayMs: 8 },
        { text: 'Slow. '.repeat(1_800), delayMs: 8 },
      ],
      'So.',
    )
    const { page } = await open(url)
    await ask(page, 'Why?')
    const top = (i: number) =>
      page
        .locator('.card .body')
        .nth(i)
        .evaluate((body) => (body as unknown as { scrollTop: number }).scrollTop)
    await expect.poll(() => top(0)).toBeGreaterThan(100)
    await page.locator('.card .body').nth(1).hover()
    await page.mouse.wheel(0, -60)
    await page.waitForTimeout(300)
    const [followed, held] = [await top(0), await top(1)]
    await page.waitForTimeout(600)
    expect(await top(0)).toBeGreaterThan(followed)
    expect(await top(1)).toBe(held)
    await page.locator('.card.done').nth(1).waitFor()
    await expect.poll(() => top(0)).toBe(0)
    expect(await top(1)).toBe(held)
  })
})
