/** What the page saves can be sent: it opens from a file, without a network, and nothing of a model runs in it. */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { longScene, mathScene } from '../../../scripts/shots/texts.ts'
import { aftHere } from '../../../test/aft-here.ts'
import { ask, hasBrowser, servePage, serveScene, useBrowser, waitForAnswer } from './browser.fixture.ts'

const folder = path.join(import.meta.dirname, '../../../.cache/page-export')
mkdirSync(folder, { recursive: true })

const proposals = ['Air scatters short waves of light most.', 'At sunset the path of light is longer.']
const answer = 'Air scatters short waves of light most. At sunset the path of light is longer. Look up.'

/** Presses a button of the dialog and keeps the file. */
async function save(page: Page, name: string): Promise<string> {
  await page.getByRole('button', { name: 'Export', exact: true }).click()
  const waiting = page.waitForEvent('download')
  await page.getByRole('button', { name }).click()
  const file = path.join(folder, `${Date.now()}-${(await waiting).suggestedFilename()}`)
  await (await waiting).saveAs(file)
  return file
}

const lit = (page: Page) =>
  page.locator('.card.lit').evaluateAll((cards) => cards.map((card) => card.getAttribute('aria-label')))

describe.skipIf(!hasBrowser)('an exported conversation in Chromium', () => {
  const open = useBrowser()
  const openFile = (file: string) =>
    open(pathToFileURL(file).href, { offline: true, viewport: { width: 1280, height: 900 } }, '.answer')

  test('formulas are drawn in the web page, offline, and it is one file under 500 kB', async () => {
    const { url } = await serveScene({ ...longScene(230, 2), answer: mathScene.answer })
    const { page } = await open(url, { acceptDownloads: true })
    expect(await page.getByRole('button', { name: 'Export', exact: true }).isDisabled()).toBe(true)
    await ask(page, 'Why?')
    await waitForAnswer(page)
    const html = await save(page, 'Web page')
    expect(statSync(html).size).toBeLessThan(500_000)
    const { page: sent, problems } = await openFile(html)
    await sent.locator('.prose mfrac').waitFor()
    await sent.locator('.agreement summary').click()
    await sent.getByRole('group', { name: 'What each proposal says' }).waitFor()
    expect(problems).toEqual([])
  })

  test('the web page opens offline from a file, with attribution, and comes back by import', async () => {
    const { url } = await servePage(proposals, answer)
    const { page, problems } = await open(url, { acceptDownloads: true })
    await ask(page, 'Why is the sky blue?')
    await waitForAnswer(page)
    const html = await save(page, 'Web page')
    expect(path.basename(html)).toMatch(/why-is-the-sky-blue\.html$/)
    const { page: sent, problems: sentProblems } = await openFile(html)
    expect(await sent.title()).toBe('Why is the sky blue?')
    expect(await sent.locator('.prose').innerText()).toBe(answer)
    await sent.locator('[data-sentence="1"]').hover()
    await expect.poll(() => lit(sent)).toEqual(['Proposal 2'])
    await sent.screenshot({ path: path.join(folder, 'exported.png') })
    expect(sentProblems).toEqual([])

    const json = await save(page, 'JSON')
    const markdown = readFileSync(await save(page, 'Markdown'), 'utf8')
    expect(markdown).toContain(`## Answer by`)
    expect(markdown).toContain(`> ${proposals[1]}`)
    for (const file of [html, json]) {
      await page.getByRole('button', { name: 'New', exact: true }).click()
      await page.getByText('Several drafts, one answer, every source visible').waitFor()
      await page.getByRole('button', { name: 'History' }).click()
      await page.getByLabel('Import a file').setInputFiles(file)
      await page.locator('.turn[data-state="done"]').waitFor()
      await page.locator('[data-sentence="0"]').hover()
      await expect.poll(() => lit(page)).toEqual(['Proposal 1'])
    }
    await page.getByRole('button', { name: 'History' }).click()
    await page.getByLabel('Import a file').setInputFiles({
      name: 'no.html',
      mimeType: 'text/html',
      buffer: Buffer.from('<p>no'),
    })
    expect(await page.getByRole('alert').innerText()).toMatch(/^no\.html holds no conversation: expected/)
    expect(problems).toEqual([])
  })

  test('hostile text of a model, a title or a forged file runs nothing and loads nothing', async () => {
    const script = '</script><script>window.hit = 1</script><!--<script>'
    const load = '<img src=x onerror="window.hit = 2"><svg onload="window.hit = 3"></title><style>*{}</style>'
    const hostile = `${script}${load} $& $\` $' [a](javascript:window.hit=4) ![b](http://127.0.0.1:9/b.png)`
    const { url } = await servePage([hostile, `b ${hostile}`], hostile)
    const { page } = await open(url, { acceptDownloads: true })
    await ask(page, hostile)
    await waitForAnswer(page)
    const file = await save(page, 'Web page')
    const text = readFileSync(file, 'utf8')
    expect(text.match(/<script\b/g)?.length).toBe(3) // data, licenses, and the script of this program
    const { page: sent, problems } = await openFile(file)
    expect(await sent.locator('.question').innerText()).toContain('</script>')
    expect(await sent.locator('.prose').innerText()).toContain('$& $` $')
    expect(await sent.evaluate('window.hit')).toBe(undefined)
    expect(problems).toEqual([])

    // Somebody adds a script of his own to the file: the policy of the file stops it.
    const forged = path.join(folder, 'forged.html')
    writeFileSync(forged, text.replace('<div id="app">', '<script>window.hit = 5</script><div id="app">'))
    const { page: other, problems: blocked } = await openFile(forged)
    expect(await other.evaluate('window.hit')).toBe(undefined)
    expect(blocked.join()).toContain('Content Security Policy')
  })

  test('5 × 2 drafts of 300 tokens are one page below 500 kB, from the command line too', async () => {
    const draft = (i: number) =>
      Array.from({ length: 240 }, (_, word) => `word${(word * word * (i + 3)) % 1009}`).join(' ')
    const script = path.join(folder, 'script.json')
    writeFileSync(script, JSON.stringify([{ replies: [0, 1, 2, 3, 4].map(draft), pick: 'index' }]))
    const prompts = path.join(folder, 'prompts.jsonl')
    writeFileSync(prompts, `${JSON.stringify({ id: 'p', prompt: 'Why?' })}\n`)
    const answers = path.join(folder, 'answers.jsonl')
    const shape = ['--width', '5', '--depth', '2', '--restart', '--no-progress']
    const ran = await aftHere(['run', prompts, '-o', answers, '--model', `scripted:${script}`, ...shape])
    expect(ran.code).toBe(0)
    const page = path.join(folder, 'answers.html')
    expect(await aftHere(['export', `${answers}.journal`, '-o', page])).toMatchObject({
      code: 0,
      stdout: `${page}\n`,
    })
    expect(statSync(page).size).toBeLessThan(500_000)
    const { page: sent, problems } = await openFile(page)
    await sent.locator('[data-sentence]').first().waitFor()
    expect(await sent.locator('[data-place]').count()).toBe(10)
    expect(problems).toEqual([])
  })
})
