/**
 * Films a run in a real terminal and writes it as a moving SVG. The picture in the README is made so:
 *   node docs/make-terminal.ts
 * A terminal brings its own background, so that the picture is readable on light and on dark pages.
 */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import xterm from '@xterm/headless'
import { runInTerminal } from '../test/pty.ts'

const COLUMNS = 80
const ROWS = 30
/** A picture every so often, and a pause at the end. A longer run is played faster, and the picture says so. */
const FRAME_MS = 150
const END_MS = 5_000
const MOST_MS = 10_000
const [CELL_WIDTH, LINE_HEIGHT, PADDING, TITLE_HEIGHT] = [8.4, 18, 14, 30]

/** Of the 16 colors that programs name, on a dark background. */
const palette = [
  ...['#3b4252', '#e06c75', '#98c379', '#e5c07b', '#61afef', '#c678dd', '#56b6c2', '#d7dae0'],
  ...['#7f848e', '#e06c75', '#98c379', '#e5c07b', '#61afef', '#c678dd', '#56b6c2', '#ffffff'],
]

interface Chunk {
  ms: number
  text: string
}
interface Frame {
  ms: number
  lines: string[]
}

/** What the terminal got, and when. `shown` is typed at a prompt first. */
async function record(command: string, shown: string): Promise<Chunk[]> {
  const chunks: Chunk[] = [{ ms: 0, text: '\x1b[32m$\x1b[0m ' }]
  for (const [i, text] of [...shown].entries()) chunks.push({ ms: 400 + i * 30, text })
  const typedMs = 700 + shown.length * 30
  chunks.push({ ms: typedMs, text: '\r\n' })
  let length = 0
  const startMs = Date.now()
  const { code } = await runInTerminal(command, {
    columns: COLUMNS,
    rows: ROWS,
    type(raw) {
      chunks.push({ ms: typedMs + Date.now() - startMs, text: raw.slice(length) })
      length = raw.length
      return undefined
    },
  })
  if (code !== 0) throw new Error(`"${command}" ended with ${code}`)
  return chunks
}

/** The screen at even times; screens that look the same are one frame. Silence is cut to a second. */
async function film(chunks: Chunk[]): Promise<Frame[]> {
  const terminal = new xterm.Terminal({ cols: COLUMNS, rows: ROWS, allowProposedApi: true, scrollback: 0 })
  const write = (text: string) => new Promise<void>((resolve) => terminal.write(text, resolve))
  const frames: Frame[] = []
  let [ms, last] = [0, 0]
  for (const chunk of chunks) {
    ms += Math.min(chunk.ms - last, 1_000)
    last = chunk.ms
    await write(chunk.text)
    const lines = Array.from({ length: ROWS }, (_, row) => drawLine(terminal, row))
    const before = frames.at(-1)
    if (before && before.lines.join() === lines.join()) continue
    if (before && ms - before.ms < FRAME_MS && frames.length > 1) before.lines = lines
    else frames.push({ ms, lines })
  }
  return frames
}

/** A line as SVG text: one `tspan` per run of cells of one style. */
function drawLine(terminal: xterm.Terminal, row: number): string {
  const line = terminal.buffer.active.getLine(terminal.buffer.active.viewportY + row)
  let [svg, style, text, start] = ['', '', '', 0]
  const end = () => {
    if (text.trim() !== '') {
      const x = Math.round((PADDING + start * CELL_WIDTH) * 10) / 10
      svg += `<tspan x="${x}"${style}>${escapeText(text.trimEnd())}</tspan>`
    }
    text = ''
  }
  for (let column = 0; column < COLUMNS; column++) {
    const cell = line?.getCell(column)
    const chars = cell?.getChars() || ' '
    const next = cell ? styleOf(cell) : ''
    if (next !== style && chars !== ' ') {
      end()
      style = next
    }
    if (text === '') start = column
    if (text !== '' || chars !== ' ') text += chars
  }
  end()
  return svg
}

function styleOf(cell: xterm.IBufferCell): string {
  const color = cell.isFgPalette() ? palette[cell.getFgColor()] : undefined
  const classes = [cell.isBold() && 'b', cell.isDim() && 'd', cell.isItalic() && 'i'].filter(Boolean)
  const name = classes.length > 0 ? ` class="${classes.join(' ')}"` : ''
  return `${name}${color ? ` fill="${color}"` : ''}`
}

const escapeText = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** Each frame is a group that is shown for its share of the time. Equal lines are written once. */
function drawMovie(slow: Frame[], title: string): string {
  const speed = Math.max(1, (slow.at(-1)?.ms ?? 0) / MOST_MS)
  const frames = slow.map(({ ms, lines }) => ({ ms: ms / speed, lines }))
  const endMs = (frames.at(-1)?.ms ?? 0) + END_MS
  const known = new Map<string, string>()
  const used = Math.max(...frames.flatMap(({ lines }) => lines.findLastIndex((line) => line !== ''))) + 1
  const groups = frames.map(({ ms, lines }, i) => {
    const uses = lines.flatMap((line, row) => {
      if (line === '') return []
      const id = known.get(line) ?? `l${known.size}`
      known.set(line, id)
      return [`<use href="#${id}" y="${TITLE_HEIGHT + PADDING + (row + 0.7) * LINE_HEIGHT}"/>`]
    })
    const [from, to] = [ms / endMs, (frames[i + 1]?.ms ?? endMs) / endMs]
    const times = [0, from, to].map((share) => share.toFixed(4)).join(';')
    const isFirst = from === 0
    const animate = isFirst
      ? `<animate attributeName="display" values="inline;none" keyTimes="0;${to.toFixed(4)}" dur="${Math.round(endMs)}ms" calcMode="discrete" repeatCount="indefinite"/>`
      : `<animate attributeName="display" values="none;inline;none" keyTimes="${times}" dur="${Math.round(endMs)}ms" calcMode="discrete" repeatCount="indefinite"/>`
    // A viewer without animation shows the last frame.
    const display = i === frames.length - 1 ? 'inline' : 'none'
    return `<g display="${display}">${animate}${uses.join('')}</g>`
  })
  const [width, height] = [
    2 * PADDING + COLUMNS * CELL_WIDTH,
    TITLE_HEIGHT + 2 * PADDING + used * LINE_HEIGHT,
  ]
  const defs = [...known].map(([line, id]) => `<text id="${id}" xml:space="preserve">${line}</text>`)
  const dots = ['#e06c75', '#e5c07b', '#98c379'].map(
    (fill, i) => `<circle cx="${20 + i * 20}" cy="17" r="6" fill="${fill}"/>`,
  )
  const note = `<text x="${Math.round(width - PADDING)}" y="21" text-anchor="end" font-size="12" fill="#7f848e">${speed.toFixed(1)} × real speed</text>`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${Math.ceil(width)} ${Math.ceil(height)}" width="${Math.ceil(width)}" font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="14" fill="#d7dae0">`,
    `<title>A terminal: ${escapeText(title)}</title>`,
    '<style>.b{font-weight:700}.d{opacity:.65}.i{font-style:italic}</style>',
    `<rect width="100%" height="100%" rx="8" fill="#1e222a" stroke="#4b5263"/>${dots.join('')}${speed > 1 ? note : ''}`,
    `<defs>${defs.join('')}</defs>`,
    ...groups,
    '</svg>\n',
  ].join('\n')
}

const [file = 'docs/terminal.svg', shown = 'aft ask "Why is the sky blue?" --seed 1'] = process.argv.slice(2)
const launcher = path.join(import.meta.dirname, '../bin/aft.js')
const command = shown.replace(/^aft/, `"${process.execPath}" "${launcher}"`)
const svg = drawMovie(await film(await record(command, shown)), shown)
writeFileSync(file, svg)
console.log(`${file}: ${Math.round(svg.length / 1000)} kB`)
