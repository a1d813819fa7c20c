/** Training curves on a report's page, by group; the runs of a group differ in their seed. */

import type { ConvergenceResult } from '../files/result-kinds.ts'
import type { Interval } from '../lib/statistics.ts'
import { drawChart } from './chart.ts'
import { quantity } from './chart-parts.ts'
import { figureTitles } from './convergence-figures.ts'
import { LABEL_SIZE } from './labels.ts'
import type { ReportSection, ReportTable } from './page.ts'
import { percent } from './texts.ts'

type Group = ConvergenceResult['groups'][number]

interface Place {
  group: string
  run: string
  x: number
  y: number
  low?: number
  high?: number
}

/** Makes the sections of one result. */
export async function convergenceSections(result: ConvergenceResult): Promise<ReportSection[]> {
  const { groups } = result
  const sections: ReportSection[] = []
  const add = async (title: string, text: string, axes: Axes) => {
    const section = await curveSection(groups, axes)
    if (section) sections.push({ title, text, ...section })
  }
  const many = groups.some(({ runs }) => runs.length > 1)
  const lines = many
    ? 'Thick lines are means of a group, bands are 95 % intervals over seeds, thin lines are single runs. '
    : ''
  await add(
    'Held-out loss over steps',
    `${lines}The loss is in nats per token, on rows outside of training.`,
    {
      x: 'step',
      y: 'loss',
    },
  )
  await add(
    'Held-out loss over tokens',
    'The same, over the tokens read so far: examples with proposals are longer.',
    { x: 'tokens', y: 'loss' },
  )
  await add(
    'Share of the improvement over steps',
    'The way from the first held-out loss to the lowest is 100 %.',
    {
      x: 'step',
      y: 'share',
    },
  )
  return [...sections, figuresSection(result), ...(many ? [runsSection(groups)] : [])]
}

interface Axes {
  x: 'step' | 'tokens'
  y: 'loss' | 'share'
}

/** Makes the chart and the table of a curve; undefined if no run has both figures. */
async function curveSection(
  groups: Group[],
  axes: Axes,
): Promise<Pick<ReportSection, 'chart' | 'table'> | undefined> {
  const means = groups.flatMap((group) => meansOf(group, axes))
  const runs = groups.flatMap((group) => (group.runs.length > 1 ? runsOf(group, axes) : []))
  if (means.length === 0) return undefined
  return { chart: await drawCurves(means, runs, axes), table: curveTable(means, axes) }
}

function meansOf({ group, held_out: held }: Group, { x, y }: Axes): Place[] {
  return held.flatMap((point): Place[] => {
    const [at, figure] = [point[x], point[y]]
    if (at === null || figure === null) return []
    return [{ group, run: group, x: at, y: figure.mean, ...figure.interval }]
  })
}

function runsOf({ group, runs }: Group, { x, y }: Axes): Place[] {
  return runs.flatMap(({ run, held_out: held }) =>
    held.flatMap((point): Place[] => {
      const [at, value] = [point[x], point[y]]
      return at === null || value === null ? [] : [{ group, run, x: at, y: value }]
    }),
  )
}

const nameX = ({ x }: Axes) => (x === 'step' ? 'steps' : 'tokens')
const nameY = ({ y }: Axes) => (y === 'share' ? 'share of the improvement' : 'held-out loss')

function drawCurves(means: Place[], runs: Place[], axes: Axes): Promise<string> {
  const x = quantity('x', {
    title: nameX(axes),
    axis: {
      tickCount: 5,
      ...(axes.x === 'tokens' && { format: '~s', labelExpr: 'datum.value ? datum.label : 0' }),
    },
  })
  const axis = axes.y === 'share' ? { format: '%', tickCount: 5 } : { tickCount: 5 }
  const scale = scaleAround([...means, ...runs])
  const y = quantity('y', { title: nameY(axes), axis, scale })
  const color = { field: 'group', title: null, sort: null, legend: null }
  const bands = {
    data: { values: means.filter((place) => place.low !== undefined) },
    mark: { type: 'area' as const, opacity: 0.15, clip: true },
    encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color },
  }
  const thin = {
    data: { values: runs },
    mark: { type: 'line' as const, strokeWidth: 1, opacity: 0.5 },
    encoding: { x, y, color, detail: { field: 'run' } },
  }
  const thick = {
    data: { values: means },
    mark: { type: 'line' as const, strokeWidth: 2, point: { filled: true, size: 30 } },
    encoding: { x, y, color, strokeDash: { field: 'group', legend: null, sort: null } },
  }
  const names = {
    data: { values: endsOf(means, scale.domain) },
    mark: {
      type: 'text' as const,
      align: 'left' as const,
      dx: 7,
      fontSize: LABEL_SIZE,
      fontWeight: 'bold' as const,
    },
    encoding: { x, y: { ...y, field: 'labelY' }, color, text: { field: 'group' } },
  }
  const label = `${nameY(axes)} over ${nameX(axes)} of each group`
  return drawChart({ width: WIDTH, height: HEIGHT, layer: [bands, thin, thick, names] }, label)
}

const [WIDTH, HEIGHT] = [340, 240]
const LINE = 15

/** The last point of each group, where its name stands; names of ends that are close are moved apart. */
function endsOf(means: Place[], [low = 0, high = 1]: number[]): (Place & { labelY: number })[] {
  const groups = Map.groupBy(means, ({ group }) => group)
  const ends = [...groups.values()].map((places) => places.reduce((a, b) => (b.x >= a.x ? b : a)))
  const least = (LINE * (high - low)) / HEIGHT
  let free = Number.NEGATIVE_INFINITY
  return ends
    .sort((a, b) => a.y - b.y)
    .map((end) => {
      const labelY = Math.max(end.y, free)
      free = labelY + least
      return { ...end, labelY }
    })
}

/** Scales to the curves. With few seeds a band may be far wider; it is cut at the edge of the chart. */
function scaleAround(places: Place[]) {
  const all = places.map((place) => place.y)
  const [low, high] = [Math.min(...all), Math.max(...all)]
  const room = 0.15 * (high - low || 1)
  return { domain: [low - room, high + room], nice: false, zero: false }
}

function curveTable(means: Place[], axes: Axes): ReportTable {
  const show = (value: number) => (axes.y === 'share' ? percent(value) : value.toFixed(4))
  return {
    head: ['group', axes.x === 'step' ? 'step' : 'tokens', nameY(axes), '95 %'],
    rows: means.map(({ group, x, y, low, high }) => [
      group,
      Math.round(x),
      show(y),
      low === undefined || high === undefined ? '' : `${show(low)} to ${show(high)}`,
    ]),
  }
}

/** Writes a number without a minus sign if it rounds to 0. */
const number = (value: number, digits: number) => value.toFixed(digits).replace(/^-(0\.?0*)$/, '$1')

function figuresSection({ groups, differences }: ConvergenceResult): ReportSection {
  const show = (figure: { mean: number; interval: Interval | null } | null | undefined, digits: number) => {
    if (!figure) return 'not known'
    const range =
      figure.interval && `${number(figure.interval.low, digits)} to ${number(figure.interval.high, digits)}`
    return `${number(figure.mean, digits)}${range ? ` (${range})` : ''}`
  }
  const columns = [
    ...groups.map(({ group, runs, figures }) => ({
      title: runs.length > 1 ? `${group}, ${runs.length} runs` : group,
      figures,
    })),
    ...differences.map(({ group, beside, figures }) => ({
      title: `${group} minus ${beside}, paired`,
      figures,
    })),
  ]
  return {
    title: 'In numbers',
    isWide: true,
    text:
      'Means over the runs of a group, with 95 % intervals over seeds if there are several runs. The step of a share of the improvement ' +
      'is on a straight line between two evaluations. Changes of the training loss are absolute values, from step to step.',
    table: {
      head: ['what', ...columns.map(({ title }) => title)],
      rows: figureTitles.map(([name, title, digits]) => [
        title,
        ...columns.map(({ figures }) => show(figures[name], digits)),
      ]),
    },
  }
}

function runsSection(groups: Group[]): ReportSection {
  return {
    title: 'Each run',
    isWide: true,
    folds: groups.map(({ group, runs }) => ({
      summary: `${group}: ${runs.length} runs`,
      table: {
        head: ['what', ...runs.map(({ run }) => run)],
        rows: figureTitles.map(([name, title, digits]) => [
          title,
          ...runs.map(({ figures }) => {
            const value = figures[name]
            return value === null || value === undefined ? 'not known' : number(value, digits)
          }),
        ]),
      },
    })),
  }
}
