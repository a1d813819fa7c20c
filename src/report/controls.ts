/** Controls on a report's page: what came out, what it took, what aggregation changed, and the prompts it changed most. */

import type { QuestionResult, Result } from '../files/result-file.ts'
import { drawChart } from './chart.ts'
import type { ReportSection } from './page.ts'
import { browseSections, percent } from './texts.ts'

type Row = Result['rows'][number]

/** The sections of one result. */
export async function controlSections(result: Result, questions: QuestionResult[]): Promise<ReportSection[]> {
  return [
    { ...(await scoreSection(result)), title: 'Scores' },
    { ...(await costSection(result, written)), title: 'Score over written tokens' },
    { ...(await costSection(result, seconds)), title: 'Score over seconds' },
    ...(await changeSections(result)),
    { ...takesSection(result), title: 'What each takes' },
    ...browseSections(result, questions),
  ]
}

/** Legends of shapes are drawn black, whatever the page's colours are. */
const shapes = { orient: 'top', symbolFillColor: 'currentColor', symbolStrokeColor: 'currentColor' } as const

async function scoreSection({ rows, metrics }: Result): Promise<ReportSection> {
  const values = rows.flatMap(({ title, scores }) =>
    Object.entries(scores).map(([metric, { mean, interval }]) => ({ title, metric, mean, ...interval })),
  )
  const offset = metrics.length > 1 ? { yOffset: { field: 'metric', sort: metrics } } : {}
  const isWide = metrics.length > 2
  const y = { field: 'title', type: 'nominal' as const, sort: null, title: null, axis: { labelLimit: 260 } }
  const color = {
    field: 'metric',
    title: null,
    legend: { orient: 'top' as const },
    scale: { domain: metrics, range: ['#4f83c4', '#d08a3e', '#4c9a6a', '#a56cc1'].slice(0, metrics.length) },
  }
  const chart = await drawChart(
    {
      data: { values },
      width: isWide ? 620 : 300,
      height: { step: metrics.length > 1 ? 14 : 24 },
      encoding: { y, ...offset, color },
      layer: [
        {
          mark: { type: 'rule', strokeWidth: 2, opacity: 0.6 },
          encoding: {
            x: {
              field: 'low',
              type: 'quantitative',
              title: 'share of questions',
              axis: { format: '%', tickCount: 5 },
            },
            x2: { field: 'high' },
          },
        },
        {
          mark: { type: 'point', filled: true, size: 60, opacity: 1 },
          encoding: { x: { field: 'mean', type: 'quantitative' } },
        },
      ],
    },
    'Scores of each control with their intervals',
  )
  const range = (row: Row, metric: string) => {
    const score = row.scores[metric]
    return score
      ? `${percent(score.mean)} (${percent(score.interval.low)} to ${percent(score.interval.high)})`
      : ''
  }
  return {
    title: '',
    isWide,
    text: 'The point is the mean, the line its 95 % interval. p is that of a paired test beside one answer.',
    chart,
    table: {
      head: ['control', ...metrics, 'beside one answer', 'p'],
      rows: rows.map((row) => [
        row.title,
        ...metrics.map((metric) => range(row, metric)),
        row.against_single ? `${(100 * row.against_single.difference).toFixed(1)} points` : '',
        row.against_single ? row.against_single.p.toFixed(3) : '',
      ]),
    },
  }
}

interface Axis {
  of(row: Row): number
  title: string
}
const written: Axis = { of: (row) => row.generated_tokens, title: 'written tokens' }
const seconds: Axis = { of: (row) => row.seconds, title: 'seconds' }

async function costSection({ rows, metrics }: Result, axis: Axis): Promise<ReportSection> {
  const metric = metrics[0] as string
  const values = rows.map((row) => ({
    title: row.title,
    takes: axis.of(row),
    score: row.scores[metric]?.mean ?? 0,
    frontier: isFrontier(row, rows, metric, axis) ? 'frontier' : 'behind it',
  }))
  const top = Math.max(...values.map(({ score }) => score))
  const chart = await drawChart(
    {
      data: { values },
      width: 300,
      height: 220,
      encoding: {
        x: {
          field: 'takes',
          type: 'quantitative',
          title: `${axis.title} a question`,
          scale: { zero: false, padding: 20 },
        },
        y: {
          field: 'score',
          type: 'quantitative',
          title: metric,
          axis: { format: '%', tickCount: 6 },
          scale: { domain: [0, Math.min(1, Math.max(0.05, 1.15 * top))], nice: false },
        },
        color: {
          field: 'title',
          title: null,
          sort: null,
          legend: { labelLimit: 260, orient: 'bottom', columns: 1 },
        },
      },
      layer: [
        {
          mark: { type: 'point', filled: true, size: 80, opacity: 1 },
          encoding: { shape: { field: 'frontier', title: null, legend: shapes } },
        },
      ],
    },
    `Score over ${axis.title}`,
  )
  return {
    title: '',
    text: `On the frontier is what nothing else beats with as few ${axis.title}. What the right answer picks is no strategy.`,
    chart,
    table: {
      head: ['control', axis.title, metric, 'frontier'],
      rows: values.map((v) => [
        v.title,
        Number(v.takes.toFixed(1)),
        percent(v.score),
        v.frontier === 'frontier' ? 'yes' : '',
      ]),
    },
  }
}

/** The pick by the right answer is no rival: nobody can choose like that. */
function isFrontier(row: Row, rows: Row[], metric: string, { of }: Axis): boolean {
  const score = (r: Row) => r.scores[metric]?.mean ?? 0
  if (row.control === 'oracle') return false
  return !rows.some(
    (other) =>
      other.control !== 'oracle' &&
      other !== row &&
      of(other) <= of(row) &&
      score(other) >= score(row) &&
      (of(other) < of(row) || score(other) > score(row)),
  )
}

function takesSection({ rows }: Result): ReportSection {
  const whole = (value: number | null) => (value === null ? 'not told' : Math.round(value))
  return {
    title: '',
    isWide: true,
    text: 'Means a question, as if each control ran alone. Prefilled are prompt tokens really read: samples share a prompt.',
    table: {
      head: ['control', 'calls', 'prompt tokens', 'prefilled', 'written', 'seconds', 'dollars', 'characters'],
      rows: rows.map((row) => [
        row.title,
        Number(row.calls.toFixed(1)),
        ...[row.prompt_tokens, row.prefilled_tokens, row.generated_tokens].map(whole),
        Number(row.seconds.toFixed(1)),
        row.cost === null ? 0 : Number(row.cost.toFixed(5)),
        whole(row.mean_length_chars),
      ]),
    },
  }
}

const OUTCOMES = [
  ['rescued', 'all wrong, answer right'],
  ['kept', 'differ, answer right'],
  ['lost', 'differ, answer wrong'],
  ['broke', 'all right, answer wrong'],
] as const

async function changeSections(result: Result): Promise<ReportSection[]> {
  return Promise.all(
    result.changes.map(async (changes): Promise<ReportSection> => {
      const title = result.rows.find((row) => row.control === changes.control)?.title ?? changes.control
      const values = OUTCOMES.map(([name, about]) => ({ name, about, questions: changes[name] }))
      const chart = await drawChart(
        {
          data: { values },
          width: 240,
          height: { step: 26 },
          mark: { type: 'bar', height: { band: 0.7 } },
          encoding: {
            y: { field: 'about', type: 'nominal', sort: null, title: null, axis: { labelLimit: 300 } },
            x: {
              field: 'questions',
              type: 'quantitative',
              axis: { tickCount: 4, tickMinStep: 1 },
              scale: { domain: [0, Math.max(1, ...values.map(({ questions }) => questions))] },
            },
          },
        },
        `What the ${title} made of its proposals`,
      )
      const places = (shares: number[] | null) =>
        (shares ?? []).map((s, i) => `${i + 1}: ${percent(s)}`).join(', ')
      return {
        title: `What the ${title} changed`,
        text:
          `${percent(changes.copy_rate)} of the answers' word 4-grams stand in some proposal; the proposals agree ` +
          `${percent(result.agreement)}. Nearest proposal by its place: ${places(changes.position) || 'none'}.` +
          (result.judge_position ? ` The judge picks by place: ${places(result.judge_position)}.` : ''),
        chart,
        table: {
          head: ['what', 'questions'],
          rows: [
            ...values.map((v): [string, number] => [v.about, v.questions]),
            ['all proposals right', changes.all_right],
            ['all proposals wrong', changes.all_wrong],
          ],
        },
      }
    }),
  )
}
