/** Renders one HTML file that opens offline: sections with charts and tables, light and dark, ready to print. */

/** A table. NaN and infinite numbers become empty cells. */
export interface ReportTable {
  head: string[]
  rows: (string | number)[][]
}

/** One card of the page. */
export interface ReportSection {
  title: string
  /** A sentence or two; plain text. */
  text?: string
  /** From `drawChart`. */
  chart?: string
  table?: ReportTable
  /** Statements, grouped by their subject. */
  statements?: { about: string; texts: string[] }[]
  /** More tables, each under a line that unfolds it. */
  folds?: { summary: string; table: ReportTable }[]
  /** Takes the whole width of the page. */
  isWide?: boolean
  /** Longer texts, each under a line that unfolds it. */
  details?: { summary: string; isOpen?: boolean; parts: { label: string; text: string }[] }[]
}

/** A heading for the sections that follow, up to the next heading. */
export interface ReportHeading {
  heading: string
  /** Paragraphs; plain text. */
  paragraphs?: string[]
}

/** One typeface for the page, its charts and the files of figures: it is on every system and in every PDF. */
export const FONT = "Helvetica, Arial, 'Liberation Sans', sans-serif"

const STYLE = `
:root { color-scheme: light dark; --ink: #1d2329; --soft: #5b6671; --paper: #fff; --line: #dfe3e8; --card: #f7f8fa }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ec; --soft: #9aa5b1; --paper: #14181c; --line: #2c333b; --card: #1b2026 } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 64rem; padding: 2.5rem 1.25rem 4rem; background: var(--paper); color: var(--ink); font: 16px/1.5 ${FONT} }
h1 { font-size: 1.75rem; margin: 0 0 .25rem; line-height: 1.2 } header h2 { font-size: 1.3rem; margin: 1.25rem 0 .25rem; line-height: 1.25 } section > :is(h2, h3) { font-size: 1.1rem; margin: 0 0 .35rem }
p { margin: 0 0 .75rem; max-width: 38rem } .lead, header p { color: var(--soft) } header p:last-child { margin-bottom: 0 } h1, h2, h3, p { overflow-wrap: anywhere }
main { display: grid; gap: 1.25rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); margin-top: 1.75rem; align-items: start }
section { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1.1rem 1.2rem; min-width: 0 }
section p { color: var(--soft); font-size: .9rem } svg { max-width: 100%; height: auto; display: block }
dl { margin: 0 } dt { margin-top: .7rem; font-weight: 600 } dt:first-child { margin-top: 0 } dd { margin: .15rem 0 0 }
details { margin-top: .75rem; font-size: .85rem } summary { cursor: pointer; color: var(--soft) } summary, section { overflow-wrap: anywhere }
details :is(h3, h4) { font-size: .8rem; margin: .8rem 0 .2rem; color: var(--soft) }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; font: .85rem/1.45 ui-monospace, monospace; border-left: 2px solid var(--line); padding-left: .7rem }
details.text { border-top: 1px solid var(--line); padding-top: .5rem }
.wide { overflow-x: auto } table { border-collapse: collapse; font-size: .85rem; width: 100% }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); overflow-wrap: break-word; vertical-align: top }
td:last-child:nth-child(2) { overflow-wrap: anywhere } td:first-child, th:first-child { min-width: 7rem } .whole { grid-column: 1 / -1 }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums } td.number { white-space: nowrap }
@media (max-width: 30rem) { body { padding: 1.5rem .75rem 3rem } section { padding: .9rem .8rem } .whole .wide svg { max-width: none; width: 38rem } }
@media screen and (prefers-color-scheme: dark) { main svg { filter: brightness(1.35) } }
@media print {
  :root { color-scheme: light; --ink: #000; --soft: #444; --paper: #fff; --line: #ccc; --card: #fff }
  body { max-width: none; padding: 0; font-size: 11pt } main { display: block } section { margin: 0 0 .8rem; padding: .6rem .8rem }
  svg, tr, h3, summary { break-inside: avoid } header, h2, h3, summary { break-after: avoid } thead { display: table-header-group } .wide { overflow: visible }
  details:not(.text)::details-content { content-visibility: visible; block-size: auto } details:not(.text) > * { display: block }
}
`

/** Escapes text for HTML, also for quoted attributes. */
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

/** Renders the page. It loads nothing from elsewhere and runs no script. */
export function renderReportPage(
  title: string,
  lead: string,
  parts: (ReportSection | ReportHeading)[],
): string {
  const level = parts.some((part) => 'heading' in part) ? 3 : 2
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
${parts.map((part) => ('heading' in part ? renderHeading(part) : renderSection(part, level))).join('\n')}
</main>
</body>
</html>
`
}

function renderHeading({ heading, paragraphs = [] }: ReportHeading): string {
  const texts = paragraphs.map((text) => `<p>${escapeHtml(text)}</p>`)
  return `<header class="whole"><h2>${escapeHtml(heading)}</h2>${texts.join('')}</header>`
}

function renderSection(section: ReportSection, level: number): string {
  const { title, text, chart, table, statements = [], folds = [], details = [], isWide } = section
  const parts = [`<h${level}>${escapeHtml(title)}</h${level}>`]
  if (text) parts.push(`<p>${escapeHtml(text)}</p>`)
  if (statements.length > 0) parts.push(renderStatements(statements))
  if (chart) parts.push(`<div class="wide">${chart}</div>`)
  if (table) parts.push(chart ? renderFold('as a table', table) : renderTable(table))
  parts.push(...folds.map((fold) => renderFold(fold.summary, fold.table)))
  parts.push(...details.map((one) => renderDetails(one, level + 1)))
  return `<section${isWide ? ' class="whole"' : ''}>${parts.join('\n')}</section>`
}

function renderStatements(statements: NonNullable<ReportSection['statements']>): string {
  const lines = statements.map(
    ({ about, texts }) =>
      `<dt>${escapeHtml(about)}</dt>${texts.map((text) => `<dd>${escapeHtml(text).replace(/(\d) %/g, '$1\u00a0%')}</dd>`).join('')}`,
  )
  return `<dl>${lines.join('')}</dl>`
}

function renderFold(summary: string, table: ReportTable): string {
  return `<details><summary>${escapeHtml(summary)}</summary>${renderTable(table)}</details>`
}

function renderDetails(
  { summary, isOpen, parts }: NonNullable<ReportSection['details']>[number],
  level: number,
): string {
  const texts = parts.map(
    ({ label, text }) => `<h${level}>${escapeHtml(label)}</h${level}><pre>${escapeHtml(text)}</pre>`,
  )
  return `<details class="text"${isOpen ? ' open' : ''}><summary>${escapeHtml(summary)}</summary>${texts.join('')}</details>`
}

function renderTable({ head, rows }: ReportTable): string {
  const show = (value: string | number) => {
    if (typeof value === 'string') return value
    return Number.isFinite(value) ? value.toLocaleString('en') : ''
  }
  const cell = (tag: string, value: string | number, isNumber: boolean) =>
    `<${tag}${isNumber ? ' class="number"' : ''}>${escapeHtml(show(value))}</${tag}>`
  const looksNumeric = (value: string | number = '') =>
    typeof value === 'number' || /^([-+]?[\d.,]+(\s%)?)?$/.test(value)
  const isNumber = head.map((_, i) => i > 0 && rows.length > 0 && rows.every((row) => looksNumeric(row[i])))
  const line = (tag: string, cells: (string | number)[]) =>
    `<tr>${cells.map((value, i) => cell(tag, value, isNumber[i] ?? false)).join('')}</tr>`
  return `<div class="wide"><table><thead>${line('th', head)}</thead><tbody>${rows.map((row) => line('td', row)).join('')}</tbody></table></div>`
}
