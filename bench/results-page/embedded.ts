/** The tables of the embedded engine: a file of results for each kind of processor. */
import { type Spread, spreadOf } from '../table.ts'
import { median, type Saved, speedTable, times } from './speed-table.ts'
import { percent } from './text.ts'

interface Run {
  seconds: number
  outputTokens: number
}
interface Embedded extends Saved {
  settings: { count: number; file: string; peerFile: string }
  ratio: Record<'wallToPublished' | 'wallToN' | 'wallToOwnLimit' | 'prefilledToDistinct', Spread>
  raw: { own: Run[]; published: Run[]; withN: Run[] }
}
interface Limits extends Saved {
  kinds: { length: number; type: string; flash: boolean; runs: { read: number; write: number }[] }[]
  checks: { length: number; ms: Record<string, number[]> }[]
}
interface Formats extends Saved {
  results: { format: string; read: number; passes: { sequences: number; ms: number }[] }[]
}
interface Profile extends Saved {
  phases: {
    name: string
    ms: number
    kinds: Record<'weights' | 'attention', number>
    functions: { name: string; share: number }[]
  }[]
}
interface LookUp extends Saved {
  answers: number
  rows: { isOracle: boolean; least: number; guesses: number; tokensPerPass: number; speedUp: number }[]
}
interface TwoPrompts extends Saved {
  ratio: Spread
  rows: { after: number; atOnce: number }[]
}
const seconds = (runs: Run[]) => `${spreadOf(runs.map((run) => run.seconds)).median.toFixed(1)} s`

const processors: Record<string, string> = { avx2: 'AVX2', avx512: 'AVX-512', amx: 'AVX-512 and AMX' }

/** The function's own name: `tinyBLAS_Q0_AVX::gemm4xN<2>`. */
const shorten = (name: string) => name.replace('(anonymous namespace)::', '').replace(/<[^<>]*>(?=::)/g, '')

/** Names the processor of a result, if its file does: `look-up-avx2.json`. */
function onProcessor(file: string): string {
  const kind = processors[/-(\w+)\.json$/.exec(file)?.[1] ?? '']
  return kind ? `, with ${kind}` : ''
}

export const embeddedTables = [
  speedTable(
    /^embedded-(one|\d)/,
    (file) =>
      `The embedded engine: ${file.includes('one') ? 'one question' : '16 prompts'}${file.includes('published') ? ', llama-server with the published file' : ''}${onProcessor(file)}`,
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
    /^two-prompts/,
    (file) => `The embedded engine: two prompts at once${onProcessor(file)}`,
    ({ ratio, rows }: TwoPrompts) => [
      [
        'two prompts, 5 × 2, one after the other',
        `${spreadOf(rows.map(({ after }) => after)).median.toFixed(1)} s`,
      ],
      ['at once', `${spreadOf(rows.map(({ atOnce }) => atOnce)).median.toFixed(1)} s`],
      ['time per token at once, as a share of it', times(ratio)],
    ],
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
  speedTable(
    /^decode-profile/,
    (file) => `Where the library's time goes, one thread${onProcessor(file)}`,
    ({ phases }: Profile) =>
      phases.map(({ name, ms, kinds, functions }) => [
        name,
        `${ms.toFixed(0)} ms of processor time; weights ${percent(kinds.weights)} %, attention ${percent(kinds.attention)} %; most in ${functions
          .slice(0, 2)
          .map((f) => `\`${shorten(f.name)}\` (${percent(f.share)} %)`)
          .join(' and ')}`,
      ]),
  ),
]
