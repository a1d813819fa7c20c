/**
 * `aft eval win-rate` on published annotations: how far it is from the published rates, and how long it takes, compared with the
 * Python package on the same files. Each runs in its own process for each system.
 *
 *   npm run bench -- win-rate --data FOLDER     annotations/, reconstructed/ and published.csv
 */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { installPython } from '../test/peers/python.ts'
import { runMeasured } from './processes.ts'
import { printTable, saveResults, showSpread, spreadOf } from './table.ts'

const { values: flags } = parseArgs({
  options: {
    data: { type: 'string', default: '../shared/data/alpaca-eval' },
    repeats: { type: 'string', default: '3' },
  },
})
const root = path.join(import.meta.dirname, '..')
const gamed = path.join(flags.data, 'reconstructed/df_gamed.csv')
const difficulty = path.join(flags.data, 'reconstructed/instruction_difficulty.csv')
const python = installPython(['alpaca_eval==0.6.6'])

interface Rates {
  win_rate: number
  lc_win_rate: number
}

/** Its own `seconds` are those of its fit. */
function runPeer(file: string): { rates: Rates & { seconds: number }; seconds: number } {
  const start = performance.now()
  const output = execFileSync(python, ['bench/win-rate-peer.py', gamed, file], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return { rates: JSON.parse(output), seconds: (performance.now() - start) / 1000 }
}

const published = fs
  .readFileSync(path.join(flags.data, 'published.csv'), 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => line.split(','))
async function measure([model = '', rate, , , , lcRate]: string[]) {
  const file = path.join(flags.data, 'annotations', `${model}.json`)
  const own: number[] = []
  const ownCpuMs: number[] = []
  const peers: number[] = []
  const peerFits: number[] = []
  let [mine, theirs]: Rates[] = []
  for (let i = 0; i < Number(flags.repeats); i++) {
    const args = ['eval', 'win-rate', '--annotations', file, '--gamed', gamed, '--json']
    const { seconds, cpuMs, output } = await runMeasured([...args, '--instruction-difficulty', difficulty])
    own.push(seconds)
    ownCpuMs.push(cpuMs)
    mine = JSON.parse(output)
    const peer = runPeer(file)
    peers.push(peer.seconds)
    peerFits.push(peer.rates.seconds)
    theirs = peer.rates
  }
  const gaps = {
    winRate: (mine as Rates).win_rate - Number(rate),
    lc: (mine as Rates).lc_win_rate - Number(lcRate),
    peerLc: (theirs as Rates).lc_win_rate - Number(lcRate),
  }
  return {
    model,
    published: { winRate: Number(rate), lc: Number(lcRate) },
    mine,
    theirs,
    gaps,
    own,
    ownCpuMs,
    peers,
    peerFits,
  }
}

const systems: Awaited<ReturnType<typeof measure>>[] = []
for (const row of published) systems.push(await measure(row))
printTable(
  [
    'system',
    'win rate',
    'published',
    'LC',
    'published',
    'package',
    'seconds',
    'of processor',
    'package, whole',
    'package, fit',
  ],
  systems.map(({ model, published, mine, theirs, own, ownCpuMs, peers, peerFits }) => [
    model,
    (mine as Rates).win_rate.toFixed(3),
    published.winRate.toFixed(3),
    (mine as Rates).lc_win_rate.toFixed(3),
    published.lc.toFixed(3),
    (theirs as Rates).lc_win_rate.toFixed(3),
    showSpread(own),
    showSpread(ownCpuMs.map((ms) => ms / 1000)),
    showSpread(peers),
    showSpread(peerFits),
  ]),
)
const gapOf = (pick: (system: (typeof systems)[number]) => number) => {
  const gaps = systems.map((system) => Math.abs(pick(system)))
  return { mean: gaps.reduce((a, b) => a + b, 0) / gaps.length, max: Math.max(...gaps) }
}
const seconds = { own: systems.flatMap((s) => s.own), peer: systems.flatMap((s) => s.peers) }
saveResults('win-rate', ['npm run bench -- win-rate', ...process.argv.slice(2)].join(' '), {
  systems,
  gap: {
    winRate: gapOf((s) => s.gaps.winRate),
    lc: gapOf((s) => s.gaps.lc),
    peerLc: gapOf((s) => s.gaps.peerLc),
  },
  seconds: { own: spreadOf(seconds.own), peer: spreadOf(seconds.peer) },
  ratio: spreadOf(systems.flatMap((s) => s.peers.map((peer, i) => peer / (s.own[i] as number)))),
})
