/** The campaign of `npm run bench -- campaign`, short. Takes two minutes. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runCampaign } from '../../../test/campaign.ts'
import { hasRedis } from '../../../test/queue-parts.ts'
import { randomFrom } from '../../lib/random.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'aft-campaign-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test.skipIf(!hasRedis())(
  'under kills, stops and storms each prompt is answered once, and only what was in flight is paid again (skipped without redis-server)',
  async () => {
    const result = await runCampaign({
      folder,
      prompts: 150,
      workers: 3,
      places: 8,
      processFaults: 20,
      everyMs: 1_000,
      upstreamMs: 500,
      takeoverS: 20, // a shorter lock is lost on a slow machine while its worker is alive
      random: randomFrom(Math.floor(Math.random() * 1e6)),
    })
    expect(result).toMatchObject({
      rows: 150,
      lost: 0,
      failed: 0,
      answersWrong: 0,
      answersCompared: expect.any(Number),
    })
    expect(result.answered).toEqual({ distinct: 150, again: 0 })
    expect(result.completions.again).toBe(0)
    expect(result.faults.all).toBeGreaterThan(40)
    expect(result.paidAgain).toBeLessThanOrEqual(result.mayPayAgain)
  },
  600_000,
)
