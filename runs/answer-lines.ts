/** What the tables of `runs/routes*.sh` share: answers as JSON lines, packed in bench/results, and how they are shown. */
import { readFileSync } from 'node:fs'
import { gunzipSync, gzipSync } from 'node:zlib'
import { checkNumberedLines } from '../src/files/numbered-lines.ts'
import type { Interval } from '../src/lib/statistics.ts'

export function parseLines<T>(text: string): T[] {
  const lines = text.split('\n').filter(Boolean)
  return lines.map((line) => JSON.parse(line))
}

export const readPacked = <T>(file: string): T[] => parseLines(gunzipSync(readFileSync(file)).toString())

export function packLines(lines: object[]): Buffer {
  return gzipSync(lines.map((line) => `${JSON.stringify(line)}\n`).join(''), { level: 9 })
}

/** 1 if all numbered lines are right, else 0. */
export const isRight = (text: string, target: string) =>
  Number(checkNumberedLines(text, target).every(Boolean))

export const percent = (share: number) => (100 * share).toFixed(1)
export const showInterval = ({ low, high }: Interval) => `[${percent(low)}, ${percent(high)}]`
