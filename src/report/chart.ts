/** Draws charts as SVG text with Vega-Lite, without a browser. They take the colors of the page that they are on. */
import type { Config, TopLevelSpec } from 'vega-lite'
import { needPackages } from '../files/optional-packages.ts'
import { estimateWidth } from './labels.ts'
import { escapeHtml, FONT } from './page.ts'

/** The colors of Okabe and Ito: told apart by color-blind readers, in print, and on light and dark pages. */
export const PALETTE = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00']

const config: Config = {
  background: 'transparent',
  font: FONT,
  view: { stroke: null },
  axis: {
    labelFontSize: 12,
    titleFontSize: 12,
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
    labelFontSize: 12,
    labelColor: 'currentColor',
    titleColor: 'currentColor',
    titleFontWeight: 'normal',
    symbolOpacity: 1,
  },
  range: { category: PALETTE },
  header: { labelColor: 'currentColor', titleColor: 'currentColor' },
  bar: { color: '#0072b2' },
  line: { color: '#0072b2' },
  point: { color: '#0072b2' },
}

/**
 * Draws a chart as one `<svg>` element. Texts in the data are escaped. The same spec gives the same bytes.
 * @param label the text for a screen reader
 */
export async function drawChart(spec: TopLevelSpec, label: string): Promise<string> {
  needPackages('drawing charts')
  const [vega, { compile }] = await Promise.all([import('vega'), import('vega-lite')])
  vega.resetSVGDefIds()
  const { textMetrics } = vega as unknown as { textMetrics: { width: typeof widthOf } } // missing in its types
  textMetrics.width = widthOf
  const { spec: full } = compile(spec, { config })
  const view = new vega.View(vega.parse(full), { renderer: 'none', logLevel: vega.Error })
  try {
    // vega does not put the spec's description into the SVG
    return (await view.toSVG()).replace('<svg', `<svg role="img" aria-label="${escapeHtml(label)}"`)
  } finally {
    view.finalize()
  }
}

/** Vega cuts a text at its limit, but would leave room for all of it. */
function widthOf({ fontSize = 12, limit = 0 }: { fontSize?: number; limit?: number }, text: unknown): number {
  const width = estimateWidth(fontSize, String(text ?? ''))
  return limit > 0 ? Math.min(limit, width) : width
}
