/** Draws charts as SVG text with Vega-Lite, without a browser. They take the colors of the page that they are on. */
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
 * Draws a chart as one `<svg>` element. Texts in the data are escaped. The same spec gives the same bytes.
 * @param label the text for a screen reader
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
    // vega does not put the spec's description into the SVG
    return (await view.toSVG()).replace('<svg', `<svg role="img" aria-label="${escapeHtml(label)}"`)
  } finally {
    view.finalize()
  }
}

/** Estimates a text's width. Without a canvas, vega's own estimate is far too wide, and charts get empty margins. */
function estimateWidth(item: { fontSize?: number }, text: unknown): number {
  return 0.61 * (item.fontSize ?? 11) * String(text ?? '').length
}
