/**
 * `aft data build` of few rows in UltraFeedback's shape, with the near-duplicate search: the processor's time of this checkout
 * and of another one, in turn.
 *
 *   npm run bench -- data-small --other ../before
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { runMeasured } from './processes.ts'
import { printTable, saveResults, showSpread, spreadOf } from './table.ts'
import { writeRows } from './ultrafeedback-rows.ts'

const { values: flags } = parseArgs({
  options: {
    other: { type: 'string' },
    texts: { type: 'string', default: '../shared/data/alpaca-eval/outputs' },
    rows: { type: 'string', default: '32,300,1500,6000' },
    pairs: { type: 'string', default: '5' },
  },
})
if (!flags.other) throw new Error('expected --other FOLDER (a checkout after npm ci)')
const other = path.resolve(flags.other)
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'aft-data-small-'))
const at = (name: string) => path.join(folder, name)

async function build(rows: number, checkout?: string): Promise<number> {
  const command = ['data', 'build', at(`${rows}.jsonl`), '--format', 'ultrafeedback', '--target', 'best']
  const { cpuMs } = await runMeasured([...command, '-o', at('built')], { checkout })
  fs.rmSync(at('built'), { recursive: true })
  return cpuMs
}

async function measure(rows: number) {
  writeRows(at(`${rows}.jsonl`), rows, flags.texts)
  const [here, there]: [number[], number[]] = [[], []]
  for (let i = 0; i < Number(flags.pairs); i++) {
    there.push(await build(rows, other))
    here.push(await build(rows))
  }
  return { rows, here, there, ratio: spreadOf(here.map((ms, i) => ms / (there[i] as number))) }
}

try {
  const sizes = []
  for (const rows of flags.rows.split(',')) sizes.push(await measure(Number(rows)))
  printTable(
    ['rows', 'here, ms', 'other, ms', 'here / other'],
    sizes.map(({ rows, here, there }) => [
      rows,
      showSpread(here, 0),
      showSpread(there, 0),
      showSpread(here.map((ms, i) => ms / (there[i] as number))),
    ]),
  )
  saveResults('data-small', 'npm run bench -- data-small --other ../before', { sizes })
} finally {
  fs.rmSync(folder, { recursive: true, force: true })
}
