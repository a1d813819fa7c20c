/** For the speed test and its bench: frames by the browser's own trace, and what moves on the page. */
import type { Browser, Page } from 'playwright-core'

interface TraceEvent {
  name: string
  args: { frame_reporter?: { state: string; frame_sequence: number; layer_tree_host_id: number } }
}

/** Counts frames by the browser's own trace while the page is busy. A frame counts once, whatever part of it was new. */
export async function traceFrames(page: Page, until: () => Promise<void>) {
  const browser = page.context().browser() as Browser
  await browser.startTracing(page, { categories: ['cc', 'benchmark'] })
  const startMs = performance.now()
  await until()
  const seconds = (performance.now() - startMs) / 1_000
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as {
    traceEvents: TraceEvent[]
  }
  const frames = traceEvents.flatMap(({ name, args }) =>
    name === 'PipelineReporter' && args.frame_reporter ? [args.frame_reporter] : [],
  )
  const drawn = frames.filter(({ state }) => state.startsWith('STATE_PRESENTED'))
  const counts = [...Map.groupBy(drawn, (frame) => frame.layer_tree_host_id).values()].map(
    (own) => new Set(own.map((frame) => frame.frame_sequence)).size,
  )
  const dropped = frames.filter(({ state }) => state === 'STATE_DROPPED').length
  return { seconds, framesPerSecond: Math.max(0, ...counts) / seconds, dropped }
}

/** Moves a dot at every beat of the screen, so that each has a frame, and keeps what moved in a turn. */
const watch = `(() => {
  const dot = document.createElement('i')
  Object.assign(dot.style, { position: 'fixed', top: 0, left: 0, width: '1px', height: '1px' })
  document.body.append(dot)
  const beat = (isBlack) => {
    dot.style.background = isBlack ? 'black' : 'white'
    requestAnimationFrame(() => beat(!isBlack))
  }
  beat(true)
  globalThis.shifts = []
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries())
      for (const { node } of entry.sources) {
        const element = node?.nodeType === 3 ? node.parentElement : node
        if (!element?.closest('.turn')) continue
        const phase = document.querySelector('.answer') ? 'answer' : 'proposals'
        shifts.push([phase, element.className + ': ' + node.textContent.slice(0, 40), entry.value])
      }
  }).observe({ type: 'layout-shift', buffered: true })
})()`

/** Starts to watch. */
export const watchPage = (page: Page) => page.evaluate(watch)

/** What moved in a turn since then: in which phase, what, and by how much of the screen. */
export const shiftsOf = (page: Page) => page.evaluate('shifts') as Promise<[string, string, number][]>

/** Milliseconds to the first paint after a reload, on a processor that is `rate` times as slow. */
export async function measureFirstPaint(page: Page, rate: number): Promise<number> {
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('Emulation.setCPUThrottlingRate', { rate })
  await page.reload()
  await page.getByLabel('Your question').waitFor()
  const paint = `performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0`
  for (;;) {
    const ms = (await page.evaluate(paint)) as number
    if (ms > 0) return ms
    await page.waitForTimeout(20)
  }
}

/** A function that says how many ms of the processor the page's main thread has taken since the last call, or since this one. */
export async function watchProcessor(page: Page): Promise<() => Promise<number>> {
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' })
  let before = 0
  const since = async () => {
    const { metrics } = await devtools.send('Performance.getMetrics')
    const now = 1_000 * (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN)
    const ms = now - before
    before = now
    return ms
  }
  await since()
  return since
}
