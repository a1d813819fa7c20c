/** Journals and answers of evaluations on the page: examples, filters, differences, ratings, and a file that grows. */
import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { ask, hasBrowser, servePage, useBrowser, waitForAnswer } from './browser.fixture.ts'

const folder = path.join(import.meta.dirname, '../../../.cache/page-journals')
mkdirSync(folder, { recursive: true })

describe.skipIf(!hasBrowser)('journals in Chromium', () => {
  const open = useBrowser()
  const openJournals = async (options = {}) => {
    const { url } = await servePage(['One.', 'Two.'], 'Both.', options)
    const { page, problems } = await open(url)
    await page.getByRole('button', { name: 'Journals' }).click()
    return { page, problems }
  }

  test('two examples are compared: filters, totals, and the difference of two answers', async () => {
    const { page, problems } = await openJournals()
    expect(page.url()).toMatch(/#journals$/)
    await page.getByRole('button', { name: 'Open two examples' }).click()
    await page.getByText('An example without a model').waitFor()
    await page.getByText('demo.jsonl: 5 prompts, aft').waitFor()
    const entries = page.locator('.journal nav .entry')
    expect(await entries.count()).toBe(5)
    // Two answers in words of their own: their difference is for those who ask for it.
    await page.locator('.answer-diff:not([open]) summary').click()
    expect(await page.locator('.diff-text del').allInnerTexts()).toContain('24')
    await page.getByLabel('Filter').selectOption('failed')
    expect(await entries.allInnerTexts()).toEqual([
      expect.stringMatching(/^Name the longest river of Portugal/),
    ])
    await page.getByLabel('Filter').selectOption('degraded')
    expect(await entries.count()).toBe(1)
    await page.getByLabel('Filter').selectOption('differing')
    expect(await page.getByRole('status').first().innerText()).toBe('4 of 5 prompts')
    await page.getByText('What both took, over 5 prompts').click()
    expect(await page.locator('.totals-table').innerText()).toMatch(/tokens out\s+[–\d]/)
    expect(problems).toEqual([])
  })

  test('the questions of an evaluation show the largest gain first', async () => {
    const { page, problems } = await openJournals()
    const rows = [
      ['a', 1, 0],
      ['b', 0, 1],
      ['c', 0, 0.5],
    ].map(([id, single, aft]) => ({
      id,
      prompt: `What is ${id}?`,
      proposals: [{ text: 'A draft.', score: 0 }],
      answers: [
        { control: 'single', text: `${id} alone`, scores: { right: single } },
        { control: 'aft', text: `${id} together`, scores: { right: aft } },
        { control: 'majority', text: `${id} voted`, scores: { right: 0 } },
      ],
    }))
    const text = rows.map((row) => JSON.stringify(row)).join('\n')
    await page
      .getByLabel('Open files')
      .setInputFiles({ name: 'questions.jsonl', mimeType: 'text/plain', buffer: Buffer.from(text) })
    await page.getByText('aft (questions.jsonl): 3 prompts, mean score 0.5').waitFor()
    await page.getByLabel('Filter').selectOption('gain')
    expect(await page.locator('.journal nav .entry').allInnerTexts()).toEqual([
      expect.stringMatching(/What is b\?\s+b \+1/),
      expect.stringMatching(/What is c\?\s+c \+0\.5/),
    ])
    await page.getByLabel('Second answers').selectOption({ label: 'majority (questions.jsonl)' })
    await page.getByText('majority (questions.jsonl): 3 prompts').waitFor()
    await page.getByLabel('Filter').selectOption('loss')
    expect(await page.locator('.journal nav .entry').count()).toBe(1)
    expect(problems).toEqual([])
  })

  test('result.json of an evaluation opens with findings and tables, together with its questions', async () => {
    const { page, problems } = await openJournals()
    const results = path.join(import.meta.dirname, '../../../bench/results')
    const row = {
      id: '81:2',
      prompt: 'Where does it end?',
      proposals: [],
      answers: [{ control: 'answer', text: 'At Lisbon.', scores: { rating: 7 }, grade: 'Short.' }],
    }
    const questions = Buffer.from(JSON.stringify(row))
    await page.getByLabel('Open files').setInputFiles([
      {
        name: 'result.json',
        mimeType: 'application/json',
        buffer: readFileSync(path.join(results, 'evaluation-mt-bench.json')),
      },
      { name: 'questions.jsonl', mimeType: 'application/jsonl', buffer: questions },
    ])
    const result = page.getByRole('region', { name: 'Result' })
    await result.getByText('MT-Bench with smollm2').waitFor()
    expect(await result.innerText()).toContain(
      'As a judge, smollm2 gives smollm2 3.96 of 10 (95 % interval 3.14 to 4.58).',
    )
    expect(await result.getByRole('row', { name: /^writing/ }).count()).toBe(1)
    await page.getByText('answer (questions.jsonl): 1 prompt, mean score 7').waitFor()
    await page.getByText('What the judge wrote').click()
    await page.getByText('Short.').waitFor()
    const scores = path.join(results, 'evaluation-gsm8k-4x1.json')
    await page.getByLabel('Open others').setInputFiles(scores)
    await result.getByText('Score over output tokens').waitFor()
    expect(await result.locator('svg.interval').count()).toBeGreaterThan(4)
    // The lines of a column reach from its lowest end to its highest, and its head says which these are.
    const ranges = await result
      .locator('.interval .range')
      .evaluateAll((all) => all.map((one) => one.outerHTML))
    const ends = ranges.map((range) => (/M([\d.]+) 3H([\d.]+)/.exec(range) ?? []).slice(1).map(Number))
    expect(Math.min(...ends.flat())).toBe(0)
    expect(Math.max(...ends.flat())).toBe(100)
    expect(await result.locator('th .ends').first().innerText()).toMatch(/^[\d.]+ %\s*[\d.]+ %$/)
    expect(await page.locator('.journal nav').count()).toBe(0)
    expect(problems).toEqual([])
  })

  test('a run that the server shows is followed line by line, and from its begin if it is restarted', async () => {
    const file = path.join(folder, 'answers.jsonl.journal')
    const line = (id: string) =>
      `${JSON.stringify({ type: 'prompt', id, messages: [{ role: 'user', content: `Où est ${id} ?` }] })}\n`
    rmSync(file, { force: true })
    const { page, problems } = await openJournals({ runs: [file] })
    const follow = page.getByRole('button', { name: 'Follow answers.jsonl.journal' })
    expect(await follow.isDisabled()).toBe(true)
    writeFileSync(file, line('a'))
    await page.getByRole('button', { name: 'Back to the chat' }).click()
    await page.getByRole('button', { name: 'Journals' }).click()
    await follow.click()
    await page.getByText('answers.jsonl.journal: 1 prompt').waitFor()
    appendFileSync(file, line('b').slice(0, 20))
    appendFileSync(file, `${line('b').slice(20)}{"type":"pro`)
    await page.getByText('answers.jsonl.journal: 2 prompts').waitFor()
    expect(await page.getByText('could not be read').count()).toBe(0)
    renameSync(file, `${file}.old`)
    writeFileSync(file, line('c') + line('d') + line('e'))
    await page.getByText('answers.jsonl.journal: 3 prompts').waitFor()
    expect(await page.locator('.journal nav .entry').first().innerText()).toContain('Où est c ?')
    expect(problems).toEqual([])
  })

  test('a dropped journal is followed while a program writes to it', async () => {
    const { page, problems } = await openJournals()
    const line = (record: object) => `${JSON.stringify(record)}\n`
    const first = line({ type: 'prompt', id: 'a', messages: [{ role: 'user', content: 'First?' }] })
    const second = line({ type: 'prompt', id: 'b', messages: [{ role: 'user', content: 'Second?' }] })
    const write = (text: string) =>
      page.evaluate(`(async () => {
        const root = await navigator.storage.getDirectory()
        const file = await root.getFileHandle('live.journal', { create: true })
        const writer = await file.createWritable()
        await writer.write(${JSON.stringify(text)})
        await writer.close()
      })()`)
    await write(first)
    // A file of the browser's own storage has the same handle as one of the disk.
    await page.evaluate(`(async () => {
      const handle = await (await navigator.storage.getDirectory()).getFileHandle('live.journal')
      const event = new Event('drop', { bubbles: true, cancelable: true })
      const items = [{ getAsFileSystemHandle: async () => handle }]
      Object.defineProperty(event, 'dataTransfer', { value: { files: [], items } })
      document.querySelector('.drop-zone').dispatchEvent(event)
    })()`)
    await page.getByText('live.journal: 1 prompt').waitFor()
    await page.getByText('Followed:').waitFor()
    await write(first + second)
    await page.getByText('live.journal: 2 prompts').waitFor()
    expect(problems).toEqual([])
  })

  test('a rating and a comment go to the operator’s file, from a journal and from the chat', async () => {
    const ratings = path.join(folder, 'ratings.jsonl')
    writeFileSync(ratings, '')
    const { page } = await openJournals({ ratings })
    await page.getByRole('button', { name: 'Open two examples' }).click()
    await page.getByRole('button', { name: 'Bad' }).first().click()
    await page.getByLabel('Comment').fill('They meet 22 times.')
    await page.getByRole('button', { name: 'Save the comment' }).click()
    await page.getByText('Saved.').waitFor()
    await page.getByRole('button', { name: 'Back to the chat' }).click()
    await ask(page, 'Why?')
    await waitForAnswer(page)
    await page.getByRole('button', { name: 'Good' }).click()
    await page.getByText('Saved.').waitFor()
    const lines = () =>
      readFileSync(ratings, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
    await expect.poll(() => lines().length).toBe(3)
    expect(lines()).toMatchObject([
      { rating: 'bad', id: 'clock', source: 'demo-single.jsonl' },
      { rating: 'bad', comment: 'They meet 22 times.' },
      { rating: 'good', source: 'chat', question: 'Why?', answer: 'Both.' },
    ])
  })
})
