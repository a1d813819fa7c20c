/**
 * Writes README's table of results from bench/results/, so that no figure stands there without its raw output.
 *   node bench/readme.ts
 */
import fs from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Spread, spreadOf } from './table.ts'

const readme = path.join(import.meta.dirname, '../README.md')
const START = '<!-- results: node bench/readme.ts -->\n'
const END = '<!-- /results -->'

interface Saved {
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
interface Controls extends Saved {
  model: string
  n: number
  settings: { width: number; depth: number; maxTokens: number }
  rows: {
    title: string
    scores: Record<string, { mean: number; interval: { low: number; high: number } }>
    calls: number
    generated_tokens: number
  }[]
}
interface WinRates extends Saved {
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
const percent = (share: number) => (100 * share).toFixed(1)
const times = ({ median, min, max }: Spread) =>
  `${median.toFixed(2)} × (${min.toFixed(2)} to ${max.toFixed(2)})`

/** What was measured, and what it was, by the result's file. */
const lines: [RegExp, (saved: never) => [what: string, figure: string][]][] = [
  [
    /^attribution/,
    ({ words, proposals, results }: AttributionTimes) =>
      results.map(({ name, ms }): [string, string] => {
        const { median, min, max } = spreadOf(ms)
        return [
          `Attribution, ${proposals} proposals of ${words.toLocaleString('en')} words: ${name}`,
          `${median.toFixed(1)} ms (${min.toFixed(1)} to ${max.toFixed(1)})`,
        ]
      }),
  ],
  [
    /^controls-gsm8k/,
    ({ model, n, settings, rows }: Controls) =>
      rows.map(({ title, scores, calls, generated_tokens: written }, i): [string, string] => {
        const shown = Object.entries(scores).map(
          ([metric, { mean, interval }]) =>
            `${metric} ${percent(mean)} % (${percent(interval.low)} to ${percent(interval.high)})`,
        )
        const { width, depth, maxTokens } = settings
        const what = `GSM8K, ${n} questions, ${model}, ${width} × ${depth}, ${maxTokens} tokens: ${title}`
        return [
          i === 0 ? what : `… ${title}`,
          `${shown.join(', ')}; ${calls.toFixed(0)} calls, ${written.toFixed(0)} tokens written`,
        ]
      }),
  ],
  [
    /^data-build/,
    ({ runs, part }: DataBuild) => [
      ...runs.map(({ job, rows, seconds, peakBytes }): [string, string] => [
        `\`aft data build\`, ${rows.toLocaleString('en')} rows of four responses: ${job}`,
        `${Math.round(rows / seconds)} rows a second; ${Math.round(peakBytes / 1e6)} MB at most`,
      ]),
      [
        `… beside Python datasets (the faster of one and two processes), ${part.rows.toLocaleString('en')} rows`,
        `${spreadOf(part.own).median.toFixed(1)} s to ${spreadOf(part.peers).median.toFixed(1)} s; ${part.ratio.median.toFixed(1)} times as fast (${part.ratio.min.toFixed(1)} to ${part.ratio.max.toFixed(1)})`,
      ],
    ],
  ],
  [
    /^embedded-/,
    ({ settings, ratio, raw }: Embedded) => {
      const what = settings.count === 1 ? 'One question' : `${settings.count} prompts`
      const files =
        settings.file === settings.peerFile ? settings.file : `${settings.file}, peer ${settings.peerFile}`
      return [
        [`${what}, 5 × 2, embedded (${files})`, seconds(raw.own)],
        [
          '… beside the published schedule on llama-server',
          `${seconds(raw.published)}; ${times(ratio.wallToPublished)}`,
        ],
        ['… beside llama-server with n = 5', `${seconds(raw.withN)}; ${times(ratio.wallToN)}`],
        ["… beside the engine's own limit", times(ratio.wallToOwnLimit)],
        ['… prompt tokens evaluated, of the distinct ones', times(ratio.prefilledToDistinct)],
      ]
    },
  ],
  [
    /^first-token/,
    ({ own, bare, ratio }: FirstToken) => [
      ['First token, from the start of the process', `${spreadOf(own).median.toFixed(2)} s`],
      ['… beside the bare library', `${spreadOf(bare).median.toFixed(2)} s; ${times(ratio)}`],
    ],
  ],
  [
    /^on-policy/,
    ({ prompts, width, runs }: OnPolicy) =>
      runs.map(({ model, byDemonstrations, proposals: p, built }) => [
        `On-policy data, ${prompts} prompts × ${width}: ${model}${byDemonstrations ? ', by demonstrations' : ''}; killed and resumed`,
        `${p.completions} proposals: ${p.unusable.empty} empty, ${p.unusable.runaway} runaway${byDemonstrations ? `, ${p.leaksCutFromText} cut at a heading` : ''}. ${built}`,
      ]),
  ],
  [
    /^overhead/,
    ({ runs }: Overhead) =>
      runs.map(({ prompts, wallMs, peakBytes }) => [
        `\`aft run\`, ${prompts.toLocaleString('en')} prompts at a server that answers at once`,
        `${Math.round((prompts * 11 * 1000) / wallMs)} completions a second; ${Math.round(peakBytes / 1e6)} MB at most`,
      ]),
  ],
  [
    /^serve-latency/,
    ({ runs }: ServeLatency) =>
      runs.map(({ what, added }) => [
        `\`aft serve\` adds, width 1, depth 0: ${what}`,
        `${added.median.toFixed(1)} ms at the median, ${added.p99.toFixed(1)} ms at p99`,
      ]),
  ],
  [
    /^serve-streams/,
    ({ runs }: ServeStreams) =>
      runs.map(({ what, ofIdeal, gapMs, peakBytes }) => [
        `Streams of 50 tokens a second: ${what}`,
        `${(ofIdeal * 100).toFixed(0)} % of the ideal; 99 of 100 gaps below ${gapMs.p99.toFixed(0)} ms; ${Math.round(peakBytes / 1e6)} MB`,
      ]),
  ],
  [
    /^serve-beside-optillm/,
    ({ maxTokens, upstream, own, ratio }: BesideOptillm) => [
      [
        `\`aft serve\`, 3 × 1, before ${upstream === 'embedded' ? 'an embedded SmolLM2-135M' : upstream}, ${maxTokens} tokens: first token`,
        `${(spreadOf(own.map((run) => run.firstMs)).median / 1_000).toFixed(1)} s; beside optillm's moa ${times(ratio.first)}`,
      ],
      [
        '… the whole answer',
        `${(spreadOf(own.map((run) => run.endMs)).median / 1_000).toFixed(1)} s; beside optillm's moa ${times(ratio.end)}`,
      ],
    ],
  ],
  [
    /^scheduling/,
    ({ results }: Scheduling) =>
      results.map(({ name, ratios }) => [`Makespan over its lower bound: ${name}`, times(spreadOf(ratios))]),
  ],
  [
    /^win-rate/,
    ({ systems, gap, seconds, ratio }: WinRates) => [
      [
        '`aft eval win-rate`, one system of 805 rows, from the start of the process',
        `${seconds.own.median.toFixed(2)} s (${seconds.own.min.toFixed(2)} to ${seconds.own.max.toFixed(2)})`,
      ],
      [
        '… beside the Python package',
        `${seconds.peer.median.toFixed(2)} s; ${ratio.median.toFixed(0)} times as fast (${ratio.min.toFixed(0)} to ${ratio.max.toFixed(0)})`,
      ],
      ...systems.map(({ model, published, mine }): [string, string] => [
        `… ${model}: win rate (published), length-controlled (published)`,
        `${mine.win_rate.toFixed(2)} (${published.winRate.toFixed(2)}), ${mine.lc_win_rate.toFixed(2)} (${published.lc.toFixed(2)})`,
      ]),
      [
        '… distance from the published length-controlled rates, with reconstructed files',
        `${gap.lc.mean.toFixed(3)} on average, ${gap.lc.max.toFixed(3)} at most; the package: ${gap.peerLc.mean.toFixed(3)}, ${gap.peerLc.max.toFixed(3)}`,
      ],
    ],
  ],
]

/** The table, or nothing where there are no results. */
export function renderResults(folder = path.join(import.meta.dirname, 'results')): string {
  const files = fs.existsSync(folder)
    ? fs
        .readdirSync(folder)
        .filter((file) => file.endsWith('.json'))
        .sort()
    : []
  const rows = files.flatMap((file) => {
    const tell = lines.find(([pattern]) => pattern.test(file))?.[1]
    const saved: Saved = JSON.parse(fs.readFileSync(path.join(folder, file), 'utf8'))
    const { command, machine } = saved
    const source = `[\`${command}\`](bench/results/${file}), ${machine.commit}, ${machine.cores} cores, load ${machine.loadBefore}`
    return (tell?.(saved as never) ?? []).map(
      ([what, figure], i) => `| ${what} | ${figure} | ${i === 0 ? source : ''} |`,
    )
  })
  return rows.length === 0
    ? ''
    : ['| what | figure | command, commit, machine |', '| --- | --- | --- |', ...rows, ''].join('\n')
}

/** The README with the table in its place. */
export function insertResults(text: string): string {
  const [before = '', rest = ''] = text.split(START)
  return `${before}${START}${renderResults()}${END}${rest.split(END)[1] ?? ''}`
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  fs.writeFileSync(readme, insertResults(fs.readFileSync(readme, 'utf8')))
}
