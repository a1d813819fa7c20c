/**
 * From process start to the first token of the first proposal, model cached: `aft ask` compared with the bare library.
 *
 *   npm run bench -- first-token
 */
import { spawn } from 'node:child_process'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { resolveModel } from '../src/engines/models/models.ts'
import { printTable, saveResults, showSpread, spreadOf } from './table.ts'

const { values: flags } = parseArgs({ options: { repeats: { type: 'string', default: '7' } } })
const QUESTION = 'Why is the sky blue?'
const root = path.join(import.meta.dirname, '..')
const { file } = await resolveModel('smollm2')

/** Seconds until stdout says anything that matches. The process is then killed. */
function timeUntil(args: string[], pattern: RegExp): Promise<number> {
  const start = performance.now()
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  return new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      output += chunk
      if (!pattern.test(output)) return
      resolve((performance.now() - start) / 1000)
      child.kill('SIGKILL')
    })
    child.once('exit', (code) =>
      reject(new Error(`ended with ${code} before a token came: ${args.join(' ')}`)),
    )
  })
}

const own: number[] = []
const bare: number[] = []
for (let i = 0; i <= Number(flags.repeats); i++) {
  const a = await timeUntil(
    ['bin/aft.js', 'ask', '--events', '--width', '5', '--depth', '2', QUESTION],
    /"completion-delta"/,
  )
  const b = await timeUntil(['bench/bare-library.ts', file, QUESTION], /./s)
  if (i === 0) continue // the first of each reads the files into memory
  own.push(a)
  bare.push(b)
}
const ratios = own.map((a, i) => a / (bare[i] as number))
printTable(
  ['side', 'seconds to the first token', 'ratio'],
  [
    ['aft ask', showSpread(own), showSpread(ratios)],
    ['node-llama-cpp alone', showSpread(bare), '1'],
  ],
)
saveResults('first-token', 'npm run bench -- first-token', { own, bare, ratio: spreadOf(ratios) })
