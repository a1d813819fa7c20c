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
interface Growth extends Saved {
  curves: {
    what: string
    unit: string
    points: { work: number }[]
    exponents: Record<'cpu' | 'memory' | 'bytes', number>
  }[]
}
interface Limits extends Saved {
  kinds: { length: number; type: string; flash: boolean; runs: { read: number; write: number }[] }[]
  checks: { length: number; ms: Record<string, number[]> }[]
}
interface Formats extends Saved {
  results: { format: string; read: number; passes: { sequences: number; ms: number }[] }[]
}
interface LookUp extends Saved {
  answers: number
  rows: { isOracle: boolean; least: number; guesses: number; tokensPerPass: number; speedUp: number }[]
}
interface Starts extends Saved {
  results: { name: string; runs: { cpuMs: number; wallMs: number }[] }[]
}
interface Scheduling extends Saved {
  results: { name: string; ratios: number[] }[]
}

const median = (values: number[]) => spreadOf(values).median
const seconds = (runs: Run[]) => `${spreadOf(runs.map((run) => run.seconds)).median.toFixed(1)} s`
const times = ({ median, min, max }: Spread) =>
  `${median.toFixed(2)} × (${min.toFixed(2)} to ${max.toFixed(2)})`

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

const processors: Record<string, string> = { avx2: 'AVX2', avx512: 'AVX-512', amx: 'AVX-512 and AMX' }

/** Names the processor of a result, if its file does: `look-up-avx2.json`. */
function onProcessor(file: string): string {
  const kind = processors[/-(\w+)\.json$/.exec(file)?.[1] ?? '']
  return kind ? `, with ${kind}` : ''
}

export const speedTables: SpeedTable[] = [
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
  speedTable(
    /^embedded-(one|\d)/,
    (file) =>
      `The embedded engine: ${file.includes('one') ? 'one question' : '16 prompts'}${onProcessor(file)}`,
    ({ settings, ratio, raw }: Embedded) => {
      const what = settings.count === 1 ? 'One question' : `${settings.count} prompts`
      const files =
        settings.file === settings.peerFile ? settings.file : `${settings.file}, peer ${settings.peerFile}`
      return [
        [`${what}, 5 × 2, embedded (${files})`, seconds(raw.own)],
        [
          "llama-server, asked as the authors' code does, one request per completion: seconds; time of aft as a share of it",
          `${seconds(raw.published)}; ${times(ratio.wallToPublished)}`,
        ],
        [
          'llama-server, one request per layer (n = 5): seconds; time of aft as a share of it',
          `${seconds(raw.withN)}; ${times(ratio.wallToN)}`,
        ],
        [
          'time of aft over the time that the library alone takes to read and write as many tokens',
          times(ratio.wallToOwnLimit),
        ],
        ['prompt tokens read, as a share of one prompt per layer', times(ratio.prefilledToDistinct)],
      ]
    },
  ),
  speedTable(
    /^embedded-limits/,
    (file) => `What the library alone can do, one thread${onProcessor(file)}`,
    ({ kinds, checks }: Limits) => [
      ...kinds.map(({ length, type, flash, runs }): [string, string] => [
        `behind ${length} tokens, keys and values in ${type}, ${flash ? 'with' : 'without'} flash attention`,
        `reads ${median(runs.map((run) => run.read)).toFixed(0)}, writes ${median(runs.map((run) => run.write)).toFixed(0)} tokens per second of processor time (5 sequences)`,
      ]),
      ...checks.map(({ length, ms }): [string, string] => [
        `one pass behind ${length} tokens, by the tokens that it reads`,
        Object.entries(ms)
          .map(([count, values]) => `${count}: ${median(values).toFixed(0)} ms`)
          .join(', '),
      ]),
    ],
  ),
  speedTable(
    /^weight-formats/,
    (file) => `Formats of the weights, one thread${onProcessor(file)}`,
    ({ results }: Formats) =>
      results.map(({ format, read, passes }) => [
        format,
        `reads ${read.toFixed(0)} tokens per second of processor time; a pass over ${passes.map(({ sequences, ms }) => `${sequences} sequences ${ms.toFixed(1)} ms`).join(', ')}`,
      ]),
  ),
  speedTable(
    /^look-up/,
    (file) => `Look-up decoding: what it could gain${onProcessor(file)}`,
    ({ answers, rows }: LookUp) =>
      [false, true].map((isOracle) => {
        const best = rows
          .filter((row) => row.isOracle === isOracle)
          .reduce((a, b) => (b.speedUp > a.speedUp ? b : a))
        const { least, guesses, tokensPerPass, speedUp } = best
        return [
          `the last layer of ${answers} answers, ${isOracle ? 'if an oracle said how many guesses are right' : `the best rule: ${least} equal tokens, then`} at most ${guesses} guesses`,
          `${tokensPerPass.toFixed(2)} tokens per pass, ${speedUp.toFixed(2)} × the speed without`,
        ]
      }),
  ),
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
