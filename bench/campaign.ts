/**
 * A run through a queue under faults: SIGKILL and SIGSTOP of submitter, workers, Redis and upstream, and storms of 429, 500,
 * hangs, cut and doubled answers. Needs redis-server.
 *
 *     npm run bench -- campaign [--prompts 2000] [--faults 250] [--seed 1]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { randomFrom } from '../src/lib/random.ts'
import { runCampaign } from '../test/campaign.ts'
import { saveResults } from './table.ts'

const { values } = parseArgs({
  options: {
    prompts: { type: 'string', default: '2000' },
    faults: { type: 'string', default: '250' },
    seed: { type: 'string', default: '1' },
    keep: { type: 'boolean', default: false },
  },
})
const folder = mkdtempSync(path.join(tmpdir(), 'aft-campaign-'))
const result = await runCampaign({
  folder,
  prompts: Number(values.prompts),
  workers: 3,
  places: 8,
  processFaults: Number(values.faults),
  everyMs: 1_000,
  upstreamMs: 500,
  takeoverS: 6,
  random: randomFrom(Number(values.seed)),
  log: (line) => console.error(line),
})
if (values.keep) console.error(folder)
else rmSync(folder, { recursive: true, force: true })
console.log(JSON.stringify(result, null, 2))
saveResults('campaign', ['npm run bench -- campaign', ...process.argv.slice(2)].join(' '), result)
const isRight =
  result.lost === 0 &&
  result.answered.again === 0 &&
  result.completions.again === 0 &&
  result.answersWrong === 0 &&
  result.answered.distinct + result.failed === result.prompts &&
  result.paidAgain <= result.mayPayAgain
process.exit(isRight ? 0 : 1)
