/** Renders one page with results of all kinds. Results that can be compared share charts and tables. */

import type { Results } from '../files/result-file.ts'
import { alpacaEvalSections } from './alpaca-eval.ts'
import { controlSections } from './controls.ts'
import { convergenceSections } from './convergence.ts'
import { findingsSection } from './findings.ts'
import { mtBenchSections } from './mt-bench.ts'
import { type ReportHeading, type ReportSection, renderReportPage } from './page.ts'
import { perplexitySections } from './perplexity.ts'
import { describeTask, originSection } from './texts.ts'

/** The text above the results. */
export interface ReportOptions {
  title?: string
  /** Text at the top. Blank lines separate paragraphs. */
  about?: string
}

type Part = ReportSection | ReportHeading

/** Renders the whole page. It does not depend on the time or the place of the call. */
export async function renderReport(results: Results[], options: ReportOptions = {}): Promise<string> {
  const parts: Part[] = []
  if (options.about) {
    const paragraphs = options.about.split(/\n\s*\n/).map((text) => text.trim())
    parts.push({ heading: 'What was done', paragraphs: paragraphs.filter((text) => text !== '') })
  }
  parts.push(findingsSection(results))
  for (const group of groupResults(results)) parts.push(...(await partsOf(group)))
  const lead =
    'Intervals are 95 % intervals, tests are paired. Below the charts you find how each number was made.'
  return renderReportPage(options.title ?? 'Is aggregation better?', lead, parts)
}

/** Groups results that can be compared: perplexities of the same examples, and AlpacaEval systems with one baseline. */
function groupResults(results: Results[]): Results[][] {
  const groups = new Map<string, Results[]>()
  for (const [i, one] of results.entries()) {
    const key = keyOf(one) ?? String(i)
    groups.set(key, [...(groups.get(key) ?? []), one])
  }
  return [...groups.values()]
}

function keyOf({ kind, result }: Results): string | undefined {
  if (kind === 'alpaca-eval') return JSON.stringify([kind, result.baseline])
  if (kind !== 'perplexity') return undefined
  return JSON.stringify([kind, result.file, result.n, result.conditions.map(({ condition }) => condition)])
}

/** Makes the heading and the sections of a group. @param group one or more results of the same kind */
async function partsOf(group: Results[]): Promise<Part[]> {
  const first = group[0] as Results
  const origin = originSection(group.map(({ result }) => result))
  const heading = { heading: describeTask(first) }
  return [heading, ...(await sectionsOf(first, group)), origin]
}

function sectionsOf(first: Results, group: Results[]): Promise<ReportSection[]> {
  switch (first.kind) {
    case 'controls':
      return controlSections(first.result, first.questions)
    case 'mt-bench':
      return mtBenchSections(first.result)
    case 'convergence':
      return convergenceSections(first.result)
    case 'perplexity':
      return perplexitySections(group.flatMap((one) => (one.kind === 'perplexity' ? one.result : [])))
    case 'alpaca-eval':
      return alpacaEvalSections(group.flatMap((one) => (one.kind === 'alpaca-eval' ? one.result : [])))
  }
}
