/**
 * Writes a chart as PDF. It reads the SVG that vega draws, which has few kinds of elements: groups, paths, lines and texts.
 * pdfkit draws paths and measures its standard fonts; what is here is only the way from the one to the other.
 */
import type PDFKit from 'pdfkit'
import { needPackages } from '../files/optional-packages.ts'

type Attributes = Record<string, string>
type Document = InstanceType<typeof PDFKit>

const INK = '#1a1a1a'

/** Returns one page of the chart's size, in points. The same chart gives the same bytes. */
export async function toPdf(svg: string, title: string): Promise<Buffer> {
  needPackages('writing figures as PDF')
  const { default: PdfDocument } = await import('pdfkit')
  const [, width = '0', height = '0'] = /viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(svg) ?? []
  const document = new PdfDocument({
    size: [Number(width), Number(height)],
    margin: 0,
    info: { Title: title, CreationDate: new Date(0) },
  })
  const chunks: Buffer[] = []
  const ended = new Promise<void>((resolve) => document.on('end', resolve))
  document.on('data', (chunk: Buffer) => chunks.push(chunk))
  draw(document, svg)
  document.end()
  await ended
  return Buffer.concat(chunks)
}

/** An element that is open, with what its children inherit. */
interface Open {
  name: string
  attributes: Attributes
}

const pattern = /<(\/?)([\w:]+)((?:\s+[\w:-]+="[^"]*")*)\s*(\/?)>|([^<]+)/g

function draw(document: Document, svg: string): void {
  const open: Open[] = []
  const clips = new Map<string, Attributes>()
  for (const [, closes, name = '', list = '', isEmpty, text] of svg.matchAll(pattern)) {
    const parent = open.at(-1)
    if (text !== undefined) {
      if (parent?.name === 'text') drawText(document, parent.attributes, decode(text))
    } else if (closes) {
      open.pop()
      if (name === 'g') document.restore()
    } else {
      const attributes = { ...inherited(parent?.attributes), ...readAttributes(list) }
      const clip = open.findLast((one) => one.name === 'clipPath')
      if (clip && name === 'rect') clips.set(clip.attributes.id ?? '', attributes)
      else drawElement(document, name, attributes, clips)
      if (isEmpty && name === 'g') document.restore()
      if (!isEmpty) open.push({ name, attributes })
    }
  }
}

const HANDED_DOWN = ['fill', 'stroke', 'display']

function inherited(attributes: Attributes = {}): Attributes {
  return Object.fromEntries(
    HANDED_DOWN.flatMap((name) => (attributes[name] ? [[name, attributes[name]]] : [])),
  )
}

function readAttributes(list: string): Attributes {
  const found = [...list.matchAll(/([\w:-]+)="([^"]*)"/g)]
  return Object.fromEntries(found.map(([, name = '', value = '']) => [name, decode(value)]))
}

function drawElement(
  document: Document,
  name: string,
  attributes: Attributes,
  clips: Map<string, Attributes>,
): void {
  const number = (key: string) => Number(attributes[key] ?? 0)
  if (name === 'g') {
    document.save()
    transform(document, attributes.transform)
    const clip = clips.get(/#([\w-]+)/.exec(attributes['clip-path'] ?? '')?.[1] ?? '')
    if (clip)
      document.rect(Number(clip.x ?? 0), Number(clip.y ?? 0), Number(clip.width), Number(clip.height)).clip()
    return
  }
  if (name !== 'path' && name !== 'line' && name !== 'rect') return
  if (name === 'path' && !attributes.d) return
  document.save()
  transform(document, attributes.transform)
  if (name === 'path') document.path(attributes.d as string)
  if (name === 'line') document.moveTo(number('x1'), number('y1')).lineTo(number('x2'), number('y2'))
  if (name === 'rect') document.rect(number('x'), number('y'), number('width'), number('height'))
  paint(document, attributes)
  document.restore()
}

function transform(document: Document, list = ''): void {
  for (const [, name, values = ''] of list.matchAll(/(translate|rotate|scale)\(([^)]*)\)/g)) {
    const [x = 0, y = 0] = values.split(/[\s,]+/).map(Number)
    if (name === 'translate') document.translate(x, y)
    if (name === 'rotate') document.rotate(x)
    if (name === 'scale') document.scale(x, y || x)
  }
}

function paint(document: Document, attributes: Attributes): void {
  const opacity = Number(attributes.opacity ?? 1)
  const fill = colorOf(attributes.fill)
  const stroke = attributes.display === 'none' ? undefined : colorOf(attributes.stroke)
  const dashes = attributes['stroke-dasharray']?.split(/[\s,]+/).map(Number) ?? []
  document.fillOpacity(opacity * Number(attributes['fill-opacity'] ?? 1))
  document.strokeOpacity(opacity * Number(attributes['stroke-opacity'] ?? 1))
  document.lineWidth(Number(attributes['stroke-width'] ?? 1))
  if (dashes.length > 1 && dashes.every((length) => length > 0))
    document.dash(dashes[0] as number, { space: dashes[1] })
  if (fill && attributes.display !== 'none') {
    if (stroke) document.fillAndStroke(fill, stroke)
    else document.fill(fill)
  } else if (stroke) document.stroke(stroke)
  else document.path('M0,0').stroke('#ffffff') // ends the path without a mark
}

function colorOf(color: string | undefined): string | undefined {
  if (color === undefined || color === 'none' || color === 'transparent') return undefined
  return color === 'currentColor' ? INK : color
}

function drawText(document: Document, attributes: Attributes, text: string): void {
  const color = colorOf(attributes.fill ?? INK)
  const opacity = Number(attributes.opacity ?? 1) * Number(attributes['fill-opacity'] ?? 1)
  if (!color || opacity === 0) return
  const shown = inStandardFont(text)
  document.save()
  transform(document, attributes.transform)
  document.font(attributes['font-weight'] === 'bold' ? 'Helvetica-Bold' : 'Helvetica')
  document.fontSize(Number.parseFloat(attributes['font-size'] ?? '12'))
  const share = { middle: 0.5, end: 1 }[attributes['text-anchor'] ?? ''] ?? 0
  document.fillColor(color).fillOpacity(opacity)
  document.text(shown, -share * document.widthOfString(shown), 0, {
    lineBreak: false,
    baseline: 'alphabetic',
  })
  document.restore()
}

/** The standard fonts have the letters of western Europe. What they lack becomes `?`; the SVG has it. */
function inStandardFont(text: string): string {
  return text.replaceAll('−', '–').replace(/[^\u0020-\u007e\u00a0-\u00ff–—‘’“”…•€]/g, '?')
}

function decode(text: string): string {
  const names: Record<string, string> = { lt: '<', gt: '>', quot: '"', amp: '&', '#39': "'" }
  return text.replace(/&(lt|gt|quot|amp|#39);/g, (_, name) => names[name] as string)
}
