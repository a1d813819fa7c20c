/** What every bench shares: medians with their spread, one printed table, raw output under bench/results/. */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

export interface Spread {
  median: number
  min: number
  max: number
}

export function spreadOf(values: number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length / 2
  const median = ((sorted[Math.floor(half - 0.5)] ?? 0) + (sorted[Math.floor(half)] ?? 0)) / 2
  return { median, min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN }
}

/** `median [min, max]` with `digits` places. */
export function showSpread(values: number[], digits = 2): string {
  const { median, min, max } = spreadOf(values)
  if (values.length === 1) return median.toFixed(digits)
  return `${median.toFixed(digits)} [${min.toFixed(digits)}, ${max.toFixed(digits)}]`
}

/** Prints a Markdown table, first column left, the others right aligned. */
export function printTable(head: string[], rows: (string | number)[][]): void {
  const all = [head, ...rows.map((row) => row.map(String))]
  const widths = head.map((_, i) => Math.max(...all.map((row) => (row[i] ?? '').length)))
  const line = (row: string[]) =>
    `| ${row.map((c, i) => (i === 0 ? c.padEnd(widths[i] as number) : c.padStart(widths[i] as number))).join(' | ')} |`
  const rule = `| ${widths.map((w, i) => (i === 0 ? '-'.repeat(w) : `${'-'.repeat(w - 1)}:`)).join(' | ')} |`
  console.log([line(head), rule, ...all.slice(1).map(line)].join('\n'))
}

/** The widest instructions that this processor has for numbers, as a name of a result has them: `amx`, `avx512`, `avx2` or `other`. */
export function widestInstructions(): string {
  const file = '/proc/cpuinfo'
  const flags = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : ''
  const kinds = { amx_tile: 'amx', avx512f: 'avx512', avx2: 'avx2' }
  return Object.entries(kinds).find(([flag]) => flags.includes(` ${flag} `))?.[1] ?? 'other'
}

/** Writes a bench's raw output, with what it ran on. */
export function saveResults(name: string, command: string, data: unknown): void {
  const folder = path.join(import.meta.dirname, 'results')
  fs.mkdirSync(folder, { recursive: true })
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).trim()
  const machine = {
    cpu: os.cpus()[0]?.model,
    instructions: widestInstructions(),
    cores: os.cpus().length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    node: process.version,
    commit: git('rev-parse', '--short', 'HEAD'),
    loadBefore: os.loadavg()[0],
  }
  const file = path.join(folder, `${name}.json`)
  fs.writeFileSync(
    file,
    `${JSON.stringify({ command, date: new Date().toISOString(), machine, ...(data as object) }, null, 2)}\n`,
  )
  console.log(`\nraw output: ${path.relative(process.cwd(), file)}`)
}
