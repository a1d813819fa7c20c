/**
 * `aft serve` under mixed load: whole, streamed, left, refused, broken and half requests, with faults of the upstream.
 *
 *   npm run bench -- soak [--minutes 20]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { soak } from '../test/soak.ts'
import { printTable, saveResults } from './table.ts'

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '20' } } })
const folder = mkdtempSync(path.join(tmpdir(), 'aft-soak-'))
const minutes = Number(values.minutes)
const result = await soak({
  folder,
  minutes,
  sampleMs: 20_000,
  clients: 16,
  pauseMs: 400,
  log: (line) => console.error(line),
})
rmSync(folder, { recursive: true, force: true })
const { before, after, heapSlope, requests } = result
const show = (resources: Record<string, number>) =>
  Object.entries(resources)
    .map(([kind, n]) => `${n} ${kind}`)
    .join(', ')
printTable(
  ['what', 'measured'],
  [
    ['requests', Object.values(requests).reduce((a, b) => a + b, 0)],
    ['heap before and after, MB', `${before.heapMB.toFixed(1)}, ${after.heapMB.toFixed(1)}`],
    [
      'slope of the heap, MB per minute',
      `${heapSlope.perMinute.toFixed(3)} ± ${heapSlope.halfWidth.toFixed(3)}`,
    ],
    ['held before', show(before.resources)],
    ['held after', show(after.resources)],
  ],
)
saveResults('soak', `npm run bench -- soak --minutes ${minutes}`, result)
process.exit(0)
