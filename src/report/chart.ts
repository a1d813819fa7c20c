/** Charts as SVG texts, drawn by Vega-Lite without a browser. The colors are those of the page they stand in. */
import type { Config, TopLevelSpec } from 'vega-lite'
import { needPackages } from '../files/optional-packages.ts'
import { escapeHtml } from './page.ts'

const config: Config = {
  background: 'transparent',
  font: 'system-ui, sans-serif',
  view: { stroke: null },
  axis: {
    labelFontSize: 11,
    titleFontSize: 11,
    titlePadding: 10,
    labelColor: 'currentColor',
    titleColor: 'currentColor',
    titleFontWeight: 'normal',
    domainColor: 'currentColor',
    tickColor: 'currentColor',
    domainOpacity: 0.4,
    tickOpacity: 0.4,
    gridColor: 'currentColor',
    gridOpacity: 0.12,
  },
  legend: {
    labelFontSize: 11,
    labelColor: 'currentColor',
    titleColor: 'currentColor',
    titleFontWeight: 'normal',
    symbolOpacity: 1,
  },
  header: { labelColor: 'currentColor', titleColor: 'currentColor' },
  bar: { color: '#4f83c4' },
  line: { color: '#4f83c4' },
  point: { color: '#4f83c4' },
}

/**
 * The chart as one `<svg>` element. Texts in the data come out escaped, and the same spec gives the same bytes.
 * @param label what a screen reader says
 */
export async function drawChart(spec: TopLevelSpec, label: string): Promise<string> {
  needPackages('drawing charts')
  const [vega, { compile }] = await Promise.all([import('vega'), import('vega-lite')])
  vega.resetSVGDefIds()
  const { textMetrics } = vega as unknown as { textMetrics: { width: typeof estimateWidth } } // missing in its types
  textMetrics.width = estimateWidth
  const { spec: full } = compile(spec, { config })
  const view = new vega.View(vega.parse(full), { renderer: 'none', logLevel: vega.Error })
  try {
    // the spec's own description does not reach the SVG
    return (await view.toSVG()).replace('<svg', `<svg role="img" aria-label="${escapeHtml(label)}"`)
  } finally {
    view.finalize()
  }
}

/** Without a canvas nothing measures texts, and vega takes letters to be far wider than they are: charts get empty margins. */
function estimateWidth(item: { fontSize?: number }, text: unknown): number {
  return 0.61 * (item.fontSize ?? 11) * String(text ?? '').length
}
