/** What surrounds a run on the page: runs again, edits, addresses, pickers, files, keys, and errors with a button. */
import { describe, expect, test } from 'vitest'
import { scriptedEngine } from '../../engines/scripted/scripted.ts'
import { startServer } from '../server/server.fixture.ts'
import { ask, hasBrowser, isAggregator, servePage, useBrowser, waitForAnswer } from './browser.fixture.ts'

const proposals = ['Air scatters short waves of light.', 'The path of light is longer at sunset.']
const answer = 'Air scatters short waves of light. Look up.'

describe.skipIf(!hasBrowser)('the page in Chromium', () => {
  const open = useBrowser()

  test('a conversation has an address: a reload and the Back button show it, and History finds it', async () => {
    const { url } = await servePage(proposals, answer)
    const { page, problems } = await open(url)
    await ask(page, 'Why is the sky blue?')
    await waitForAnswer(page)
    await expect.poll(() => page.url()).toMatch(/#c=[0-9a-f]{24}$/)
    const first = page.url()
    await page.reload()
    await expect.poll(() => page.locator('.question').innerText()).toBe('Why is the sky blue?')
    await page.getByRole('button', { name: 'New', exact: true }).click()
    await expect.poll(() => page.url()).toBe(`${url}/`)
    await ask(page, 'And red?')
    await waitForAnswer(page)
    await expect.poll(() => page.url()).toMatch(/#c=/)
    expect(page.url()).not.toBe(first)
    await page.goBack()
    await page.goBack()
    await expect.poll(() => page.locator('.question').innerText()).toBe('Why is the sky blue?')
    await page.getByRole('button', { name: 'History' }).click()
    await page.getByLabel('Search history').fill('RED')
    expect(await page.locator('.history .entry').allInnerTexts()).toEqual([
      expect.stringMatching(/^And red\?/),
    ])
    await page.getByLabel('Search history').fill('violet')
    await page.getByText('No conversation has this text').waitFor()
    await page.getByLabel('Search history').fill('')
    expect(await page.locator('.history .entry').count()).toBe(2)
    await page.getByRole('button', { name: 'Delete: And red?' }).click()
    expect(await page.locator('.history .entry').count()).toBe(2)
    await page.getByRole('button', { name: 'Really delete: And red?' }).click()
    await expect.poll(() => page.locator('.history .entry').count()).toBe(1)
    expect(problems).toEqual([])
  })

  test('a question runs again with other settings, and both runs stand side by side with their difference', async () => {
    const script = [
      { when: /Drafts:[\s\S]*at sunset/, replies: ['It is blue light.'] },
      { when: isAggregator, replies: ['It is red light.'] },
      { replies: proposals, pick: 'index' as const },
    ]
    const { url } = await startServer(scriptedEngine(script), { defaults: { width: 2, depth: 1 } })
    const { page, problems } = await open(url)
    await ask(page, 'Why?')
    await waitForAnswer(page)
    await page.getByLabel('Width').fill('1')
    await page.getByText('2 completions in 2 requests').waitFor()
    await page.getByRole('button', { name: 'Run again' }).click()
    await page.getByText('run 2 of 2').waitFor()
    await waitForAnswer(page)
    expect(await page.locator('.prose').innerText()).toBe('It is red light.')
    await page.getByRole('button', { name: 'Side by side' }).click()
    const sides = page.locator('.comparison .turn')
    await expect.poll(() => sides.count()).toBe(2)
    expect(await page.locator('.diff-text del').innerText()).toBe('blue')
    expect(await page.locator('.diff-text ins').innerText()).toBe('red')
    expect(await page.locator('.totals-table').innerText()).toMatch(/completions\s+3\s+2\s+−33 %/)
    expect(await page.locator('.column-name').allInnerTexts()).toEqual(['Run 1: aft', 'Run 2: aft · width 1'])
    await page.locator('.comparison').getByRole('button', { name: 'Close' }).click()
    expect(await page.locator('.turn').count()).toBe(1)
    await page.reload()
    await page.getByRole('button', { name: 'Earlier run' }).click()
    expect(await page.locator('.prose').innerText()).toBe('It is blue light.')
    expect(problems).toEqual([])
  })

  test('an edited question is a new conversation; the old one stays', async () => {
    const { url, engine } = await servePage(proposals, answer)
    const { page } = await open(url)
    await ask(page, 'Why?')
    await waitForAnswer(page)
    await ask(page, 'And then?')
    await waitForAnswer(page, 1)
    await page.getByRole('button', { name: 'Edit' }).last().click()
    await page.getByLabel('Edit the question').fill('And before?')
    await page.getByRole('button', { name: 'Ask this instead' }).click()
    await page.getByText('And before?').waitFor()
    await waitForAnswer(page, 1)
    expect(engine.requests.at(-1)?.messages.slice(0, 3)).toMatchObject([
      { content: 'Why?' },
      { content: answer },
      { content: 'And before?' },
    ])
    await page.getByRole('button', { name: 'History' }).click()
    await page.getByLabel('Search history').fill('and then')
    expect(await page.locator('.history .entry').count()).toBe(1)
  })

  test('an older question runs again, or is edited, in a new conversation without what followed', async () => {
    const { url, engine } = await servePage(proposals, answer)
    const { page, problems } = await open(url)
    for (const [i, question] of ['First?', 'Second?', 'Third?'].entries()) {
      await ask(page, question)
      await waitForAnswer(page, i)
    }
    const address = page.url()
    await page.getByRole('button', { name: 'Run again' }).nth(1).click()
    await page.getByText('run 2 of 2').waitFor()
    await waitForAnswer(page, 1)
    expect(await page.locator('.question').allInnerTexts()).toEqual(['First?', 'Second?'])
    expect(page.url()).not.toBe(address)
    expect(
      engine.requests
        .at(-1)
        ?.messages.filter(({ role }) => role === 'user')
        .slice(0, 2),
    ).toMatchObject([{ content: 'First?' }, { content: 'Second?' }])
    await page.getByRole('button', { name: 'Earlier run' }).click()
    await page.getByRole('button', { name: 'Edit' }).first().click()
    await page.getByLabel('Edit the question').fill('Zeroth?')
    await page.getByRole('button', { name: 'Ask this instead' }).click()
    await page.getByText('Zeroth?').first().waitFor()
    await waitForAnswer(page)
    expect(await page.locator('.question').allInnerTexts()).toEqual(['Zeroth?'])
    await page.goto(address)
    await expect
      .poll(() => page.locator('.question').allInnerTexts())
      .toEqual(['First?', 'Second?', 'Third?'])
    expect(await page.getByText('run 2 of 2').count()).toBe(0)
    expect(problems).toEqual([])
  })

  test('a stopped answer is continued by its writer alone, and its text stays', async () => {
    const script = [
      { when: /cut off/, replies: ['and the rest.'] },
      { when: isAggregator, replies: [{ text: 'word '.repeat(2_000) }] },
      { replies: proposals, pick: 'index' as const },
    ]
    const engine = scriptedEngine(script, { delayMs: 10 })
    const { url } = await startServer(engine, { defaults: { width: 2, depth: 1 } })
    const { page, problems } = await open(url)
    await ask(page, 'Why?')
    await page.locator('.prose .md').getByText('word word').waitFor()
    await page.locator('.brand').focus()
    await page.keyboard.press('Escape')
    await page.getByText('Stopped: what follows is not a whole answer').waitFor()
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.locator('.prose').getByText('and the rest.').waitFor()
    await waitForAnswer(page)
    expect(await page.locator('.prose').innerText()).toMatch(/^word word[\s\S]*and the rest\.$/)
    expect(engine.requests.at(-1)).toMatchObject({ n: 1 })
    expect(engine.requests.at(-1)?.messages.at(-2)).toMatchObject({ role: 'assistant' })
    expect(await page.locator('.card').count()).toBe(2)
    expect(problems).toEqual([])
  })

  test('what a question takes is said before it is sent, with its price', async () => {
    const prices = { one: { inputPerMTok: 1_000, outputPerMTok: 10_000 } }
    const { url } = await servePage(proposals, answer, { prices })
    const { page } = await open(url)
    expect(await page.locator('.estimate').innerText()).toMatch(/^3 completions in 2 requests · at most \$\d/)
    await page.getByLabel('Strategy').selectOption('single')
    await page.getByText('1 completion in 1 request').waitFor()
    await page.getByLabel('Strategy').selectOption('')
    await page.getByLabel('Width').fill('99')
    await page.getByText('this server allows at most 16, got 99').waitFor()
  })

  test('images and text files are attached, sent, and refused in words if they are neither', async () => {
    const { url, engine } = await servePage(proposals, answer)
    const { page, problems } = await open(url)
    const pixel = Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
      'base64',
    )
    await page.getByLabel('Attach', { exact: true }).setInputFiles([
      { name: 'dot.png', mimeType: 'image/png', buffer: pixel },
      { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('Remember the milk.') },
    ])
    await page.getByRole('img', { name: 'dot.png' }).waitFor()
    await page.getByLabel('Attach', { exact: true }).setInputFiles({
      name: 'a.zip',
      mimeType: 'application/zip',
      buffer: Buffer.from([0, 255, 0]),
    })
    expect(await page.getByRole('alert').innerText()).toContain('a.zip is no text and no image')
    await ask(page, 'What is this?')
    await waitForAnswer(page)
    expect(engine.requests[0]?.messages.at(-1)?.content).toMatchObject([
      { type: 'image_url', image_url: { url: `data:image/png;base64,${pixel.toString('base64')}` } },
      { type: 'text', text: 'File notes.txt:\n\nRemember the milk.\n\n' },
      { type: 'text', text: 'What is this?' },
    ])
    expect(await page.locator('.chat-turn .attachments li').count()).toBe(2)
    expect(await page.locator('.question').innerText()).toBe('What is this?')
    expect(problems).toEqual([])
  })

  test('an example plays without a model, says who wrote it, and is kept', async () => {
    const { url, engine } = await servePage(proposals, answer)
    const { page, problems } = await open(url)
    await page.getByRole('button', { name: 'See an example without a model' }).click()
    await page.locator('.turn').getByText('An example without a model: a person wrote').waitFor()
    await page.locator('.turn[data-state="running"]').waitFor()
    await waitForAnswer(page)
    expect(await page.locator('.prose').innerText()).toMatch(/^22 times\./)
    await page.locator('[data-sentence="1"]').first().hover()
    await expect.poll(() => page.locator('.lit').count()).toBeGreaterThan(0)
    expect(engine.requests).toEqual([])
    await page.reload()
    await page.getByText('An example without a model').first().waitFor()
    expect(problems).toEqual([])
  })

  test('slash goes to the field, and Control with Enter asks', async () => {
    const { url } = await servePage(proposals, answer)
    const { page } = await open(url)
    await page.locator('.brand').focus()
    await page.keyboard.press('/')
    await page.keyboard.type('either/or?')
    await page.keyboard.press('Control+Enter')
    await waitForAnswer(page)
    expect(await page.locator('.question').innerText()).toBe('either/or?')
  })

  test('each error is said once, with a button that helps', async () => {
    const fail = { error: { kind: 'auth' as const, message: 'no key was sent', isRetryable: false } }
    const { url } = await servePage([fail, fail], 'Never.')
    const { page } = await open(url)
    await ask(page, 'Why?')
    const alert = page.getByRole('alert')
    await alert.getByText('No answer').waitFor()
    expect((await alert.innerText()).match(/no key was sent/g)).toHaveLength(1)
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByText('run 2 of 2').waitFor()

    await page.context().setOffline(true)
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByText('does not answer. Is aft serve still running there?').waitFor()
    await page.context().setOffline(false)

    const { url: half } = await servePage(['One.', fail, fail], 'The answer.')
    const { page: degraded } = await open(half)
    await ask(degraded, 'Why?')
    await waitForAnswer(degraded)
    expect(await degraded.locator('.banner').innerText()).toMatch(
      /^Answered with fewer proposals\s+Proposals 2 and 3: no key was sent$/,
    )

    const { url: locked } = await servePage(proposals, answer, { keys: { ann: 'sesame-key' } })
    const { page: other } = await open(locked)
    await other.getByRole('button', { name: 'Enter a key' }).click()
    await other.getByLabel('API key').fill('sesame-key')
    await other.getByLabel('API key').blur()
    await other.keyboard.press('Escape')
    await other.getByText('3 completions in 2 requests').waitFor()
    expect(await other.getByRole('alert').count()).toBe(0)
  })
})
