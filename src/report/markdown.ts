/** Writes the figures of results as one table in Markdown, for the card of a model. */
import type { Results } from '../files/result-kinds.ts'
import { linesOf } from './csv.ts'

/** The table: a line per number, with its 95 % interval if it is known. */
export function toMarkdown(results: Results[]): string {
  const lines = results.flatMap(linesOf).map(({ task, model, row, metric, mean, low, high, n }) => {
    const interval = low == null || high == null ? '' : ` (${round(low)} to ${round(high)})`
    return [task, model ?? '', row, metric, `${round(mean)}${interval}`, n ?? ''].map(escapeCell)
  })
  const head = ['task', 'model', 'how', 'metric', 'value (95 % interval)', 'n']
  return `${[head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`
}

const round = (value: unknown) =>
  typeof value === 'number' ? String(Number(value.toFixed(3))) : String(value ?? '')
const escapeCell = (value: unknown) => String(value).replaceAll('|', '\\|').replace(/\s+/g, ' ')
