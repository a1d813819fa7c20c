/**
 * How cost grows with the work: CPU time, peak memory and bytes written of `aft run`, resuming it, `data build`,
 * `eval` and `report` for more and more prompts, and of `aft run` for more width, depth and context. The exponent is
 * the slope of a line through the logarithms of work and cost; 1 means that twice the work costs twice as much. What a
 * command takes for nothing (its start) is subtracted from CPU time first.
 *
 *   npm run bench -- growth                  prompts up to 20,000
 *   npm run bench -- growth --scale 0.1      a tenth of all sizes
 */
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { runMeasured, startProgram } from './processes.ts'
import { printTable, saveResults } from './table.ts'

const { values: flags } = parseArgs({
  options: { scale: { type: 'string', default: '1' }, only: { type: 'string' } },
})
const scale = Number(flags.scale)
const folder = mkdtempSync(path.join(tmpdir(), 'aft-growth-'))
const at = (name: string) => path.join(folder, name)

interface Point {
  /** How much work: prompts, completions or characters of context. */
  work: number
  cpuMs: number
  peakBytes: number
  /** Written by the command. */
  bytes: number
}

interface Curve {
  what: string
  unit: string
  points: Point[]
}

/** Runs a command of `aft` in a process of its own and reads what it took. */
async function measure(work: number, args: string[], written: string[]): Promise<Point> {
  const { cpuMs, peakBytes } = await runMeasured(args)
  return { work, cpuMs, peakBytes, bytes: written.reduce((sum, file) => sum + sizeOf(at(file)), 0) }
}

/** Bytes of a file, or of all files in a folder. */
function sizeOf(place: string): number {
  const found = statSync(place, { throwIfNoEntry: false })
  if (!found?.isDirectory()) return found?.size ?? 0
  return readdirSync(place).reduce((sum, name) => sum + sizeOf(path.join(place, name)), 0)
}

function writePrompts(count: number, characters = 320): string {
  const file = at(`prompts-${count}-${characters}.jsonl`)
  const text = 'Explain in a few sentences how this works, and what follows from it in practice. '
  const long = text.repeat(Math.ceil(characters / text.length)).slice(0, characters)
  const rows = Array.from({ length: count }, (_, i) => `${JSON.stringify({ prompt: `${i}: ${long}` })}\n`)
  writeFileSync(file, rows.join(''))
  return file
}

const server = await startProgram(['bench/instant-server.ts'])
const prompts = [200, 2_000, 20_000].map((count) => Math.max(20, Math.round(count * scale)))

interface Shape {
  width?: number
  depth?: number
  characters?: number
}

/** `aft run` of `count` prompts, to files that begin with `name`. */
function run(work: number, count: number, name: string, { width = 5, depth = 2, characters }: Shape = {}) {
  const shape = ['--width', String(width), '--depth', String(depth)]
  const args = ['run', writePrompts(count, characters), '-o', at(name), '--model', server.line]
  const files = [name, `${name}.journal`]
  return measure(work, [...args, ...shape, '--concurrency', '64', '--no-progress'], files)
}

/** Measures the sizes one after another. Each starts from a file of its own. */
async function curve(what: string, unit: string, sizes: number[], measureOne: (n: number) => Promise<Point>) {
  const points: Point[] = []
  for (const size of sizes) points.push(await measureOne(size))
  return { what, unit, points }
}

const jobs: Record<string, () => Promise<Curve[]>> = {
  async run() {
    const first = await curve('run', 'prompts', prompts, (n) => run(n, n, `run-${n}`))
    const again = await curve('resume a whole run', 'prompts', prompts, (n) => run(n, n, `run-${n}`))
    return [first, again]
  },
  async build() {
    const sizes = prompts.map((count) => count * 3)
    const build = (n: number) => {
      const made = ['--format', 'puzzles', '--problems', String(n)]
      return measure(n, ['data', 'build', ...made, '-o', at(`built-${n}`)], [`built-${n}`])
    }
    return [await curve('data build', 'rows', sizes, build)]
  },
  async eval() {
    const sizes = prompts.slice(0, 2)
    const evaluate = (n: number) => {
      const rows = Array.from({ length: n }, (_, i) =>
        JSON.stringify({
          id: `q${i}`,
          messages: [{ role: 'user', content: `Say ${i}.` }],
          target: `(1) ${i}`,
        }),
      )
      writeFileSync(at(`questions-${n}.jsonl`), `${rows.join('\n')}\n`)
      const args = ['eval', 'puzzles', at(`questions-${n}.jsonl`), '--model', server.line]
      return measure(n, [...args, '-o', at(`eval-${n}`), '--no-progress'], [`eval-${n}`])
    }
    const evaluated = await curve('eval', 'questions', sizes, evaluate)
    const report = (n: number) =>
      measure(n, ['report', at(`eval-${n}`), '-o', at(`report-${n}.html`)], [`report-${n}.html`])
    return [evaluated, await curve('report', 'questions', sizes, report)]
  },
  async shape() {
    const count = Math.max(20, Math.round(500 * scale))
    const completions = (width: number, depth: number) => count * (width * depth + 1)
    const width = await curve('run, width 1 to 32', 'completions', [1, 2, 4, 8, 16, 32], (n) =>
      run(completions(n, 1), count, `width-${n}`, { width: n, depth: 1 }),
    )
    const depth = await curve('run, depth 1 to 4', 'completions', [1, 2, 3, 4], (n) =>
      run(completions(5, n), count, `depth-${n}`, { depth: n }),
    )
    const context = await curve('run, context', 'characters', [4_000, 16_000, 64_000], (n) =>
      run(n * count, count, `context-${n}`, { characters: n, width: 3, depth: 1 }),
    )
    return [width, depth, context]
  },
}

/** The slope of the least-squares line through the logarithms. */
function exponentOf(points: Point[], cost: (point: Point) => number): number {
  const logs = points.map((point) => [Math.log(point.work), Math.log(Math.max(1, cost(point)))] as const)
  const mean = (at: 0 | 1) => logs.reduce((sum, log) => sum + log[at], 0) / logs.length
  const [x, y] = [mean(0), mean(1)]
  const slope = logs.reduce((sum, log) => sum + (log[0] - x) * (log[1] - y), 0)
  return slope / logs.reduce((sum, log) => sum + (log[0] - x) ** 2, 0)
}

const curves: Curve[] = []
let startMs = 0
try {
  // The second is measured: the first fills the compile cache.
  for (let i = 0; i < 2; i++) startMs = (await run(1, 1, `start-${i}`)).cpuMs
  for (const [name, job] of Object.entries(jobs))
    if (!flags.only || flags.only === name) curves.push(...(await job()))
} finally {
  server.close()
  rmSync(folder, { recursive: true, force: true })
}

const rows = curves.map(({ what, unit, points }) => {
  const range = [points[0], points.at(-1)].map((point) => point?.work.toLocaleString('en-US'))
  const spread = (cost: (point: Point) => number, digits = 0) =>
    points.map((point) => cost(point).toFixed(digits)).join(', ')
  const cpu = ({ cpuMs }: Point) => Math.max(1, cpuMs - startMs)
  return {
    what,
    unit,
    points,
    exponents: {
      cpu: exponentOf(points, cpu),
      memory: exponentOf(points, ({ peakBytes }) => peakBytes),
      bytes: exponentOf(points, ({ bytes }) => bytes),
    },
    cells: [
      what,
      `${range[0]} to ${range[1]} ${unit}`,
      spread((point) => cpu(point) / 1000, 2),
      spread((point) => point.peakBytes / 1e6),
      spread((point) => point.bytes / 1e6, 1),
    ],
  }
})
printTable(
  ['', 'work', 'CPU s', 'exponent', 'peak MB', 'exponent', 'MB written', 'exponent'],
  rows.map(({ cells: [what, work, cpu, peak, bytes], exponents }) => [
    what as string,
    work as string,
    cpu as string,
    exponents.cpu.toFixed(2),
    peak as string,
    exponents.memory.toFixed(2),
    bytes as string,
    exponents.bytes.toFixed(2),
  ]),
)
const command = `npm run bench -- growth${scale === 1 ? '' : ` --scale ${flags.scale}`}`
const curvesOut = rows.map(({ what, unit, points, exponents }) => ({ what, unit, points, exponents }))
saveResults('growth', command, { startMs, curves: curvesOut })
