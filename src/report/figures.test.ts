import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { inflateSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { drawChart } from './chart.ts'
import { listFigures, writeFigures } from './figures.ts'
import { toPdf } from './pdf.ts'

const hostile = '</text><script>"日本 −1'
const draw = (mark: 'bar' | 'line') =>
  drawChart(
    {
      data: { values: [1, 2, 3].map((n) => ({ name: `${hostile} ${n}`, n })) },
      mark: { type: mark, clip: true },
      encoding: {
        y: { field: 'name', type: 'nominal', axis: { labelLimit: 0 } },
        x: { field: 'n', type: 'quantitative', title: 'a title (of an axis)' },
      },
    },
    'label',
  )

/** The drawing commands of a PDF: its streams, unpacked. */
function contentOf(pdf: Buffer): string {
  const text = pdf.toString('latin1')
  const streams = [...text.matchAll(/stream\n([\s\S]*?)\nendstream/g)]
  return streams
    .map(([, body = '']) => inflateSync(Buffer.from(body, 'latin1')).toString('latin1'))
    .join('\n')
}

test('a chart becomes a page of its size, with paths and real text, the same bytes each time', async () => {
  const svg = await draw('bar')
  const pdf = await toPdf(svg, 'A title')
  expect(pdf.subarray(0, 5).toString()).toBe('%PDF-')
  const [, width, height] = /viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(svg) ?? []
  expect(pdf.toString('latin1')).toContain(`/MediaBox [0 0 ${width} ${height}]`)
  const content = contentOf(pdf)
  expect(content).toMatch(/0 0\.4+\S* 0\.69\S* sc/) // the blue of the bars
  const words = [...content.matchAll(/<([0-9a-f]+)>/g)].map(([, hex = '']) =>
    Buffer.from(hex, 'hex').toString('latin1'),
  )
  expect(words.join('')).toContain('</text><script>"?? ')
  expect(words.join('')).toContain('a title (of an axis)')
  expect(Buffer.compare(pdf, await toPdf(svg, 'A title'))).toBe(0)
})

test('each chart of a page is an SVG and a PDF, numbered and named by what it shows', async () => {
  const folder = path.join(mkdtempSync(path.join(tmpdir(), 'figures-')), 'new')
  const chart = await draw('line')
  const figures = listFigures([
    { title: 'In short', chart },
    { heading: 'GSM8K, a/b: 200 questions' },
    { title: 'No chart' },
    { title: 'Scores', text: 'Points are means.', chart },
  ])
  await writeFigures(folder, figures)
  expect(readdirSync(folder)).toEqual([
    '01-in-short.pdf',
    '01-in-short.svg',
    '02-gsm8k-a-b-scores.pdf',
    '02-gsm8k-a-b-scores.svg',
  ])
  const svg = readFileSync(path.join(folder, '02-gsm8k-a-b-scores.svg'), 'utf8')
  expect(svg).toMatch(/^<svg .*<\/svg>\n$/s)
  expect(svg).not.toMatch(/currentColor|<script/)
})
