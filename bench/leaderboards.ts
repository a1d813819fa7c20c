/**
 * `aft eval win-rate` on every annotations file of a copy of AlpacaEval's repository (tatsu-lab/alpaca_eval), compared with
 * the leaderboards in it. Files that are not there as JSON (Git LFS pointers, say) are counted, and left out.
 *
 *   npm run bench -- leaderboards --repository FOLDER      with results/ and src/alpaca_eval/leaderboards/
 *   npm run bench -- leaderboards --repository FOLDER --package      the Python package on the same files, too
 */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { parse } from 'csv-parse/sync'
import { aftHere } from '../test/aft-here.ts'
import { installPython } from '../test/peers/python.ts'
import { printTable, saveResults } from './table.ts'

const { values: flags } = parseArgs({
  options: {
    repository: { type: 'string', default: '../alpaca_eval' },
    data: { type: 'string', default: '../shared/data/alpaca-eval' },
    package: { type: 'boolean', default: false },
  },
})
const results = path.resolve(flags.repository, 'results')
const boards = path.resolve(flags.repository, 'src/alpaca_eval/leaderboards')
const reconstructed = (name: string) => path.resolve(flags.data, 'reconstructed', name)
const controls = [
  ...['--gamed', reconstructed('df_gamed.csv')],
  ...['--instruction-difficulty', reconstructed('instruction_difficulty.csv')],
]

type Cells = Record<string, string>
/** The leaderboard of each annotator: its rows by the system's name. */
const published = new Map<string, Map<string, Cells>>()
for (const file of fs.globSync('data_*/*_leaderboard.csv', { cwd: boards })) {
  const rows: Cells[] = parse(fs.readFileSync(path.join(boards, file)), { columns: true })
  const annotator = path.basename(file).replace(/_leaderboard\.csv$/, '')
  published.set(annotator, new Map(rows.map((row) => [row[''] ?? '', row])))
}

interface Outcome {
  system: string
  annotator: string
  /** Why there is no figure. */
  error?: string
  n?: number
  warnings?: string[]
  winRate?: number
  lc?: number
  /** Ours minus that of the leaderboard. Absent if it does not list the system. */
  gap?: { winRate: number; standardError: number; lc?: number }
  /** The package's minus that of the leaderboard, and ours minus the package's. */
  packageGap?: { lc: number; ours: number }
}

const isJson = (file: string) => fs.readFileSync(file, { encoding: 'utf8' }).trimStart().startsWith('[')

async function score(file: string): Promise<Outcome> {
  const parts = path.relative(results, file).split(path.sep)
  const [system, annotator] = [parts[0] ?? '', parts.at(-2) ?? '']
  const ran = await aftHere(['eval', 'win-rate', '--annotations', file, ...controls, '--json'])
  if (ran.code !== 0) return { system, annotator, error: ran.stderr.replaceAll(results, 'results').trim() }
  const { win_rate: winRate, lc_win_rate: lc, standard_error: own, n, warnings } = JSON.parse(ran.stdout)
  const row = published.get(annotator)?.get(system)
  const theirs = Number(row?.length_controlled_winrate || Number.NaN)
  const gap = row && {
    winRate: winRate - Number(row.win_rate),
    standardError: own - Number(row.standard_error),
    ...(Number.isFinite(theirs) && { lc: lc - theirs }),
  }
  return { system, annotator, n, warnings, winRate, lc, gap }
}

const files = fs.globSync('**/annotations.json', { cwd: results }).map((file) => path.join(results, file))
const readable = files.filter(isJson).sort()
const outcomes: Outcome[] = []
for (const file of readable) {
  outcomes.push(await score(file))
  console.error(JSON.stringify(outcomes.at(-1)))
}

/** Runs the package on the files whose length-controlled rate is listed. It gets the same controls. */
function runPackage(): void {
  const listed = outcomes.flatMap((outcome, i) =>
    outcome.gap?.lc === undefined ? [] : [{ outcome, file: readable[i] as string }],
  )
  const python = installPython(['alpaca_eval==0.6.6'])
  const args = [path.join(import.meta.dirname, 'win-rate-peer.py'), reconstructed('df_gamed.csv')]
  const printed = execFileSync(python, [...args, ...listed.map(({ file }) => file)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  for (const [i, line] of printed.trim().split('\n').entries()) {
    const { outcome } = listed[i] as (typeof listed)[number]
    const theirs = JSON.parse(line).lc_win_rate
    const ours = (outcome.lc as number) - theirs
    outcome.packageGap = { lc: (outcome.gap?.lc as number) - ours, ours }
  }
}
if (flags.package) runPackage()

function summarize(gaps: number[]) {
  const sizes = gaps.map(Math.abs)
  if (sizes.length === 0) return undefined
  return {
    count: sizes.length,
    mean: sizes.reduce((a, b) => a + b, 0) / sizes.length,
    max: Math.max(...sizes),
  }
}
const gapsOf = (of: Outcome[], pick: (gap: NonNullable<Outcome['gap']>) => number | undefined) =>
  summarize(of.flatMap(({ gap }) => (gap && pick(gap) !== undefined ? [pick(gap) as number] : [])))
const byAnnotator = [...Map.groupBy(outcomes, ({ annotator }) => annotator)].map(([annotator, of]) => ({
  annotator,
  files: of.length,
  errors: of.filter(({ error }) => error).length,
  winRate: gapsOf(of, (gap) => gap.winRate),
  standardError: gapsOf(of, (gap) => gap.standardError),
  lc: gapsOf(of, (gap) => gap.lc),
  packageLc: summarize(of.flatMap(({ packageGap }) => (packageGap ? [packageGap.lc] : []))),
  oursBesidePackage: summarize(of.flatMap(({ packageGap }) => (packageGap ? [packageGap.ours] : []))),
}))
printTable(
  [
    'annotator',
    'files',
    'errors',
    'listed',
    'win rate: mean gap',
    'max',
    'LC listed',
    'LC: mean gap',
    'max',
    "package's: mean gap",
    'max',
  ],
  byAnnotator.map(({ annotator, files, errors, winRate, lc, packageLc }) => [
    annotator,
    files,
    errors,
    ...(winRate ? [winRate.count, winRate.mean.toExponential(1), winRate.max.toExponential(1)] : [0, '', '']),
    ...(lc ? [lc.count, lc.mean.toFixed(3), lc.max.toFixed(3)] : [0, '', '']),
    ...(packageLc ? [packageLc.mean.toFixed(3), packageLc.max.toFixed(3)] : ['', '']),
  ]),
)
for (const { system, annotator, error, gap } of outcomes)
  if (error || Math.abs(gap?.winRate ?? 0) > 1e-6)
    console.log(`${annotator} ${system}: ${error ?? JSON.stringify(gap)}`)
saveResults(
  'leaderboards',
  `npm run bench -- leaderboards --repository FOLDER${flags.package ? ' --package' : ''}`,
  {
    files: files.length,
    readable: readable.length,
    byAnnotator,
    outcomes,
  },
)
