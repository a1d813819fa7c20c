/** The queue on the page: what a reader sees of runs and workers, and that it follows them. */
import { describe, expect, test } from 'vitest'
import { hasBrowser, servePage, useBrowser } from './browser.fixture.ts'

const worker = { active: 24, running: 20, answered: 400, failed: 1, perSecond: 30.5 }
const run = {
  run: 'answers-1',
  submitter: 'at work',
  state: {
    prompts: 2_000,
    answered: 1_000,
    failed: 3,
    degraded: 2,
    made: 4_000,
    inputTokens: 70_000,
    outputTokens: 30_000,
    cost: 1.25,
  },
  waiting: 40,
  working: 40,
  perSecond: 61,
  secondsLeft: 66,
  workers: [
    { host: 'gpu1', pid: 7, ...worker },
    { host: '<img src=x onerror=alert(1)>', pid: 8, ...worker },
  ],
}

describe.skipIf(!hasBrowser)('the queue on the page in Chromium', () => {
  const open = useBrowser()

  test('it shows workers, rates, failures, money and the time left, and follows the queue', async () => {
    let runs: unknown[] = [run]
    const { url } = await servePage(['a'], 'b', { readQueue: async () => runs })
    const { page, problems } = await open(url)
    await page.getByRole('button', { name: 'Queue' }).click()
    const shown = page.getByRole('region', { name: 'answers-1' })
    await shown.waitFor()
    const text = await shown.innerText()
    for (const fact of [
      '1,000 of 2,000 prompts answered',
      '3 failed',
      '61.0 completions per second',
      '$1.25',
      '1 min left',
    ])
      expect(text).toContain(fact)
    expect(await shown.locator('tbody tr').count()).toBe(2)
    expect(text).toContain('<img src=x onerror=alert(1)> 8')
    runs = []
    await page.getByText('No run is in the queue.').waitFor()
    expect(problems).toEqual([])
  })

  test('a server without a queue has no button for it', async () => {
    const { url } = await servePage(['a'], 'b')
    const { page } = await open(url)
    await page.getByRole('button', { name: 'History' }).waitFor()
    expect(await page.getByRole('button', { name: 'Queue' }).count()).toBe(0)
    expect((await fetch(`${url}/v1/aft/queue`)).status).toBe(404)
  })
})
