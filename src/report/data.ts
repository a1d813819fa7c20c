/** Renders `report.html` of a data set: what is in it and what was left out, as charts and tables. */

import { textOf } from '../core/provider/engine.ts'
import type { BuildCounts, BuildStatistics, LengthCounts, Reasons } from '../files/build-counts.ts'
import type { Example } from '../files/rows/row.ts'
import { drawChart } from './chart.ts'
import { type ReportSection, renderReportPage } from './page.ts'

/** Renders the whole page. It does not depend on the time or on the folder's path. */
export async function renderReport(
  format: string,
  counts: BuildCounts,
  examples: Example[] = [],
): Promise<string> {
  const { read, train, validation, bad, statistics } = counts
  const sections: ReportSection[] = [
    ...(examples.length > 0 ? [exampleSection(examples)] : []),
    {
      title: 'Rows',
      table: {
        head: ['what', 'rows'],
        rows: [
          ['read', read],
          ['train', train],
          ['validation', validation],
          ['plain examples among them', counts.plain],
          ['with trimmed proposals', counts.trimmed],
          ['dropped', sum(Object.values(counts.dropped))],
          ['broken', bad],
        ],
      },
    },
    ...(await chartSections(counts, statistics)),
  ]
  const lead = `${(train + validation).toLocaleString('en')} examples from ${read.toLocaleString('en')} rows (${format}). README.md in the same folder says how they were made.`
  return renderReportPage('Aggregation examples', lead, sections)
}

const MAX_TEXT = 4000

/** Shows whole examples, the first one open: what the model reads, and what it learns to write. */
function exampleSection(examples: Example[]): ReportSection {
  const cut = (text: string) => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text)
  return {
    title: 'Examples',
    isWide: true,
    text: `The first ${examples.length === 1 ? 'row' : `${examples.length} rows`} of train.jsonl. The model reads the turns and learns to write the target.`,
    details: examples.map(({ id, prompt, completion, proposals }, i) => ({
      summary: `${id}: ${proposals.length === 0 ? 'plain' : `${proposals.length} proposals`}`,
      isOpen: i === 0,
      parts: [
        ...prompt.map((message) => ({ label: message.role, text: cut(textOf(message)) })),
        ...completion.map((message) => ({ label: 'target', text: cut(textOf(message)) })),
      ],
    })),
  }
}

async function chartSections(counts: BuildCounts, statistics: BuildStatistics): Promise<ReportSection[]> {
  const sections = [
    await lengthSection(statistics.lengths),
    await overlapSection(statistics.overlap),
    await countSection('Proposals by model', 'model', counts.models),
    await countSection('Why rows were dropped', 'reason', counts.dropped),
    await countSection('Why responses were not shown', 'reason', counts.left),
    await countSection('Dropped because a benchmark has the prompt', 'benchmark', counts.benchmarks),
  ]
  return sections.filter((section) => section !== undefined)
}

async function lengthSection(lengths: BuildStatistics['lengths']): Promise<ReportSection | undefined> {
  const rows = Object.entries(lengths).flatMap(([what, { bins, texts }]) =>
    bins.flatMap((count, i) =>
      count > 0 ? [{ what, from: 2 ** (i / 2), to: 2 ** ((i + 1) / 2), share: count / texts }] : [],
    ),
  )
  if (rows.length === 0) return undefined
  const label = 'Share of prompts, proposals and targets by their length in characters'
  const chart = await drawChart(
    {
      data: { values: rows },
      facet: { row: { field: 'what', title: null, sort: ['prompts', 'proposals', 'targets'] } },
      spec: {
        width: 330,
        height: 80,
        mark: { type: 'bar', binSpacing: 1 },
        encoding: {
          x: {
            field: 'from',
            bin: 'binned',
            scale: { type: 'log', base: 2 },
            title: 'characters',
            axis: { labelOverlap: 'greedy', labelSeparation: 12 },
          },
          x2: { field: 'to' },
          y: { field: 'share', type: 'quantitative', title: null, axis: { format: '%', tickCount: 3 } },
        },
      },
    },
    label,
  )
  const mean = ({ chars, texts }: LengthCounts) => Math.round(chars / Math.max(1, texts))
  const means = Object.entries(lengths).map(([what, counted]) => `${what} ${mean(counted)}`)
  return {
    title: 'Lengths',
    text: `Characters; the axis is logarithmic. On average: ${means.join(', ')}.`,
    chart,
    table: {
      head: ['what', 'characters', 'share of them'],
      rows: rows.map(({ what, from, to, share }) => [
        what,
        `${Math.ceil(from)} to ${Math.ceil(to) - 1}`,
        percent(share),
      ]),
    },
  }
}

async function overlapSection(overlap: number[]): Promise<ReportSection | undefined> {
  const measured = sum(overlap)
  if (measured === 0) return undefined
  const rows = overlap.map((examples, i) => ({ from: i / 10, to: (i + 1) / 10, examples }))
  const title = 'How much of the target the proposals have'
  const chart = await drawChart(
    {
      data: { values: rows },
      width: 360,
      height: 180,
      mark: { type: 'bar', binSpacing: 1 },
      encoding: {
        x: {
          field: 'from',
          bin: 'binned',
          title: "share of the target's word 4-grams",
          axis: { format: '%' },
        },
        x2: { field: 'to' },
        y: { field: 'examples', type: 'quantitative' },
      },
    },
    title,
  )
  return {
    title,
    text: `Share of the target's word 4-grams that are in some proposal, over ${measured} examples. Far right: copied; far left: newly written.`,
    chart,
    table: {
      head: ['share', 'examples'],
      rows: rows.map(({ from, to, examples }) => [`${percent(from)} to ${percent(to)}`, examples]),
    },
  }
}

async function countSection(
  title: string,
  what: string,
  counts: Reasons,
): Promise<ReportSection | undefined> {
  const rows = Object.entries(counts)
    .map(([name, count]) => ({ name, count }))
    .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
  if (rows.length === 0) return undefined
  const chart = await drawChart(
    {
      data: { values: rows.slice(0, 20) },
      width: 260,
      height: { step: 22 },
      mark: { type: 'bar', height: { band: 0.7 } },
      encoding: {
        y: { field: 'name', type: 'nominal', sort: null, title: null, axis: { labelLimit: 240 } },
        x: { field: 'count', type: 'quantitative', title: null, axis: { tickCount: 4, tickMinStep: 1 } },
      },
    },
    title,
  )
  return {
    title,
    chart,
    table: { head: [what, 'count'], rows: rows.map(({ name, count }) => [name, count]) },
  }
}

const percent = (share: number) => `${(100 * share).toFixed(share > 0 && share < 0.01 ? 1 : 0)} %`
const sum = (values: number[]) => values.reduce((a, b) => a + b, 0)
