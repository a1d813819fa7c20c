/** Reads the rows of comma- or tab-separated values, with quotes, line breaks within cells, and JSON in cells. */
import { Readable } from 'node:stream'
import { type CsvError, parse } from 'csv-parse'
import type { RawRecord } from './row.ts'

/**
 * Yields a row per record, with the names of the first line as fields. All cells are text, but a cell with JSON in it is
 * what the JSON says. An empty cell is an absent field.
 */
export async function* readCsv(
  file: string,
  chunks: AsyncIterable<Buffer>,
  delimiter: ',' | '\t',
): AsyncGenerator<RawRecord> {
  const parser = parse({
    bom: true,
    columns: true,
    info: true,
    delimiter,
    skip_empty_lines: true,
    relax_column_count: true,
  })
  const input = Readable.from(chunks)
  input.on('error', (error) => parser.destroy(error))
  let line = 1
  try {
    for await (const { record, info } of input.pipe(parser) as AsyncIterable<Parsed>) {
      line = info.lines
      const broken =
        info.error && `expected ${info.columns.length} cells as in the first line, got another number`
      const problem = broken ?? findPrinted(record)
      yield problem ? { file, line, problem } : { file, line, row: info.records, value: toValues(record) }
    }
  } catch (error) {
    const { code, message, lines = line } = error as CsvError & { lines?: number }
    if (!code?.startsWith('CSV_')) throw error
    yield { file, line: lines, problem: `expected comma-separated values: ${message}` }
  }
}

interface Parsed {
  record: Record<string, string>
  info: { lines: number; records: number; columns: unknown[]; error?: Error }
}

const PRINTED = /^\s*\[?\s*\{'\w+':/
/** Columns that are read as text or as a list. */
const READ =
  /^(chosen|rejected|prompt|messages|conversations?|responses?|completions?|generations?|history|query|context)$/

/** Names a column whose cell is a list as Python or a database prints it, which cannot be read back for sure. */
function findPrinted(record: Record<string, string>): string | undefined {
  const [name] = Object.entries(record).find(([name, cell]) => PRINTED.test(cell) && READ.test(name)) ?? []
  return (
    name &&
    `expected JSON in the column ${name}, got a list as Python prints it: write the rows as JSON lines or Parquet`
  )
}

const TEXTS = new Set([
  'prompt',
  'instruction',
  'question',
  'query',
  'problem',
  'input',
  'output',
  'system',
  'completion',
])

function toValues(record: Record<string, string>): Record<string, unknown> {
  const cells = Object.entries(record).filter(([, cell]) => cell !== '')
  return Object.fromEntries(cells.map(([name, cell]) => [name, toValue(name, cell)]))
}

/** Fields that are numbers or, of a preference, true or false. */
const NUMBERS = /^(temperature|top_p|top_k|min_p|\w+_penalty|max_(completion_)?tokens|seed|n|preference)$/
const FLAGS = /^(label|kto_tag)$/

function toValue(name: string, cell: string): unknown {
  if (NUMBERS.test(name) && cell.trim() !== '' && Number.isFinite(Number(cell))) return Number(cell)
  if (FLAGS.test(name) && /^(true|false)$/i.test(cell)) return cell.toLowerCase() === 'true'
  if (!/^\s*[[{]/.test(cell)) return cell
  try {
    const value: unknown = JSON.parse(cell)
    return TEXTS.has(name) && !isTurns(value) ? cell : value
  } catch {
    return cell
  }
}

function isTurns(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every((one) => one?.role ?? one?.from)
}
