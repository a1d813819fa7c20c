/** Writes the tables of a report as LaTeX, to be copied into a paper. They need the package booktabs. */
import type { ReportHeading, ReportSection, ReportTable } from './page.ts'

/** Writes each table of the sections as a `table` of its own, with its title as the caption. */
export function toLatex(parts: (ReportSection | ReportHeading)[]): string {
  const blocks: string[] = []
  for (const part of parts) {
    if ('heading' in part) blocks.push(`% ${part.heading.replace(/\s+/g, ' ')}`)
    else blocks.push(...tablesOf(part))
  }
  return `% \\usepackage{booktabs}\n\n${blocks.join('\n\n')}\n`
}

function tablesOf({ title, table, folds = [] }: ReportSection): string[] {
  const folded = folds.map((fold) => renderTable(`${title}: ${fold.summary}`, fold.table))
  return table ? [renderTable(title, table), ...folded] : folded
}

function renderTable(caption: string, { head, rows }: ReportTable): string {
  const isNumber = head.map((_, i) => i > 0 && rows.length > 0 && rows.every((row) => looksNumeric(row[i])))
  const line = (cells: (string | number)[]) =>
    `${head.map((_, i) => escapeLatex(show(cells[i]))).join(' & ')} \\\\`
  return [
    '\\begin{table}',
    '\\centering',
    `\\caption{${escapeLatex(caption)}}`,
    `\\begin{tabular}{${isNumber.map((number) => (number ? 'r' : 'l')).join('')}}`,
    '\\toprule',
    line(head),
    '\\midrule',
    ...rows.map(line),
    '\\bottomrule',
    '\\end{tabular}',
    '\\end{table}',
  ].join('\n')
}

const looksNumeric = (value: string | number = '') =>
  typeof value === 'number' || /^([-+<]?\s?[\d.,]+(\s?%)?( \([^)]*\))?)?$/.test(value)

function show(value: string | number = ''): string {
  if (typeof value === 'string') return value
  return Number.isFinite(value) ? value.toLocaleString('en') : ''
}

const SPECIAL: Record<string, string> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '<': '\\textless{}',
  '>': '\\textgreater{}',
  '±': '$\\pm$',
  '−': '$-$',
  '×': '$\\times$',
  '≤': '$\\leq$',
  '≥': '$\\geq$',
  '→': '$\\rightarrow$',
}

/** Escapes text for LaTeX. Line breaks become spaces. */
export function escapeLatex(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/[\\~^<>±−×≤≥→&%$#_{}]/g, (found) => SPECIAL[found] ?? `\\${found}`)
}
