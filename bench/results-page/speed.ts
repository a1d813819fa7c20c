/** The tables of speeds: one per file of results. */
import { type Spread, spreadOf } from '../table.ts'
import { embeddedTables } from './embedded.ts'
import { median, type Saved, type SpeedTable, speedTable, times } from './speed-table.ts'

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
interface Growth extends Saved {
  curves: {
    what: string
    unit: string
    points: { work: number }[]
    exponents: Record<'cpu' | 'memory' | 'bytes', number>
  }[]
}
interface Starts extends Saved {
  results: { name: string; runs: { cpuMs: number; wallMs: number }[] }[]
}
interface Scheduling extends Saved {
  results: { name: string; ratios: number[] }[]
}

/** Answers by the names that the bench of attribution gives them. */
const attributed: Record<string, string> = {
  'an answer of pieces of each': 'the answer has pieces of each proposal',
  'an answer that shares only words': 'the answer shares only single words with them',
  'one sentence repeated, in all': 'answer and proposals repeat one sentence',
  'Chinese, a character a word': 'Chinese, each character counts as a word',
}

/** Schedules by the names that the bench gives them. */
const schedules: Record<string, string> = {
  'aft run, places one by one': '`aft run`, each completion starts as soon as there is room',
  'aft run, short prompts one by one, long ones whole':
    '`aft run`, proposals start one by one, an aggregating layer as one request',
  'aft run, requests whole': '`aft run`, each layer starts as one request',
  'batches of 8 with a barrier after each layer':
    "as in the authors' code: 8 prompts at a time, and each layer waits for all of them",
  'aft run, places one by one, lengths not capped':
    'as the first, without a limit on the length of completions',
}

export const speedTables: SpeedTable[] = [
  ...embeddedTables,
  speedTable(/^attribution/, 'Attribution', ({ words, proposals, results }: AttributionTimes) =>
    results.map(({ name, ms }): [string, string] => {
      const { median, min, max } = spreadOf(ms)
      return [
        `${proposals} proposals of ${words.toLocaleString('en')} words: ${attributed[name] ?? name}`,
        `${median.toFixed(1)} ms (${min.toFixed(1)} to ${max.toFixed(1)})`,
      ]
    }),
  ),
  speedTable(/^data-build/, 'Building data: `aft data build`', ({ runs, part }: DataBuild) => [
    ...runs.map(({ job, rows, seconds, peakBytes }): [string, string] => [
      `${rows.toLocaleString('en')} rows of four responses: ${job === 'JSON lines, a quarter of them' ? 'the same with a quarter of the rows' : job}`,
      `${Math.round(rows / seconds)} rows per second; ${Math.round(peakBytes / 1e6)} MB of memory at most`,
    ]),
    [
      `${part.rows.toLocaleString('en')} rows, compared with Python \`datasets\` (one or two processes, whichever is faster)`,
      `${spreadOf(part.own).median.toFixed(1)} s for aft, ${spreadOf(part.peers).median.toFixed(1)} s for \`datasets\`: aft is ${part.ratio.median.toFixed(1)} times as fast (${part.ratio.min.toFixed(1)} to ${part.ratio.max.toFixed(1)})`,
    ],
  ]),
  speedTable(/^start/, 'Starts', ({ results }: Starts) =>
    results.map(({ name, runs }) => [
      name.replace(/^aft --help$/, '`aft --help`').replace("import 'aft'", "`import 'aft'`"),
      `${median(runs.map((run) => run.cpuMs)).toFixed(0)} ms of processor time, ${median(runs.map((run) => run.wallMs)).toFixed(0)} ms by the clock`,
    ]),
  ),
  speedTable(/^first-token/, 'First token', ({ own, bare, ratio }: FirstToken) => [
    ['from the start of the process to the first token', `${spreadOf(own).median.toFixed(2)} s`],
    [
      'node-llama-cpp alone: seconds; time of aft as a share of it',
      `${spreadOf(bare).median.toFixed(2)} s; ${times(ratio)}`,
    ],
  ]),
  speedTable(/^growth/, 'How cost grows with the work', ({ curves }: Growth) =>
    curves.map(({ what, unit, points, exponents }) => {
      const [from, to] = [points[0], points.at(-1)].map((point) => point?.work.toLocaleString('en'))
      const { cpu, memory, bytes } = exponents
      return [
        `${what}, ${from} to ${to} ${unit}: exponent of the cost (1: twice the work costs twice as much)`,
        `processor time ${cpu.toFixed(2)}, memory ${memory.toFixed(2)}, bytes written ${bytes.toFixed(2)}`,
      ]
    }),
  ),
  speedTable(
    /^on-policy/,
    'On-policy data: `aft data propose`, killed once and resumed',
    ({ prompts, width, runs }: OnPolicy) =>
      runs.map(({ model, byDemonstrations, proposals: p, built }) => [
        `${prompts} prompts × ${width}: ${model}${byDemonstrations ? ', by demonstrations' : ''}`,
        `${p.completions} proposals: ${p.unusable.empty} empty, ${p.unusable.runaway} that repeat themselves${byDemonstrations ? `, ${p.leaksCutFromText} cut at a heading` : ''}. ${built.replace('the target is runaway', 'because the target repeats itself')}`,
      ]),
  ),
  speedTable(/^overhead\b(?!-)/, 'Many prompts: `aft run`', ({ runs }: Overhead) =>
    runs.map(({ prompts, wallMs, peakBytes }) => [
      `${prompts.toLocaleString('en')} prompts, 5 × 2, a server that answers at once`,
      `${Math.round((prompts * 11 * 1000) / wallMs)} completions per second; ${Math.round(peakBytes / 1e6)} MB of memory at most`,
    ]),
  ),
  speedTable(/^serve-latency/, 'The server: time that it adds to a request', ({ runs }: ServeLatency) =>
    runs.map(({ what, added }) => [
      `width 1, depth 0: ${what.replace('a second each', 'per second each').replace(/whole$/, 'not streamed')}`,
      `${added.median.toFixed(1)} ms at the median; 99 % below ${added.p99.toFixed(1)} ms`,
    ]),
  ),
  speedTable(/^serve-streams/, 'The server: many streams', ({ runs }: ServeStreams) =>
    runs.map(({ what, ofIdeal, gapMs, peakBytes }) => [
      `50 tokens per second: ${what.replace(' of the server itself', ', without aft in between')}`,
      `${(ofIdeal * 100).toFixed(0)} % of the ideal speed; 99 % of the gaps between tokens are below ${gapMs.p99.toFixed(0)} ms; ${Math.round(peakBytes / 1e6)} MB of memory`,
    ]),
  ),
  speedTable(
    /^serve-beside-optillm/,
    'The server compared with optillm',
    ({ maxTokens, upstream, own, ratio }: BesideOptillm) => [
      [
        `3 × 1 on ${upstream === 'embedded' ? 'an embedded SmolLM2-135M' : upstream}, ${maxTokens} tokens: first token`,
        `${(spreadOf(own.map((run) => run.firstMs)).median / 1_000).toFixed(1)} s; as a share of the time of optillm's moa: ${times(ratio.first)}`,
      ],
      [
        'the whole answer',
        `${(spreadOf(own.map((run) => run.endMs)).median / 1_000).toFixed(1)} s; as a share of the time of optillm's moa: ${times(ratio.end)}`,
      ],
    ],
  ),
  speedTable(
    /^scheduling/,
    'Scheduling: a simulation of 805 prompts, 5 × 2, 64 completions at once',
    ({ results }: Scheduling) =>
      results.map(({ name, ratios }) => [
        `${schedules[name] ?? name}: time over its lower bound`,
        times(spreadOf(ratios)),
      ]),
  ),
  speedTable(/^win-rate/, 'AlpacaEval: `aft eval win-rate`', ({ seconds, ratio }: WinRates) => [
    [
      'one system of 805 rows, from the start of the process',
      `${seconds.own.median.toFixed(2)} s (${seconds.own.min.toFixed(2)} to ${seconds.own.max.toFixed(2)})`,
    ],
    [
      'the same with the Python package `alpaca_eval`',
      `${seconds.peer.median.toFixed(2)} s: aft is ${ratio.median.toFixed(0)} times as fast (${ratio.min.toFixed(0)} to ${ratio.max.toFixed(0)})`,
    ],
  ]),
]
