/** What a report says of results, in the order of its page: findings, then sections of each kind. It touches no file. */

import type { Results } from '../files/result-kinds.ts'
import { alpacaEvalSections } from './alpaca-eval.ts'
import { controlSections } from './controls.ts'
import { convergenceSections } from './convergence.ts'
import { mtBenchSections } from './mt-bench.ts'
import type { ReportHeading, ReportSection } from './page.ts'
import { perplexitySections } from './perplexity.ts'
import { describeTask, originSection } from './texts.ts'

/** A heading or a section of the page. */
export type Part = ReportSection | ReportHeading

/** Makes the headings and sections of all results. Those that can be compared share charts and tables. */
export async function partsOf(results: Results[]): Promise<Part[]> {
  const parts: Part[] = []
  for (const group of groupResults(results)) parts.push(...(await groupParts(group)))
  return parts
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
async function groupParts(group: Results[]): Promise<Part[]> {
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
