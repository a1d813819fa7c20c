/** One HTML file that opens offline: sections with a chart and its table, light and dark, fit to print. */

export interface ReportSection {
  title: string
  /** A sentence or two; plain text. */
  text?: string
  /** From `drawChart`. */
  chart?: string
  table?: { head: string[]; rows: (string | number)[][] }
  /** Takes the whole width of the page. */
  isWide?: boolean
  /** Longer texts, each behind a line that opens it. */
  details?: { summary: string; parts: { label: string; text: string }[] }[]
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1d2329; --soft: #5b6671; --paper: #fff; --line: #dfe3e8; --card: #f7f8fa }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ec; --soft: #9aa5b1; --paper: #14181c; --line: #2c333b; --card: #1b2026 } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 64rem; padding: 2.5rem 1.25rem 4rem; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif }
h1 { font-size: 1.75rem; margin: 0 0 .25rem; line-height: 1.2 } h2 { font-size: 1.1rem; margin: 0 0 .35rem }
p { margin: 0 0 .75rem; max-width: 46rem } .lead { color: var(--soft) }
main { display: grid; gap: 1.25rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); margin-top: 1.75rem; align-items: start }
section { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1.1rem 1.2rem; min-width: 0; break-inside: avoid }
section p { color: var(--soft); font-size: .9rem } svg { max-width: 100%; height: auto; display: block }
details { margin-top: .75rem; font-size: .85rem } summary { cursor: pointer; color: var(--soft) }
h3 { font-size: .8rem; margin: .8rem 0 .2rem; color: var(--soft) }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; font: .85rem/1.45 ui-monospace, monospace; border-left: 2px solid var(--line); padding-left: .7rem }
details.text { border-top: 1px solid var(--line); padding-top: .5rem }
.wide { overflow-x: auto } table { border-collapse: collapse; font-size: .85rem; width: 100% }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; vertical-align: top }
td:first-child, th:first-child { min-width: 7rem } section.whole { grid-column: 1 / -1 }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
@media print { details::details-content { content-visibility: visible; block-size: auto } body { max-width: none; padding: 0 } details > * { display: block } section { border-color: #ccc; background: none } }
`

/** Text as it may stand in HTML, in a quoted attribute too. */
export function escapeHtml(text: string): string {
  const names: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  }
  return text.replace(/[&<>"']/g, (character) => names[character] as string)
}

/** The page. Nothing in it is loaded from elsewhere, and no script runs. */
export function renderReportPage(title: string, lead: string, sections: ReportSection[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
<p class="lead">${escapeHtml(lead)}</p>
<main>
${sections.map(renderSection).join('\n')}
</main>
</body>
</html>
`
}

function renderSection({ title, text, chart, table, details, isWide }: ReportSection): string {
  const parts = [`<h2>${escapeHtml(title)}</h2>`]
  if (text) parts.push(`<p>${escapeHtml(text)}</p>`)
  if (chart) parts.push(chart)
  if (table) {
    parts.push(
      chart ? `<details><summary>as a table</summary>${renderTable(table)}</details>` : renderTable(table),
    )
  }
  parts.push(...(details ?? []).map(renderDetails))
  return `<section${isWide ? ' class="whole"' : ''}>${parts.join('\n')}</section>`
}

function renderDetails({ summary, parts }: NonNullable<ReportSection['details']>[number]): string {
  const texts = parts.map(({ label, text }) => `<h3>${escapeHtml(label)}</h3><pre>${escapeHtml(text)}</pre>`)
  return `<details class="text"><summary>${escapeHtml(summary)}</summary>${texts.join('')}</details>`
}

function renderTable({ head, rows }: NonNullable<ReportSection['table']>): string {
  const cell = (tag: string, value: string | number, isNumber: boolean) =>
    `<${tag}${isNumber ? ' class="number"' : ''}>${escapeHtml(typeof value === 'number' ? value.toLocaleString('en') : value)}</${tag}>`
  const isNumber = head.map((_, i) => rows.length > 0 && rows.every((row) => typeof row[i] === 'number'))
  const line = (tag: string, cells: (string | number)[]) =>
    `<tr>${cells.map((value, i) => cell(tag, value, isNumber[i] ?? false)).join('')}</tr>`
  return `<div class="wide"><table><thead>${line('th', head)}</thead><tbody>${rows.map((row) => line('td', row)).join('')}</tbody></table></div>`
}
