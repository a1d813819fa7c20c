/** Controls on a report's page: scores, costs, what aggregation changed, and the questions that it changed most. */

import type { QuestionResult, Result } from '../files/result-kinds.ts'
import { drawChart, PALETTE } from './chart.ts'
import { intervalLayer, labelLayers, nameRows, pointLayer, quantity } from './chart-parts.ts'
import { type Box, placeLabels } from './labels.ts'
import type { ReportSection } from './page.ts'
import { browseSections, percent } from './texts.ts'

type Row = Result['rows'][number]

/** Makes the sections of one result. */
export async function controlSections(result: Result, questions: QuestionResult[]): Promise<ReportSection[]> {
  return [
    { ...(await scoreSection(result)), title: 'Scores' },
    ...(await costSection(result, output)),
    ...(await costSection(result, seconds)),
    ...(await changeSections(result)),
    { ...takesSection(result), title: 'What each takes' },
    ...browseSections(result, questions),
  ]
}

async function scoreSection({ rows, metrics }: Result): Promise<ReportSection> {
  return {
    title: '',
    isWide: true,
    text: 'Points are means, lines are 95 % intervals. p is from a paired test against one answer, and corrected for all tests of the table (Holm).',
    chart: await drawScores(rows, metrics),
    table: {
      head: ['control', ...metrics, 'compared with one answer', 'p', 'p, corrected'],
      rows: rows.map((row) => [
        row.title,
        ...metrics.map((metric) => showRange(row, metric)),
        row.against_single ? `${(100 * row.against_single.difference).toFixed(1)} points` : '',
        row.against_single ? row.against_single.p.toFixed(3) : '',
        row.p_corrected?.toFixed(3) ?? '',
      ]),
    },
  }
}

function drawScores(rows: Row[], metrics: string[]): Promise<string> {
  const values = rows.flatMap(({ title, scores }) =>
    Object.entries(scores).map(([metric, { mean, interval }]) => ({ title, metric, mean, ...interval })),
  )
  const hasMany = metrics.length > 1
  const color = {
    field: 'metric',
    title: null,
    legend: { orient: 'top' as const },
    scale: { domain: metrics, range: PALETTE.slice(0, metrics.length) },
  }
  return drawChart(
    {
      data: { values },
      width: 440,
      height: { step: hasMany ? 14 : 24 },
      encoding: {
        y: nameRows('title', 260),
        ...(hasMany && { yOffset: { field: 'metric', sort: metrics } }),
        color,
      },
      layer: [intervalLayer('share of questions', { format: '%', tickCount: 5 }), pointLayer('mean')],
    },
    'Scores of each control with their intervals',
  )
}

function showRange(row: Row, metric: string): string {
  const score = row.scores[metric]
  if (!score) return ''
  return `${percent(score.mean)} (${percent(score.interval.low)} to ${percent(score.interval.high)})`
}

interface Axis {
  of(row: Row): number
  title: string
}
const output: Axis = { of: (row) => row.output_tokens, title: 'output tokens' }
const seconds: Axis = { of: (row) => row.seconds, title: 'seconds' }

interface Cost {
  title: string
  takes: number
  score: number
  isFrontier: boolean
}

async function costSection({ rows, metrics }: Result, axis: Axis): Promise<ReportSection[]> {
  const metric = metrics[0] as string
  const values = rows.map(
    (row): Cost => ({
      title: row.title,
      takes: axis.of(row),
      score: row.scores[metric]?.mean ?? 0,
      isFrontier: isFrontier(row, rows, metric, axis),
    }),
  )
  const takes = values.map((value) => value.takes)
  const varies = Math.max(...takes) - Math.min(...takes) > 0.01 * Math.max(...takes)
  if (!varies) return []
  return [
    {
      title: `Score over ${axis.title}`,
      isWide: true,
      text: `Filled points are the frontier: no other control scores as high with as few ${axis.title}. The pick by the right answer is never on it: it is not a strategy.`,
      chart: await drawCosts(values, metric, axis),
      table: {
        head: ['control', axis.title, metric, 'frontier'],
        rows: values.map((v) => [
          v.title,
          Number(v.takes.toFixed(1)),
          percent(v.score),
          v.isFrontier ? 'yes' : '',
        ]),
      },
    },
  ]
}

const [WIDTH, HEIGHT] = [780, 280]
const SPACE = 1.08

/** Draws points with their names beside them, and a line along the frontier. Both axes begin at 0. */
function drawCosts(values: Cost[], metric: string, axis: Axis): Promise<string> {
  const right = SPACE * Math.max(...values.map(({ takes }) => takes))
  const top = Math.min(1.02, Math.max(0.05, 1.15 * Math.max(...values.map(({ score }) => score))))
  const points = values.map((value) => {
    const place = { x: (WIDTH * value.takes) / right, y: HEIGHT * (1 - value.score / top), text: value.title }
    return { ...value, ...place }
  })
  const labels = placeLabels(points, WIDTH, stepsOf(points.filter((point) => point.isFrontier)))
  const x = quantity('takes', {
    title: `${axis.title} per question`,
    axis: { tickCount: 8 },
    scale: { domain: [0, right], nice: false },
  })
  const y = quantity('score', {
    title: `share of questions, ${metric}`,
    axis: { format: '%', tickCount: 6 },
    scale: { domain: [0, top], nice: false },
  })
  const color = PALETTE[0] as string
  const frontier = values.filter((value) => value.isFrontier)
  const line = {
    data: { values: frontier },
    mark: {
      type: 'line' as const,
      interpolate: 'step-after' as const,
      color,
      strokeWidth: 1.5,
      opacity: 0.6,
    },
    encoding: { x, y },
  }
  const marks = [true, false].map((isFilled) => ({
    data: { values: values.filter((value) => value.isFrontier === isFilled) },
    mark: { type: 'point' as const, filled: isFilled, color, size: 70, opacity: 1 },
    encoding: { x, y },
  }))
  return drawChart(
    { width: WIDTH, height: HEIGHT, layer: [line, ...marks, ...labelLayers(labels)] },
    `Score over ${axis.title}`,
  )
}

/** The places of the line along the frontier, which goes right and then up. */
function stepsOf(points: { x: number; y: number }[]): Box[] {
  const sorted = [...points].sort((a, b) => a.x - b.x)
  return sorted.slice(1).flatMap((to, i) => {
    const from = sorted[i] as { x: number; y: number }
    return [
      { left: from.x, right: to.x, top: from.y - 2, bottom: from.y + 2 },
      { left: to.x - 2, right: to.x + 2, top: to.y, bottom: from.y },
    ]
  })
}

/** Says whether no other row is better and cheaper. The oracle does not count, because no strategy can choose like that. */
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
  const whole = (value: number | null) => (value === null ? 'not known' : Math.round(value))
  return {
    title: '',
    isWide: true,
    text: 'Means per question, as if each control ran alone. Prefilled tokens are input tokens that were really read: samples share a prompt.',
    table: {
      head: ['control', 'calls', 'input tokens', 'prefilled', 'output', 'seconds', 'dollars', 'characters'],
      rows: rows.map((row) => [
        row.title,
        Number(row.calls.toFixed(1)),
        ...[row.input_tokens, row.prefilled_tokens, row.output_tokens].map(whole),
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

type Changes = Result['changes'][number]

function changeSections(result: Result): Promise<ReportSection[]> {
  return Promise.all(result.changes.map((changes) => changeSection(result, changes)))
}

async function changeSection(result: Result, changes: Changes): Promise<ReportSection> {
  const title = result.rows.find((row) => row.control === changes.control)?.title ?? changes.control
  const outcomes = OUTCOMES.map(([name, about]) => ({ name, about, questions: changes[name] }))
  return {
    title: `What the ${title} changed`,
    text:
      `${percent(changes.copy_rate)} of the answers' word 4-grams are in some proposal. Agreement of the proposals: ` +
      `${percent(result.agreement)}. Nearest proposal by place: ${showPlaces(changes.position) || 'none'}.` +
      (result.judge_position ? ` The judge picks by place: ${showPlaces(result.judge_position)}.` : ''),
    chart: await drawOutcomes(outcomes, `What the ${title} made of its proposals`),
    table: {
      head: ['what', 'questions'],
      rows: [
        ...outcomes.map((outcome): [string, number] => [outcome.about, outcome.questions]),
        ['all proposals right', changes.all_right],
        ['all proposals wrong', changes.all_wrong],
      ],
    },
  }
}

/** Writes the share of each place, counted from 1. */
const showPlaces = (shares: number[]) => shares.map((s, i) => `${i + 1}: ${percent(s)}`).join(', ')

function drawOutcomes(
  values: { name: string; about: string; questions: number }[],
  label: string,
): Promise<string> {
  const x = quantity('questions', {
    axis: { tickCount: 4, tickMinStep: 1 },
    scale: { domain: [0, Math.max(1, ...values.map(({ questions }) => questions))] },
  })
  return drawChart(
    {
      data: { values },
      width: 240,
      height: { step: 26 },
      mark: { type: 'bar', height: { band: 0.7 } },
      encoding: { y: nameRows('about', 300), x },
    },
    label,
  )
}
