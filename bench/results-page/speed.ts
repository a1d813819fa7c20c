/** The tables of speeds: one per file of results. */
import { type Spread, spreadOf } from '../table.ts'
import { draw } from './text.ts'

export interface Saved {
  command: string
  date: string
  machine: { cpu?: string; cores: number; commit: string; loadBefore: number }
}
interface Run {
  seconds: number
  outputTokens: number
}
interface Embedded extends Saved {
  settings: { count: number; file: string; peerFile: string }
  ratio: Record<'wallToPublished' | 'wallToN' | 'wallToOwnLimit' | 'prefilledToDistinct', Spread>
  raw: { own: Run[]; published: Run[]; withN: Run[] }
}
interface FirstToken extends Saved {
  own: number[]
  bare: number[]
  ratio: Spread
}
interface Overhead extends Saved {
  runs: { prompts: number; wallMs: number; peakBytes: number }[]
}
interface ServeLatency extends Saved {
  runs: { what: string; added: { median: number; p99: number } }[]
}
interface ServeStreams extends Saved {
  runs: { what: string; layers: number; ofIdeal: number; gapMs: { p99: number }; peakBytes: number }[]
}
interface BesideOptillm extends Saved {
  maxTokens: number
  upstream: string
  own: { firstMs: number; endMs: number }[]
  ratio: { first: Spread; end: Spread }
}
interface DataBuild extends Saved {
  runs: { job: string; rows: number; seconds: number; peakBytes: number }[]
  part: { rows: number; own: number[]; peers: number[]; ratio: Spread }
}
export interface WinRates extends Saved {
  systems: {
    model: string
    published: { winRate: number; lc: number }
    mine: { win_rate: number; lc_win_rate: number }
  }[]
  gap: Record<'winRate' | 'lc' | 'peerLc', { mean: number; max: number }>
  seconds: Record<'own' | 'peer', Spread>
  ratio: Spread
}
interface AttributionTimes extends Saved {
  words: number
  proposals: number
  results: { name: string; ms: number[] }[]
}
interface OnPolicy extends Saved {
  prompts: number
  width: number
  runs: {
    model: string
    byDemonstrations: boolean
    proposals: { completions: number; leaksCutFromText: number; unusable: { empty: number; runaway: number } }
    built: string
  }[]
}
interface Scheduling extends Saved {
  results: { name: string; ratios: number[] }[]
}

const seconds = (runs: Run[]) => `${spreadOf(runs.map((run) => run.seconds)).median.toFixed(1)} s`
const times = ({ median, min, max }: Spread) =>
  `${median.toFixed(2)} × (${min.toFixed(2)} to ${max.toFixed(2)})`

interface SpeedTable {
  /** Of the names of the result's files. */
  pattern: RegExp
  title(file: string): string
  draw(saved: unknown): string
}

/** A table of what was measured and what came out. */
function speedTable<T extends Saved>(
  pattern: RegExp,
  title: string | ((file: string) => string),
  tell: (saved: T) => [what: string, figure: string][],
): SpeedTable {
  return {
    pattern,
    title: typeof title === 'string' ? () => title : title,
    draw: (saved) => draw(['what', 'figure'], tell(saved as T)),
  }
}

export const speedTables: SpeedTable[] = [
  speedTable(/^attribution/, 'Attribution', ({ words, proposals, results }: AttributionTimes) =>
    results.map(({ name, ms }): [string, string] => {
      const { median, min, max } = spreadOf(ms)
      return [
        `${proposals} proposals of ${words.toLocaleString('en')} words: ${name}`,
        `${median.toFixed(1)} ms (${min.toFixed(1)} to ${max.toFixed(1)})`,
      ]
    }),
  ),
  speedTable(/^data-build/, 'Building data: `aft data build`', ({ runs, part }: DataBuild) => [
    ...runs.map(({ job, rows, seconds, peakBytes }): [string, string] => [
      `${rows.toLocaleString('en')} rows of four responses: ${job}`,
      `${Math.round(rows / seconds)} rows per second; ${Math.round(peakBytes / 1e6)} MB at most`,
    ]),
    [
      `Python \`datasets\` in comparison, ${part.rows.toLocaleString('en')} rows, the faster of one and two processes`,
      `${spreadOf(part.own).median.toFixed(1)} s for aft, ${spreadOf(part.peers).median.toFixed(1)} s for it: aft is ${part.ratio.median.toFixed(1)} times as fast (${part.ratio.min.toFixed(1)} to ${part.ratio.max.toFixed(1)})`,
    ],
  ]),
  speedTable(
    /^embedded-/,
    (file) =>
      file.includes('one') ? 'The embedded engine: one question' : 'The embedded engine: 16 prompts',
    ({ settings, ratio, raw }: Embedded) => {
      const what = settings.count === 1 ? 'One question' : `${settings.count} prompts`
      const files =
        settings.file === settings.peerFile ? settings.file : `${settings.file}, peer ${settings.peerFile}`
      return [
        [`${what}, 5 × 2, embedded (${files})`, seconds(raw.own)],
        [
          'the published schedule on llama-server: seconds, and aft in comparison',
          `${seconds(raw.published)}; ${times(ratio.wallToPublished)}`,
        ],
        [
          'llama-server with n = 5: seconds, and aft in comparison',
          `${seconds(raw.withN)}; ${times(ratio.wallToN)}`,
        ],
        ["compared with the engine's own limit", times(ratio.wallToOwnLimit)],
        ['prompt tokens evaluated, compared with the distinct ones', times(ratio.prefilledToDistinct)],
      ]
    },
  ),
  speedTable(/^first-token/, 'First token', ({ own, bare, ratio }: FirstToken) => [
    ['from the start of the process to the first token', `${spreadOf(own).median.toFixed(2)} s`],
    [
      'the bare library: seconds, and aft in comparison',
      `${spreadOf(bare).median.toFixed(2)} s; ${times(ratio)}`,
    ],
  ]),
  speedTable(/^on-policy/, 'On-policy data, killed and resumed', ({ prompts, width, runs }: OnPolicy) =>
    runs.map(({ model, byDemonstrations, proposals: p, built }) => [
      `${prompts} prompts × ${width}: ${model}${byDemonstrations ? ', by demonstrations' : ''}`,
      `${p.completions} proposals: ${p.unusable.empty} empty, ${p.unusable.runaway} runaway${byDemonstrations ? `, ${p.leaksCutFromText} cut at a heading` : ''}. ${built}`,
    ]),
  ),
  speedTable(/^overhead/, 'Many prompts: `aft run`', ({ runs }: Overhead) =>
    runs.map(({ prompts, wallMs, peakBytes }) => [
      `${prompts.toLocaleString('en')} prompts, a server that answers at once`,
      `${Math.round((prompts * 11 * 1000) / wallMs)} completions per second; ${Math.round(peakBytes / 1e6)} MB at most`,
    ]),
  ),
  speedTable(/^serve-latency/, 'The server: added latency', ({ runs }: ServeLatency) =>
    runs.map(({ what, added }) => [
      `width 1, depth 0: ${what}`,
      `${added.median.toFixed(1)} ms at the median, ${added.p99.toFixed(1)} ms at p99`,
    ]),
  ),
  speedTable(/^serve-streams/, 'The server: many streams', ({ runs }: ServeStreams) =>
    runs.map(({ what, ofIdeal, gapMs, peakBytes }) => [
      `50 tokens per second: ${what}`,
      `${(ofIdeal * 100).toFixed(0)} % of the ideal; 99 of 100 gaps below ${gapMs.p99.toFixed(0)} ms; ${Math.round(peakBytes / 1e6)} MB`,
    ]),
  ),
  speedTable(
    /^serve-beside-optillm/,
    'The server beside optillm',
    ({ maxTokens, upstream, own, ratio }: BesideOptillm) => [
      [
        `3 × 1 on ${upstream === 'embedded' ? 'an embedded SmolLM2-135M' : upstream}, ${maxTokens} tokens: first token`,
        `${(spreadOf(own.map((run) => run.firstMs)).median / 1_000).toFixed(1)} s; compared with optillm's moa ${times(ratio.first)}`,
      ],
      [
        'the whole answer',
        `${(spreadOf(own.map((run) => run.endMs)).median / 1_000).toFixed(1)} s; compared with optillm's moa ${times(ratio.end)}`,
      ],
    ],
  ),
  speedTable(/^scheduling/, 'Scheduling', ({ results }: Scheduling) =>
    results.map(({ name, ratios }) => [`total time over its lower bound: ${name}`, times(spreadOf(ratios))]),
  ),
  speedTable(/^win-rate/, 'AlpacaEval: `aft eval win-rate`', ({ seconds, ratio }: WinRates) => [
    [
      'one system of 805 rows, from the start of the process',
      `${seconds.own.median.toFixed(2)} s (${seconds.own.min.toFixed(2)} to ${seconds.own.max.toFixed(2)})`,
    ],
    [
      'the Python package in comparison',
      `${seconds.peer.median.toFixed(2)} s: aft is ${ratio.median.toFixed(0)} times as fast (${ratio.min.toFixed(0)} to ${ratio.max.toFixed(0)})`,
    ],
  ]),
]
