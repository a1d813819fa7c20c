/** What the tables of speeds share. */
import { type Spread, spreadOf } from '../table.ts'
import { draw } from './text.ts'

export interface Saved {
  command: string
  date: string
  machine: { cpu?: string; cores: number; commit: string; loadBefore: number }
}
export interface SpeedTable {
  /** Of the names of the result's files. */
  pattern: RegExp
  title(file: string): string
  draw(saved: unknown): string
}

/** A table of what was measured and what came out. */
export function speedTable<T extends Saved>(
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

export const median = (values: number[]) => spreadOf(values).median
export const times = ({ median, min, max }: Spread) =>
  `${median.toFixed(2)} × (${min.toFixed(2)} to ${max.toFixed(2)})`
