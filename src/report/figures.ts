/** Writes the charts of a report as files for a paper or slides. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { FileError } from '../lib/file-error.ts'
import { makeFolder } from '../lib/make-folder.ts'
import type { ReportHeading, ReportSection } from './page.ts'
import { toPdf } from './pdf.ts'

/** A chart, with the text that could stand below it. */
export interface Figure {
  /** Such as `01-gsm8k-smollm2-scores`. */
  name: string
  title: string
  caption: string
  svg: string
}

/** Lists the charts of a page, in its order. */
export function listFigures(parts: (ReportSection | ReportHeading)[]): Figure[] {
  const figures: Figure[] = []
  let about = ''
  for (const part of parts) {
    if ('heading' in part) about = part.heading.split(':')[0] ?? ''
    else if (part.chart) {
      const number = String(figures.length + 1).padStart(2, '0')
      const title = [about, part.title].filter(Boolean).join(': ')
      figures.push({ name: `${number}-${toName(title)}`, title, caption: part.text ?? '', svg: part.chart })
    }
  }
  return figures
}

const MAX_NAME = 90

function toName(text: string): string {
  const words = text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
  return words.slice(0, MAX_NAME).replace(/^-|-$/g, '')
}

const INK = '#1a1a1a'

/**
 * Writes each figure as SVG and PDF: dark on white or transparent, in Helvetica. Returns the names of the files.
 * @throws UsageError without pdfkit, FileError if a file cannot be written
 */
export async function writeFigures(folder: string, figures: Figure[]): Promise<string[]> {
  makeFolder(folder)
  const files: string[] = []
  for (const { name, title, svg } of figures) {
    const alone = svg.replaceAll('currentColor', INK)
    const contents: [string, string | Buffer][] = [
      [`${name}.svg`, `${alone}\n`],
      [`${name}.pdf`, await toPdf(svg, title)],
    ]
    for (const [file, content] of contents) {
      write(path.join(folder, file), content)
      files.push(file)
    }
  }
  return files
}

function write(file: string, content: string | Buffer): void {
  try {
    writeFileSync(file, content)
  } catch (error) {
    throw new FileError(file, (error as Error).message, { cause: error })
  }
}
