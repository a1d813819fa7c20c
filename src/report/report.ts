/** Renders one page with results of all kinds. Results that can be compared share charts and tables. */

import type { Results } from '../files/result-kinds.ts'
import { type Figure, listFigures } from './figures.ts'
import { findingsSection } from './findings.ts'
import { toLatex } from './latex.ts'
import { renderReportPage } from './page.ts'
import { type Part, partsOf } from './parts.ts'
import { titleOf } from './texts.ts'

/** The text above the results. */
export interface ReportOptions {
  title?: string
  /** Text at the top. Blank lines separate paragraphs. */
  about?: string
}

/** A page, and its charts. */
export interface Report {
  html: string
  figures: Figure[]
}

/** Renders the whole page. It does not depend on the time or the place of the call. */
export async function renderReport(results: Results[], options: ReportOptions = {}): Promise<string> {
  return (await makeReport(results, options)).html
}

/** Makes the page and the list of its charts. */
export async function makeReport(results: Results[], options: ReportOptions = {}): Promise<Report> {
  const parts: Part[] = []
  if (options.about) {
    const paragraphs = options.about.split(/\n\s*\n/).map((text) => text.trim())
    parts.push({ heading: 'What was done', paragraphs: paragraphs.filter((text) => text !== '') })
  }
  parts.push(findingsSection(results), ...(await partsOf(results)))
  const lead =
    'Intervals are 95 % intervals, tests are paired. Below the charts you find how each number was made.'
  return {
    html: renderReportPage(options.title ?? titleOf(results), lead, parts),
    figures: listFigures(parts),
  }
}

/** Writes the tables of the page as LaTeX. */
export async function renderTables(results: Results[]): Promise<string> {
  return toLatex(await partsOf(results))
}
