/** How the results page writes numbers and tables, and what stands at its top. */
import type { Interval } from '../../src/lib/statistics.ts'

export const percent = (share: number) => (100 * share).toFixed(1)

export const range = ({ low, high }: Interval, digits = (x: number) => x.toFixed(2)) =>
  `${digits(low)} to ${digits(high)}`

export function draw(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

export const intro = `# Results

\`node bench/results-page.ts\` writes this page from the raw output in \`bench/results/\`. Do not edit it by hand.

- The machine is a shared virtual one with two cores and no GPU. Nothing here cost money.
- Speed figures are medians, with the least and the most in brackets. Each bench runs its peer in the same run, with the
  same model file, threads and token limits.
- *Load* is the load average before the run. Ratios say more than seconds when it is high.
- Scores have 95 % intervals in brackets. *p* is a paired test against one answer.
- *N × D* is width N and depth D. *Calls* are requests; *input*, *prefilled* and *output* are tokens per question: all prompt
  tokens, those that were read (samples share a prompt), and those that were written. *Chars* is the length of the answer.
- The trained aggregator of the evaluations is an adapter as \`runs/cpu.sh\` makes it: 60 steps on made problems of arithmetic. Each
  machine trained its own, so the one of GSM8K's second table is not the file of the others.
- SmolLM2-135M is small enough for these machines, and too small to be a good aggregator. LOG.md has the failures too.

`
