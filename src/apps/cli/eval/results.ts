/** Writes the results of an evaluation: JSON for programs, CSV for tables, lines for a person. */
import path from 'node:path'
import type { ControlRow, ControlTable } from '../../../eval/control-table.ts'
import { writeWhole } from '../../../lib/write-whole.ts'
import type { Origin } from '../origin.ts'

/** The content of `result.json`: the numbers, and how they were made. */
export interface ControlResult extends ControlTable, Origin {
  task: string
  metrics: string[]
  file: string
  /** Number of questions asked. `n` counts those that every control answered. */
  asked: number
  n: number
  failed: number
  left_out: Record<string, number>
  model: string
  aggregator: string
  judge: string
  trained?: string
  settings: Record<string, unknown>
  template: { id: string; sha256: string }
  /** Duration of the last run. */
  seconds: number
}

/** Writes `result.json`, `table.csv` and `questions.jsonl` (texts and scores of each question). */
export function writeControls(folder: string, result: ControlResult): void {
  const { questions, ...summary } = result
  writeWhole(path.join(folder, 'questions.jsonl'), questions.map((q) => `${JSON.stringify(q)}\n`).join(''))
  writeWhole(path.join(folder, 'table.csv'), toCsv(result))
  writeWhole(path.join(folder, 'result.json'), `${JSON.stringify(summary, null, 2)}\n`)
}

function toCsv({ rows, metrics }: ControlResult): string {
  const costs = [
    ...(['n', 'completions', 'calls', 'input_tokens', 'prefilled_tokens', 'output_tokens'] as const),
    ...(['seconds', 'cost', 'mean_length_chars', 'degraded'] as const),
  ]
  const head = [
    'control',
    ...metrics.flatMap((m) => [m, `${m}_low`, `${m}_high`]),
    ...costs,
    'difference_to_single',
    'p',
    'p_corrected',
  ]
  const lines = rows.map((row) => [
    row.control,
    ...metrics.flatMap((m): (string | number)[] => {
      const score = row.scores[m]
      return score ? [score.mean, score.interval.low, score.interval.high] : ['', '', '']
    }),
    ...costs.map((name) => row[name] ?? ''),
    row.against_single?.difference ?? '',
    row.against_single?.p ?? '',
    row.p_corrected ?? '',
  ])
  return `${[head, ...lines].map((line) => line.join(',')).join('\n')}\n`
}

const percent = (share: number) => (100 * share).toFixed(1)

/** Writes the table, and what aggregation changed, in lines. */
export function describeControls(result: ControlResult): string {
  const { metrics, rows, changes, n, asked, failed } = result
  const head = [
    'control',
    ...metrics.map((m) => `${m} %`),
    'p',
    'Holm',
    'calls',
    'input',
    'prefilled',
    'output',
    's',
    '$',
    'chars',
  ]
  const lines = rows.map((row) => [row.title, ...metrics.map((m) => showScore(row, m)), ...costsOf(row)])
  const told = changes.map(
    (c) =>
      `${c.control}: rescued ${c.rescued} of ${c.all_wrong} with all proposals wrong, broke ${c.broke} of ${c.all_right} ` +
      `with all right, kept ${c.kept} and lost ${c.lost} of the others; copies ${percent(c.copy_rate)} % of its 4-grams; ` +
      `nearest proposal by place: ${c.position.map(percent).join(' ')} %`,
  )
  const seeds = Number(result.settings.seeds) > 1 ? ` x ${result.settings.seeds} seeds` : ''
  const less = failed > 0 || n < asked ? ` of ${asked} asked` : ''
  return [
    `${result.task}: ${n} questions${less}${seeds}, ${result.model}; means per question, 95 % intervals, p against one answer (${rows.filter((row) => row.against_single).length} tests; Holm: corrected for them)`,
    drawTable(head, lines),
    ...told,
    ...(changes.length > 0 ? [describeProposals(result)] : []),
    ...Object.entries(result.left_out).map(([why, count]) => `left out: ${count} (${why})`),
  ].join('\n')
}

function describeProposals({ agreement, judge_position: places }: ControlResult): string {
  const judge = places ? `; the judge picks by place: ${places.map(percent).join(' ')} %` : ''
  return `proposals agree ${percent(agreement)} %${judge}`
}

function showScore(row: ControlRow, metric: string): string {
  const score = row.scores[metric]
  return score
    ? `${percent(score.mean)} [${percent(score.interval.low)}, ${percent(score.interval.high)}]`
    : ''
}

function costsOf(row: ControlRow): string[] {
  const whole = (value: number | null) => (value === null ? '?' : value.toFixed(0))
  return [
    row.against_single ? row.against_single.p.toFixed(3) : '',
    row.p_corrected === null ? '' : row.p_corrected.toFixed(3),
    row.calls.toFixed(1),
    ...[row.input_tokens, row.prefilled_tokens, row.output_tokens].map(whole),
    row.seconds.toFixed(1),
    row.cost === null ? '0' : row.cost.toFixed(4),
    whole(row.mean_length_chars),
  ]
}

/** Draws a table. The first column is aligned left, the others right. */
export function drawTable(head: string[], rows: string[][]): string {
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => (row[i] ?? '').length)))
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join('  '),
    )
    .join('\n')
}
