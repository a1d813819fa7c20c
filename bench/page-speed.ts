/**
 * The page in Chromium, by its own trace: frames per second while 11 completions of 3,000 tokens stream at 200 per second
 * each, what moves meanwhile, the first paint on a processor four times as slow, and the size of the scripts.
 *
 *   npm run bench -- page-speed --repeats 3
 */
import os from 'node:os'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { chromium } from 'playwright-core'
import { sceneEngine } from '../scripts/shots/scene-engine.ts'
import { longScene } from '../scripts/shots/texts.ts'
import { listen } from '../src/apps/server/listen.ts'
import { createServer } from '../src/apps/server/server.ts'
import { buildPage } from '../src/apps/web/build-page.ts'
import { measureFirstPaint, shiftsOf, traceFrames, watchPage } from '../src/apps/web/frames.fixture.ts'
import { printTable, saveResults, showSpread } from './table.ts'

const { values: flags } = parseArgs({ options: { repeats: { type: 'string', default: '3' } } })
const TOKENS = 3_000
const DELAY_MS = 5
const SLOWER = 4
const PAINTS = 7

const scene = longScene(TOKENS, 2)
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
})

/** Asks the question once, on a new page of a new server. */
async function measure() {
  const defaults = { width: scene.proposals.length, depth: 2 }
  const server = createServer({ engines: { scene: sceneEngine(scene, DELAY_MS) }, defaults })
  const listening = await listen(server, { host: '127.0.0.1', port: 0 })
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 900 } })).newPage()
  await page.goto(listening.url)
  const firstPaintsMs: number[] = []
  for (let i = 0; i < PAINTS; i++) firstPaintsMs.push(await measureFirstPaint(page, SLOWER))
  await page.close()
  const asked = await (await browser.newContext({ viewport: { width: 1280, height: 900 } })).newPage()
  await asked.goto(listening.url)
  await watchPage(asked)
  const resting = await traceFrames(asked, () => asked.waitForTimeout(5_000))
  await asked.getByLabel('Your question').fill(scene.question)
  await asked.getByRole('button', { name: 'Ask', exact: true }).click()
  const done = asked.locator('.turn[data-state="done"]')
  const streaming = await traceFrames(asked, () => done.waitFor({ timeout: 240_000 }))
  const shifts = await shiftsOf(asked)
  await asked.context().close()
  await listening.close(0)
  return { load: os.loadavg()[0], firstPaintsMs, resting, streaming, shifts }
}

const runs = []
for (let i = 0; i < Number(flags.repeats); i++) runs.push(await measure())
await browser.close()

const files = await buildPage()
const gzipBytes = Object.fromEntries(
  (['app.js', 'math.js', 'code.js', 'results.js', 'app.css'] as const).map((name) => [
    name,
    gzipSync(files[name]).length,
  ]),
)
const proposals = runs.map(({ shifts }) => shifts.filter(([phase]) => phase === 'proposals').length)
printTable(
  ['what', 'median [min, max]'],
  [
    [
      'frames per second while it streams',
      showSpread(
        runs.map((run) => run.streaming.framesPerSecond),
        1,
      ),
    ],
    [
      'frames per second at rest',
      showSpread(
        runs.map((run) => run.resting.framesPerSecond),
        1,
      ),
    ],
    [
      'seconds of the stream',
      showSpread(
        runs.map((run) => run.streaming.seconds),
        1,
      ),
    ],
    ['shifts while proposals stream', showSpread(proposals, 0)],
    [
      `ms to the first paint, ${SLOWER} times as slow`,
      showSpread(
        runs.flatMap((run) => run.firstPaintsMs),
        0,
      ),
    ],
    ...Object.entries(gzipBytes).map(([name, bytes]): [string, string] => [
      `bytes of ${name}, gzip`,
      String(bytes),
    ]),
  ],
)
saveResults('page-speed', 'npm run bench -- page-speed', {
  tokens: TOKENS,
  delayMs: DELAY_MS,
  runs,
  gzipBytes,
})
