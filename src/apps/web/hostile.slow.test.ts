import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { ask, hasBrowser, servePage, useBrowser, waitForAnswer } from './browser.fixture.ts'
import { watchProcessor } from './frames.fixture.ts'

const many = (text: string, times: number) => text.repeat(times)

/** What a hostile model might write: each payload is an answer of its own. */
const markup = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '<svg onload=alert(1)><script>alert(2)</script></svg>',
  '<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>',
  '<math href="javascript:alert(1)"><mi xlink:href="javascript:alert(2)">x</mi></math>',
  '<form id=x><input name=attributes><input name=parentNode></form><a id=body></a>',
  '<style>@import url(//127.0.0.1:9/x.css); body { display: none }</style>',
  '<base href="//127.0.0.1:9/"><meta http-equiv=refresh content="0;url=//127.0.0.1:9/">',
  '<iframe srcdoc="<script>parent.alert(1)</script>"></iframe><object data=x></object><embed src=x>',
  '<details open ontoggle=alert(1)><summary>x</summary></details><video src=x onerror=alert(1)>',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>',
  '[a](javascript:alert(1)) [b](JaVaScRiPt:alert(1)) [c](java\tscript:alert(1)) [d](&#106;avascript:alert(1))',
  '[a](data:text/html;base64,PHNjcmlwdD4=) [b](vbscript:x) [c](file:///etc/passwd) [d](blob:x) [e]( javascript:alert(1))',
  '[a]: javascript:alert(1)\n\n[a] <javascript:alert(1)> ![x](http://127.0.0.1:9/x.png)',
  '```"><img src=x onerror=alert(1)>\ncode\n```\n\n```html\n<script>alert(1)</script>\n```',
  '```js onload=alert(1)\n</code></pre><script>alert(1)</script>\n```',
  '| <img src=x onerror=alert(1)> | b |\n|---|---|\n| [x](javascript:alert(1)) | `</code><script>` |',
  '<span data-math="block">\\href{javascript:alert(1)}{x}</span> <pre data-lang="x">y</pre>',
  many('<', 5_000),
  many('*', 5_000),
  many('`', 5_000),
  many('[', 5_000),
  many('> ', 2_000),
  many('- ', 2_000),
]

/** The same in formulas. */
const formulas = [
  String.raw`$\href{javascript:alert(1)}{x}$ $\href{https://example.org/}{x}$`,
  String.raw`$\url{javascript:alert(1)}$ \(\includegraphics{http://127.0.0.1:9/x.png}\)`,
  String.raw`$\htmlClass{banner}{x}$ $\class{banner}{x}$ $\htmlId{app}{x}$ $\id{app}{x}$`,
  String.raw`$\htmlStyle{position:fixed}{x}$ $\style{position:fixed;inset:0}{x}$ $\htmlData{math=x}{y}$ $\data{math=x}{y}$`,
  String.raw`$$\text{<img src=x onerror=alert(1)>}$$ $\text{</math><script>alert(1)</script>}$`,
  String.raw`$\color{url(http://127.0.0.1:9/)}x$ $\textcolor{expression(alert(1))}{x}$ $\unicode{x41}$`,
  String.raw`$\rule{99999em}{99999em}$ $\hspace{99999em}x$ $\raisebox{-9999em}{x}$ $\kern9999em x$`,
  String.raw`$\def\a{xxxxxxxx}\def\b{\a\a\a\a\a\a\a\a}\def\c{\b\b\b\b\b\b\b\b}\def\d{\c\c\c\c\c\c\c\c}\d\d\d\d$`,
  String.raw`$\def\a{\a\a}\a$ $\newcommand{\x}{\x\x}\x$ $\let\a\b$`,
  `$$${many('{', 700)}x${many('}', 700)}$$`,
  `$$${many('\\sqrt{', 200)}x${many('}', 200)}$$`,
  `$$${many('\\left(', 200)}x${many('\\right)', 200)}$$`,
  `$$\\begin{array}{${many('c', 500)}}${many('&', 400)}${many('\\\\', 200)}\\end{array}$$`,
  `$$\\begin{array}{*{9999}{c}}1${many('\\\\', 300)}\\end{array}$$`,
  `$$\\begin{matrix}${many('&', 600)}${many('\\\\', 400)}\\end{matrix}$$`,
  many('$x$ ', 3_000),
  many('$$', 5_000),
  many('\\[', 5_000),
  many('\\(', 5_000),
  many('\\begin{align}', 3_000),
  `$${many('x_', 600)}$`,
  String.raw`$\frac{1$ $}{$ $\left($ $\begin{array}$ $^$ $\error$ $#1$ $\cr$`,
]

const forbidden =
  'script, img, svg, style, iframe, object, embed, form, input, video, base, meta, link, noscript, details details, [style*="url"], [href^="java"], [onerror], [onload], maction, annotation-xml, semantics'

async function checkHarmless(page: Page): Promise<void> {
  const md = page.locator('.md')
  expect(await md.locator(forbidden).count()).toBe(0)
  const bad = await page.evaluate(`[...document.querySelectorAll('.md *')].flatMap((element) =>
    [...element.attributes].filter(({ name, value }) =>
      name.startsWith('on') || (name === 'href' && !/^(https?:|mailto:)/.test(value)) || name === 'src' || name === 'id')
    .map(({ name, value }) => name + '=' + value))`)
  expect(bad).toEqual([])
  const wider = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
  expect(wider).toBeLessThanOrEqual(0)
}

describe.skipIf(!hasBrowser)('hostile texts in Chromium', () => {
  const open = useBrowser()

  test.each([
    ['markup', markup],
    ['formulas', formulas],
  ])('%s of a model run nothing, load nothing, and take bounded time', async (_, payloads) => {
    const { url } = await servePage(['A proposal that says nothing at all.'], payloads.join('\n\n---\n\n'))
    const { page, problems } = await open(url)
    const cpuMs = await watchProcessor(page)
    await ask(page, 'Why?')
    await waitForAnswer(page)
    await page.waitForTimeout(500)
    await checkHarmless(page)
    expect(await cpuMs()).toBeLessThan(5_000)
    expect(problems).toEqual([])
  })

  test('each formula by itself is drawn or stays as it is written, within a second of the processor', async () => {
    const { url } = await servePage(['x.'], 'Nothing.')
    const { page, problems } = await open(url)
    const cpuMs = await watchProcessor(page)
    await ask(page, 'Why?')
    await waitForAnswer(page)
    for (const payload of [...formulas, ...markup]) {
      // A journal shows its texts at once, so the time is that of one rendering.
      const ms = await page
        .evaluate(
          `(async (text) => {
          const turn = { id: 'x', messages: [], question: 'x', run: { layers: [], state: 'done', answer: text, degradedBecause: [] } }
          localStorage.setItem('aft.history', JSON.stringify([{ id: 'x', time: 1, title: 'hostile', turns: [turn] }]))
        })(${JSON.stringify(payload)})`,
        )
        .then(async () => {
          await page.reload()
          await page.getByRole('button', { name: 'History' }).click()
          await cpuMs()
          await page.getByRole('button', { name: /^hostile/ }).click()
          await page.locator('.prose .md').waitFor({ state: 'attached' })
          await page.evaluate('new Promise((done) => requestAnimationFrame(() => setTimeout(done)))')
          return cpuMs()
        })
      expect(ms, payload.slice(0, 60)).toBeLessThan(1_000)
      await checkHarmless(page)
    }
    expect(problems).toEqual([])
  })

  test('formulas are drawn as MathML from a script that loads only for them; money stays money', async () => {
    const { url } = await servePage(
      ['It costs $5, and $6 elsewhere.'],
      String.raw`It costs $5, and $6 elsewhere. Here $x^2$ and \(y_1\) stand, and

$$\frac{a}{b}$$

so \[\sqrt{2}\] is last. \$x\$ is not one.`,
    )
    const { page, problems } = await open(url)
    const scripts: string[] = []
    page.on('request', (request) => scripts.push(new URL(request.url()).pathname))
    await page.reload()
    expect(scripts.filter((name) => name.endsWith('math.js'))).toEqual([])
    await ask(page, 'Why?')
    await waitForAnswer(page)
    await page.locator('.prose math').first().waitFor({ state: 'attached' })
    expect(scripts.filter((name) => name.endsWith('math.js'))).toHaveLength(1)
    expect(await page.locator('.prose math').count()).toBe(4)
    expect(await page.locator('.prose mfrac').count()).toBe(1)
    expect(await page.locator('.prose').innerText()).toContain('It costs $5, and $6 elsewhere.')
    expect(await page.locator('.card math').count()).toBe(0)
    await page.locator('[data-sentence="0"]').first().hover()
    await page.locator('.sources').getByText('Shared with 1 of 1 proposals').waitFor()
    expect(problems).toEqual([])
  })

  test('code is colored, has its language and a button that copies it', async () => {
    const code = 'def f(x):\n    return "<b>" + x  # a comment'
    const { url } = await servePage(
      ['x.'],
      `\`\`\`python\n${code}\n\`\`\`\n\n\`\`\`nonsense\nas it is\n\`\`\``,
    )
    const { page, problems } = await open(url, { permissions: ['clipboard-read', 'clipboard-write'] })
    await ask(page, 'Why?')
    await waitForAnswer(page)
    const block = page.locator('.prose .code').first()
    await block.locator('.hljs-keyword').first().waitFor()
    expect(await block.locator('.code-bar span').innerText()).toBe('python')
    expect(await block.locator('pre').innerText()).toBe(`${code}\n`)
    await block.getByRole('button', { name: 'Copy this code' }).click()
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(`${code}\n`)
    expect(problems).toEqual([])
  })
})
