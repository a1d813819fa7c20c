import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { openEngine } from '../../engines/open.ts'
import { echo, scriptedEngine } from '../../engines/scripted/scripted.ts'
import { readExamples } from '../../files/examples.ts'
import { makePlan } from '../../plans/strategies.ts'
import { runPrompts } from '../../run/run.ts'
import { listenWith, mounts } from '../server/mount.fixture.ts'
import { startServer } from '../server/server.fixture.ts'
import { createServer } from '../server/server.ts'
import {
  ask,
  hasBrowser,
  isAggregator,
  pageEngine,
  servePage,
  useBrowser,
  waitForAnswer,
} from './browser.fixture.ts'

const folder = path.join(import.meta.dirname, '../../../.cache/page')
mkdirSync(folder, { recursive: true })

const proposals = [
  'Air scatters **short waves** of light far more than long ones. I think so.',
  'It mirrors the sea, and at sunset the path through the air is longer.',
  'The eye sees violet badly.',
]
const answer = [
  'Air scatters short waves of light far more than long ones.',
  'At sunset the path through the air is longer, so red is left.',
  'Try it with a torch and a glass of water.',
].join(' ')

describe.skipIf(!hasBrowser)('the page in Chromium', () => {
  const open = useBrowser()

  test('proposals stream side by side, then the answer grows, and usage is below it', async () => {
    const long = `${proposals[0]} ${'And so on. '.repeat(30)}`
    const { url } = await servePage([long, ...proposals.slice(1)], answer, { delayMs: 40 })
    const { page, problems } = await open(url)
    await ask(page, 'Why is the sky blue?')
    const card = page.getByRole('article', { name: 'Proposal 1' }).locator('.md')
    expect(await growth(card)).toBeGreaterThan(2)
    expect(await page.locator('.card').count()).toBe(3)
    const boxes = await Promise.all([0, 1].map((i) => page.locator('.card').nth(i).boundingBox()))
    expect(boxes[0]?.y).toBe(boxes[1]?.y)
    expect(await growth(page.locator('.prose .md'))).toBeGreaterThan(2)
    await waitForAnswer(page)
    expect(await page.locator('.prose').innerText()).toBe(answer)
    expect(await page.locator('.card strong').first().innerText()).toBe('Proposal 1')
    expect(await page.locator('.card footer').first().innerText()).toMatch(/^104 tokens/)
    expect(await page.locator('.totals').innerText()).toMatch(
      /4 completions · .* tokens in, \d+ out · .*seed \d+/,
    )
    expect(problems).toEqual([])
  })

  test('the text grows even if layout takes longer than the time between two pieces', async () => {
    // Minutes of text: on a slow machine, the answer must not end before the click.
    const { url } = await servePage(['Go *on*. '.repeat(5_000)], answer, { delayMs: 20 })
    const { page } = await open(url)
    const devtools = await page.context().newCDPSession(page)
    await devtools.send('Emulation.setCPUThrottlingRate', { rate: 20 })
    await ask(page, 'Why?')
    const card = page.getByRole('article', { name: 'Proposal 1' }).locator('.md')
    expect(await growth(card)).toBeGreaterThan(2)
    await page.getByRole('button', { name: 'Stop' }).click()
  })

  test('stop ends the upstream calls at once, and the partial answer is marked as one', async () => {
    const { url, engine } = await servePage(proposals, { text: 'word '.repeat(5_000) }, { delayMs: 20 })
    const { page } = await open(url)
    await ask(page, 'Why?')
    await page.locator('.prose .md').getByText('word word').waitFor()
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.getByText('Stopped: what follows is not a whole answer').waitFor()
    await expect.poll(() => engine.requests.every((r) => r.signal?.aborted || r.n === 3)).toBe(true)
    expect(await page.locator('.prose').innerText()).toMatch(/^word word/)
    await page.getByRole('button', { name: 'Ask', exact: true }).waitFor()
  })

  test('long proposals scroll in their cards, so that the answer is near; Escape stops', async () => {
    const long = Array.from({ length: 120 }, (_, i) => `Word ${i} differs.`).join(' ')
    const { url, engine } = await servePage(
      Array(3).fill(long),
      { text: 'word '.repeat(3_000) },
      { delayMs: 8 },
    )
    const { page } = await open(url)
    await ask(page, 'Why?')
    await page.locator('.prose .md').getByText('word word').waitFor()
    const heights = await page
      .locator('.card .body')
      .evaluateAll((bodies) => bodies.map((body) => body.clientHeight))
    expect(Math.max(...heights)).toBeLessThan(200)
    const heading = page.locator('.answer h3')
    expect((await heading.boundingBox())?.y).toBeLessThan(800)
    await page.getByLabel('Your question').press('Escape')
    await page.getByText('Stopped: what follows is not a whole answer').waitFor()
    await expect.poll(() => engine.requests.every((r) => r.signal?.aborted || r.n === 3)).toBe(true)
  })

  test('pointing at a sentence lights up its proposals; a new one is marked; keys do the same', async () => {
    const { url } = await servePage(proposals, answer)
    const { page } = await open(url)
    await ask(page, 'Why?')
    await waitForAnswer(page)
    expect(await page.locator('.answer h3').innerText()).toMatch(/^Answer by \S/)
    const sentence = (i: number) => page.locator(`[data-sentence="${i}"]`)
    const lit = () => page.locator('.card.lit').evaluateAll((cards) => cards.map((card) => card.ariaLabel))
    await sentence(0).hover()
    await expect.poll(lit).toEqual(['Proposal 1'])
    const painted = `[...CSS.highlights.get('aft-source')].map(String)`
    expect(await page.evaluate(painted)).toEqual([
      'Air scatters short waves of light far more than long ones',
    ])
    expect(await page.locator('.sources').innerText()).toMatch(
      /Shared with 1 of 3 proposals: 100 % of this sentence’s words/,
    )
    await sentence(1).hover()
    await expect.poll(lit).toEqual(['Proposal 2'])
    expect(await page.locator('.sources mark').innerText()).toBe(
      'at sunset the path through the air is longer',
    )
    expect(await sentence(2).getAttribute('class')).toContain('new')
    await sentence(2).hover()
    await expect.poll(lit).toEqual([])
    expect(await page.locator('.sources').innerText()).toMatch(/New\./)
    expect(await page.locator('.legend').innerText()).toContain('1 sentence is new')

    await sentence(0).focus()
    await expect.poll(lit).toEqual(['Proposal 1'])
    await page.keyboard.press('ArrowRight')
    await expect.poll(lit).toEqual(['Proposal 2'])
    await page.keyboard.press('Escape')
    await expect.poll(lit).toEqual([])
  })

  test('failures and degraded are above the answer; without an answer, the reason is', async () => {
    const fail = { error: { kind: 'rate-limit' as const, message: 'slow down', isRetryable: false } }
    const { url } = await servePage(['One.', fail], 'The answer.')
    const { page } = await open(url)
    await ask(page, 'Why?')
    await waitForAnswer(page)
    const banner = page.locator('.banner')
    expect(await banner.innerText()).toMatch(/^Answered with fewer proposals\s+Proposal 2: slow down$/)
    const [above, below] = [await banner.boundingBox(), await page.locator('.prose').boundingBox()]
    expect(above?.y).toBeLessThan(below?.y ?? 0)

    const { url: broken } = await servePage([fail], 'Never.')
    const { page: other } = await open(broken)
    await ask(other, 'Why?')
    await other.getByRole('alert').getByText('No answer').waitFor()
    expect(await other.getByRole('alert').innerText()).toContain('slow down')
  })

  test('a follow-up turn carries the conversation, settings reach the request, and history brings both back', async () => {
    const { url, engine } = await servePage(proposals, answer)
    const { page } = await open(url)
    await page.getByLabel('Width').fill('2')
    await page.getByRole('button', { name: 'Settings', exact: true }).click()
    await page.getByLabel('Temperature').fill('0.3')
    await page.getByLabel('Seed', { exact: true }).fill('7')
    await page.getByLabel('System prompt').fill('Be brief.')
    await page.keyboard.press('Escape')
    await ask(page, 'Why is the sky blue?')
    await waitForAnswer(page)
    await ask(page, 'And at night?')
    await waitForAnswer(page, 1)
    const last = engine.requests.at(-2)
    expect(last).toMatchObject({ n: 2, sampling: { temperature: 0.3 } })
    expect(last?.messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Why is the sky blue?' },
      { role: 'assistant', content: answer },
      { role: 'user', content: 'And at night?' },
    ])
    await page.reload()
    await page.getByRole('button', { name: 'History' }).click()
    await page.getByRole('button', { name: /^Why is the sky blue\?.*2 turns/ }).click()
    expect(await page.locator('.turn').count()).toBe(2)
    await page.locator('[data-sentence="0"]').first().hover()
    await expect.poll(() => page.locator('.card.lit').count()).toBe(1)
    await page.getByRole('button', { name: 'History' }).click()
    await page.getByRole('button', { name: /^Delete all/ }).click()
    await page.getByRole('button', { name: 'Really delete all' }).click()
    await page.reload()
    await page.getByRole('button', { name: 'History' }).click()
    await page.getByText('Nothing yet').waitFor()
  })

  test('a server with keys asks for a key and accepts it', async () => {
    const { url } = await servePage(proposals, answer, { keys: { ann: 'sesame-key' } })
    const { page } = await open(url, { viewport: { width: 360, height: 740 } })
    await page.getByRole('button', { name: 'Enter a key' }).waitFor()
    await page.waitForTimeout(300)
    // Below the bar at the top, which is 54 pixels high.
    expect((await page.getByRole('alert').boundingBox())?.y).toBeGreaterThan(54)
    await ask(page, 'Why?')
    await page.getByLabel('API key').fill('sesame-key')
    await page.getByLabel('API key').blur()
    await page.keyboard.press('Escape')
    await ask(page, 'Why?')
    await waitForAnswer(page, 1)
    expect(await page.evaluate('JSON.stringify(localStorage)')).not.toContain('sesame')
  })

  test('a journal is browsed, searched, and compared with a second one', async () => {
    const journals = await Promise.all(['one', 'two'].map((name, i) => makeJournal(name, i + 1)))
    const { url } = await servePage(proposals, answer)
    const { page, problems } = await open(url)
    await page.getByRole('button', { name: 'Journals' }).click()
    await page.getByLabel('Open files').setInputFiles(journals[0] as string)
    await page.getByText('one.journal: 3 prompts, aft, seed 1').waitFor()
    await page.getByLabel('Search prompts').fill('river')
    const entries = page.locator('.journal nav .entry')
    expect(await entries.count()).toBe(1)
    await entries.first().click()
    expect(await page.locator('.question').innerText()).toBe('Name a river.')
    expect(await page.locator('.card').count()).toBe(2)
    expect(await page.locator('.prose').innerText()).toMatch(/^Reply/)
    await page.getByLabel('Compare with a second').setInputFiles(journals[1] as string)
    await expect.poll(() => page.locator('.turn').count()).toBe(2)
    const texts = await page.locator('.prose').allInnerTexts()
    expect(texts[0]).not.toBe(texts[1])
    const [left, right] = await Promise.all([0, 1].map((i) => page.locator('.turn').nth(i).boundingBox()))
    expect(left?.y).toBe(right?.y)
    await page.getByLabel('Open others').setInputFiles({
      name: 'x.txt',
      mimeType: 'text/plain',
      buffer: Buffer.from('{"type":\nno'),
    })
    expect(await page.getByRole('alert').innerText()).toContain('x.txt is neither a journal')
    expect(problems).toEqual([])
  })

  test('a corrected answer becomes a training example in the operator’s file', async () => {
    const data = path.join(folder, 'fixed')
    mkdirSync(data, { recursive: true })
    const fixes = path.join(data, 'train.jsonl')
    writeFileSync(fixes, '')
    const { url, engine } = await servePage(proposals, answer, { fixes })
    const { page } = await open(url)
    await ask(page, 'Why is the sky blue?')
    await waitForAnswer(page)
    await page.getByRole('button', { name: 'Fix this answer' }).click()
    await page.getByLabel('The answer as it should have been').fill('Air scatters blue light most.')
    await page.getByRole('button', { name: 'Save the fix' }).click()
    await page.getByText('Saved as a training example, with its 3 proposals').waitFor()
    const examples = []
    for await (const example of readExamples(data, 'train')) examples.push(example)
    expect(examples).toMatchObject([
      { source: 'fixes', completion: [{ content: 'Air scatters blue light most.' }], template: 'aft-2' },
    ])
    expect(examples[0]?.prompt).toEqual(engine.requests.at(-1)?.messages)

    const { url: without } = await servePage(proposals, answer)
    const refused = await fetch(`${without}/v1/aft/fixes`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"file": "/tmp/x"}',
    })
    expect(refused.status).toBe(404)
  })

  test('hostile text runs nothing, loads nothing and breaks no layout', async () => {
    const script = '<script>alert(1)</script><img src=x onerror=alert(2)> <svg onload=alert(3)>'
    const links =
      '[a](javascript:alert(4)) [b](data:text/html,x) ![c](http://127.0.0.1:9/c.png) [d](https://example.org/)'
    const style =
      '<style>body{display:none}</style><div style="position:fixed;inset:0" class="banner">x</div><iframe src="/">'
    const table = `| ${'a | '.repeat(60)}\n| ${'--- | '.repeat(60)}\n${`| ${'cell | '.repeat(60)}\n`.repeat(60)}`
    const rtl = 'السماء زرقاء. \u202eevil\u202c'
    const hostile = [
      `${script}\n\n${links}\n\n${style}`,
      table,
      rtl,
      'x'.repeat(200_000),
      '#'.repeat(5_000) + '>'.repeat(5_000),
    ]
    const { url } = await servePage(
      hostile,
      `${hostile.slice(0, 3).join('\n\n')}\n\n${'long words '.repeat(18_000)}`,
    )
    const { page, problems } = await open(url)
    await ask(page, `Why? ${script}`)
    await waitForAnswer(page)
    const md = page.locator('.md')
    expect(await md.locator('script, img, svg, style, iframe, div, [style], [onerror]').count()).toBe(0)
    const hrefs = await md.locator('a').evaluateAll((all) => all.map((a) => a.getAttribute('href')))
    expect([...new Set(hrefs)].sort()).toEqual(['https://example.org/', null])
    expect(await md.first().innerText()).toContain('<script>alert(1)</script>')
    expect(await page.locator('.question').innerText()).toContain('<script>')
    expect(
      await page
        .locator('.card .md')
        .nth(2)
        .evaluate(
          (el) =>
            (
              globalThis as unknown as { getComputedStyle(of: unknown): { direction: string } }
            ).getComputedStyle(el).direction,
        ),
    ).toBe('rtl')
    expect(await overflow(page)).toBeLessThanOrEqual(0)
    await page.getByLabel('Your question').fill('still here')
    expect(problems).toEqual([])
  })

  test.each([
    [1280, 'light'],
    [1280, 'dark'],
    [360, 'light'],
    [360, 'dark'],
  ] as const)(
    'at %i pixels, %s: axe finds nothing serious, nothing sticks out',
    async (width, colorScheme) => {
      const fail = { error: { kind: 'server' as const, message: 'broke', isRetryable: false } }
      const { url } = await servePage(
        [...proposals, fail],
        `# Title\n\n${answer}\n\n- \`code\`\n\n| a | b |\n|---|---|\n| 1 | 2 |`,
        {
          fixes: path.join(folder, 'none.jsonl'),
        },
      )
      const { page } = await open(url, { viewport: { width, height: 800 }, colorScheme })
      const check = async (name: string) => {
        await page.waitForTimeout(250) // transitions end
        await page.screenshot({ path: path.join(folder, `${name}-${width}-${colorScheme}.png`) })
        expect(await overflow(page)).toBeLessThanOrEqual(0)
        expect(await seriousProblems(page)).toEqual([])
      }
      await check('welcome')
      await ask(page, 'Why is the sky blue?')
      await waitForAnswer(page)
      await page.locator('[data-sentence="1"]').first().focus()
      await check('answer')
      await page.getByRole('button', { name: 'Settings', exact: true }).click()
      await check('settings')
      await page.keyboard.press('Escape')
      await page.getByRole('button', { name: 'Fix this answer' }).click()
      await check('fix')
      await page.keyboard.press('Escape')
      await page.getByRole('button', { name: 'Journals' }).click()
      await page.getByLabel('Open files').setInputFiles(await makeJournal(`axe-${width}-${colorScheme}`, 1))
      await page.locator('.question').waitFor()
      await check('journal')
    },
  )

  test.each(['Hono', 'Express'] as const)(
    'mounted under a path in %s it answers and keeps a fix, with and without the slash',
    async (framework) => {
      const fixes = path.join(folder, `mounted-${framework}.jsonl`)
      writeFileSync(fixes, '')
      const engines = { one: pageEngine(proposals, answer) }
      const defaults = { width: proposals.length, depth: 1 }
      const outer = await listenWith(mounts[framework](createServer({ engines, defaults, fixes })))
      for (const [i, end] of ['', '/'].entries()) {
        const { page, problems } = await open(`${outer}/llm${end}`)
        expect(page.url()).toBe(`${outer}/llm/`)
        await ask(page, 'Why?')
        await waitForAnswer(page)
        expect(await page.locator('.prose').innerText()).toBe(answer)
        expect(
          await page.locator('.brand img').evaluate((image) => (image as { width: number } & object).width),
        ).toBe(24)
        await page.getByRole('button', { name: 'Fix this answer' }).click()
        await page.getByRole('button', { name: 'Save the fix' }).click()
        await page.getByText('Saved as a training example').waitFor()
        expect(readFileSync(fixes, 'utf8').trimEnd().split('\n').length).toBe(i + 1)
        await page.keyboard.press('Escape')
        await page.getByRole('link', { name: 'aft, start page' }).click()
        await page.getByText('Several drafts, one answer, every source visible').waitFor()
        expect([page.url(), problems]).toEqual([`${outer}/llm/`, []])
      }
    },
  )

  test('the embedded model answers in the page', async () => {
    const engine = await openEngine('smollm2')
    try {
      const { url } = await startServer(engine, { defaults: { width: 2, depth: 1, maxTokens: 24 } })
      const { page, problems } = await open(url)
      await ask(page, 'Why is the sky blue?')
      await page.locator('.turn[data-state="done"]').waitFor({ timeout: 120_000 })
      expect((await page.locator('.prose').innerText()).length).toBeGreaterThan(20)
      expect(await page.locator('.card footer').allInnerTexts()).toEqual(
        [0, 1].map(() => expect.stringMatching(/^\d+ tokens · [\d.]+ m?s$/)),
      )
      expect(problems).toEqual([])
    } finally {
      await engine.close?.()
    }
  })

  test('the keyboard alone reaches and does everything', async () => {
    const { url } = await servePage(proposals, answer)
    const { page } = await open(url)
    await page.keyboard.type('Why?')
    await page.keyboard.press('Shift+Enter')
    await page.keyboard.type('Really?')
    await page.keyboard.press('Enter')
    await waitForAnswer(page)
    expect(await page.locator('.question').innerText()).toBe('Why?\nReally?')
    const reached = new Set<string>()
    await page.getByRole('button', { name: 'Proposals', exact: true }).press('Enter')
    await page.evaluate('document.activeElement.blur()')
    for (let i = 0; i < 36; i++) {
      await page.keyboard.press('Tab')
      reached.add(
        await page.evaluate(
          'document.activeElement.ariaLabel || document.activeElement.textContent.slice(0, 20)',
        ),
      )
    }
    for (const name of [
      'New',
      'History',
      'Journals',
      'Settings',
      'Text of Proposal 1',
      'Copy',
      'Your question',
    ]) {
      expect([...reached]).toContain(name)
    }
    expect([...reached].some((name) => answer.startsWith(name))).toBe(true)
  })
})

/** Counts the lengths that a text had while it grew, at most three. */
async function growth(text: ReturnType<Page['locator']>): Promise<number> {
  const lengths = new Set<number>()
  await text.waitFor()
  for (let i = 0; i < 60 && lengths.size < 3; i++) {
    lengths.add((await text.innerText()).length)
    await new Promise((resolve) => setTimeout(resolve, 40))
  }
  return lengths.size
}

const overflow = (page: Page) =>
  page.evaluate(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  ) as Promise<number>

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

async function seriousProblems(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  const found = await page.evaluate('axe.run().then(({ violations }) => violations)')
  return (found as { impact: string; id: string; nodes: { html: string }[] }[])
    .filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 200)).join(' ; ')}`)
}

/** A journal as `aft run` writes it. */
async function makeJournal(name: string, seed: number): Promise<string> {
  const file = path.join(folder, `${name}.journal`)
  const prompts = ['Why is the sky blue?', 'Name a river.', 'Tell a story.'].map((content, i) => ({
    id: `p${i}`,
    messages: [{ role: 'user' as const, content }],
  }))
  const plan = makePlan({ proposers: ['echo'], width: 2, depth: 1, seed })
  await runPrompts({
    prompts,
    out: `${file}.answers`,
    journal: file,
    plan,
    engines: { echo: scriptedEngine(echo) },
    restart: true,
  })
  return file
}

test('the scripted aggregator is distinguished from the proposers', () => {
  expect(isAggregator.test('Drafts:\n1. x')).toBe(true)
})
