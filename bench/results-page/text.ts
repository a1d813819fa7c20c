/** How the results page writes numbers and tables, and what stands at its top. */
import type { Interval } from '../../src/lib/statistics.ts'

export const percent = (share: number) => (100 * share).toFixed(1)

export const range = ({ low, high }: Interval, digits = (x: number) => x.toFixed(2)) =>
  `${digits(low)} to ${digits(high)}`

/** `34.0 (30.1 to 38.0)`, in percent; nothing if there is no such figure. */
export const showShare = (mean: number | undefined, interval: Interval | undefined) =>
  mean === undefined || !interval ? '' : `${percent(mean)} (${range(interval, percent)})`

export function draw(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

export const intro = `# Results

\`node bench/results-page.ts\` writes this page from the raw output in \`bench/results/\`. Do not edit it by hand.

- All figures are from virtual machines with two cores and no GPU, which other work used too. Nothing cost money.
- Figures of speed are medians, with the lowest and the highest in brackets. The program that \`aft\` is compared with ran right
  before or after, with the same model file, threads and token limits.
- *Load* is the load average before the run. If it is high, trust the ratios more than the seconds.
- Scores have 95 % intervals in brackets. *p* is a paired test against one answer. It is not corrected for the number of tests,
  so one p near 0.03 among so many means little.
- *N × D* is width N and depth D. *Calls* are requests per question, *s* seconds per question, *chars* the length of the answer.
- *Input* is all prompt tokens per question, *prefilled* those that were really read (samples share a prompt), *output* those
  that were written.
- *Flexible* takes the last number of an answer, *strict* only a number in GSM8K's own form. IFEval's *loose* forgives, for
  example, a line before the answer that *strict* does not; *prompt* counts prompts with every instruction followed,
  *instruction* counts instructions.
- *Best of n, by right answer* is the oracle: right if any proposal is right.
- *Rescued*: all proposals are wrong and the answer is right. *Broke*: all are right and the answer is wrong. If only some are
  right, a right answer is *kept* and a wrong one *lost*.
- The trained aggregator of the evaluations is made as \`runs/cpu.sh\` does it: a LoRA adapter, 60 steps on made-up arithmetic. It was
  trained twice, on two machines. The second adapter is only in the table of GSM8K with 4 × 1.
- The model is SmolLM2-135M (\`smollm2\`), because it is small enough for these machines. It is too small to be a good aggregator.
- [LOG.md](../LOG.md) has what was tried and did not work.

`
