/** How README writes numbers and tables. */
import type { Interval } from '../../src/lib/statistics.ts'

export const percent = (share: number) => (100 * share).toFixed(1)

export const range = ({ low, high }: Interval, digits = (x: number) => x.toFixed(2)) =>
  `${digits(low)} to ${digits(high)}`

export function draw(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
