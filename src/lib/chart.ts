/** Charts as SVG texts, drawn by Vega-Lite without a browser. The colours are those of the page they stand in. */
import type { Config, TopLevelSpec } from 'vega-lite'

const config: Config = {
  background: 'transparent',
  font: 'system-ui, sans-serif',
  view: { stroke: null },
  axis: {
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
  legend: { labelColor: 'currentColor', titleColor: 'currentColor', titleFontWeight: 'normal' },
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
  const [vega, { compile }] = await Promise.all([import('vega'), import('vega-lite')])
  vega.resetSVGDefIds()
  const { spec: full } = compile({ ...spec, description: label } as TopLevelSpec, { config })
  const view = new vega.View(vega.parse(full), { renderer: 'none', logLevel: vega.Error })
  try {
    return await view.toSVG()
  } finally {
    view.finalize()
  }
}
