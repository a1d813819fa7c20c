/** The report's page in Chromium, without a network. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { aft } from '../../../test/command-line.ts'
import { executablePath, hasBrowser } from '../web/browser.fixture.ts'

const cwd = mkdtempSync(path.join(tmpdir(), 'report-page-'))
const hostile = '<script>alert(1)</script></pre><img src=x onerror=alert(2)>'
const write = (name: string, rows: object[]) => {
  mkdirSync(path.dirname(path.join(cwd, name)), { recursive: true })
  writeFileSync(path.join(cwd, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
}

/** 200 questions, each with six controls and five long proposals. */
function writeControls(): void {
  const controls = [
    'single',
    'single-long',
    'oracle',
    'oracle-same',
    'judge',
    'judge-same',
    'majority',
    'majority-same',
    'aggregated',
  ]
  const text = `${hostile} ${'and so it goes on. '.repeat(100)}`
  const share = { mean: 0.4, interval: { low: 0.33, high: 0.47 } }
  const takes = {
    calls: 1,
    input_tokens: 9,
    prefilled_tokens: null,
    cost: null,
  }
  write('controls/result.json', [
    {
      task: 'gsm8k',
      metrics: ['strict'],
      n: 200,
      asked: 200,
      model: 'm'.repeat(80),
      settings: {},
      template: { id: 't', sha256: 'h'.repeat(64) },
      command: 'c'.repeat(300),
      version: '1',
      date: '2026',
      rows: controls.map((control, i) => ({
        control,
        title: control,
        n: 200,
        scores: { strict: share },
        ...takes,
        output_tokens: 9 * (i + 1), // a chart of costs that do not vary is left out
        seconds: i + 1,
        mean_length_chars: 9,
        against_single: null,
      })),
      changes: [
        {
          control: 'aggregated',
          rescued: 1,
          broke: 1,
          kept: 1,
          lost: 1,
          all_right: 1,
          all_wrong: 1,
          copy_rate: 0.5,
          position: [1],
        },
      ],
      agreement: 0.5,
      judge_position: null,
    },
  ])
  write(
    'controls/questions.jsonl',
    Array.from({ length: 200 }, (_, i) => ({
      id: `${i}`,
      prompt: text,
      proposals: [0, 1, 0, 1, 0].map((score) => ({ text, score })),
      answers: controls.map((control) => ({ control, text, scores: { strict: i % 2 } })),
    })),
  )
}

describe.skipIf(!hasBrowser)('the report in Chromium', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
    writeControls()
    for (const run of ['a', 'b']) {
      write(`${run}/metrics.jsonl`, [{ step: 1, loss: 2 }])
      write(
        `${run}/eval.jsonl`,
        [2, 1].map((loss, step) => ({ step, loss, tokens: 1000 * step })),
      )
    }
    expect(await aft(['analyze', 'convergence', 'a', 'b', '-o', 'curves'], { cwd })).toMatchObject({
      code: 0,
    })
    const args = ['report', 'controls', 'curves', '-o', 'page.html', '--about', hostile]
    expect(await aft(args, { cwd })).toMatchObject({ code: 0, stderr: '' })
  })
  afterAll(() => browser?.close())

  test.each([
    [360, 'light'],
    [360, 'dark'],
    [1280, 'light'],
    [1280, 'dark'],
  ] as const)(
    '%i pixels wide and %s it fits, asks for nothing and runs nothing',
    async (width, colorScheme) => {
      const context = await browser.newContext({
        viewport: { width, height: 900 },
        colorScheme,
        offline: true,
      })
      const page = await context.newPage()
      const problems: string[] = []
      page.on('pageerror', (error) => problems.push(error.message))
      page.on('console', (message) => problems.push(message.text()))
      page.on('dialog', (dialog) => problems.push(dialog.message()))
      page.on('request', (request) => !request.url().startsWith('file:') && problems.push(request.url()))
      await page.goto(`file://${path.join(cwd, 'page.html')}`)
      await page.evaluate('for (const one of document.querySelectorAll("details")) one.open = true')
      expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0)
      expect(await page.locator('svg').count()).toBe(4 + 3)
      expect(await page.getByText('gsm8k').first().isVisible()).toBe(true)
      expect((await page.content()).length).toBeLessThan(2e6)
      const ink = await page.evaluate('getComputedStyle(document.body).color')
      expect(ink).toBe(colorScheme === 'dark' ? 'rgb(228, 232, 236)' : 'rgb(29, 35, 41)')
      expect(problems).toEqual([])
      await context.close()
    },
  )

  test('on paper it is black on white, with its tables opened and long texts left folded', async () => {
    const page = await browser.newPage({ colorScheme: 'dark' })
    await page.goto(`file://${path.join(cwd, 'page.html')}`)
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
    expect(await page.evaluate('getComputedStyle(document.body).color')).toBe('rgb(0, 0, 0)')
    expect(await page.getByText('held-out loss, first').isVisible()).toBe(true)
    expect(await page.locator('details:not(.text) table').first().isVisible()).toBe(true)
    expect(await page.locator('details.text pre').first().isVisible()).toBe(false)
    await page.close()
  })
})
