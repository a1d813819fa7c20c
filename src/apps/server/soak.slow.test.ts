/** The soak of `npm run bench -- soak`, short. Takes a minute and a half. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { soak } from '../../../test/soak.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'aft-soak-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('after mixed load with faults `aft serve` holds as many sockets and timers as before, and hardly more memory', async () => {
  const { before, after, requests } = await soak({
    folder,
    minutes: 1,
    sampleMs: 5_000,
    clients: 16,
    pauseMs: 200,
  })
  expect(requests['whole 200']).toBeGreaterThan(5)
  expect(requests['refused 400']).toBeGreaterThan(5)
  for (const [kind, held] of Object.entries(after.resources)) {
    // Clients keep idle connections: one each at most.
    expect([kind, held]).toEqual([kind, expect.any(Number)])
    expect(held - (before.resources[kind] ?? 0)).toBeLessThanOrEqual(kind === 'TCPSocketWrap' ? 16 : 0)
  }
  expect(after.heapMB - before.heapMB).toBeLessThan(8)
})
