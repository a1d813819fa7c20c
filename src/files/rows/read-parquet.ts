/** Rows of a Parquet file, some at a time: of each column that is wanted, a page is in memory. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import {
  type FileMetaData,
  parquetMetadataAsync,
  parquetSchema,
  type RowGroup,
  type SchemaTree,
} from 'hyparquet'
import { assembleNested } from 'hyparquet/src/assemble.js'
import { FileError } from '../../lib/file-error.ts'
import { openColumn, parsers } from './parquet-pages.ts'
import type { RawRecord } from './row.ts'

const ROWS_AT_A_TIME = 200

export interface Wanted {
  /** Top-level columns; one that the file lacks is an error. All where absent. */
  columns?: string[]
  /** Of what is nested in them, that which has one of these names in its path. All where absent. */
  fields?: string[]
}

/**
 * Yields a file's rows as objects; `line` counts rows from 1.
 * @throws FileError where it is no Parquet file, lacks a column or is broken
 */
export async function* readParquet(file: string, wanted: Wanted = {}): AsyncGenerator<RawRecord> {
  const fd = openSync(file, 'r')
  try {
    const metadata = await readMetadata(file, fd)
    const whole = parquetSchema(metadata)
    const has = whole.children.map(({ element }) => element.name)
    const missing = wanted.columns?.filter((name) => !has.includes(name)) ?? []
    if (missing.length > 0 && metadata.row_groups.length > 0) {
      throw new FileError(file, `lacks the column ${missing.join(', ')}; it has ${has.join(', ')}`)
    }
    const tree = { ...whole, children: pickColumns(whole.children, wanted) }
    let line = 1
    for (const group of metadata.row_groups) {
      for (const value of readGroup(fd, group, tree)) yield { file, line: line++, value }
    }
  } catch (error) {
    if (error instanceof FileError) throw error
    throw new FileError(file, `cannot be read as Parquet: ${(error as Error).message}`, { cause: error })
  } finally {
    closeSync(fd)
  }
}

function readMetadata(file: string, fd: number): Promise<FileMetaData> {
  const byteLength = fstatSync(fd).size
  const slice = async (start: number, end = byteLength) => {
    const bytes = new Uint8Array(end - start)
    readSync(fd, bytes, 0, bytes.length, start)
    return bytes.buffer
  }
  return parquetMetadataAsync({ byteLength, slice }).catch((cause) => {
    throw new FileError(file, `expected a Parquet file: ${(cause as Error).message}`, { cause })
  })
}

function pickColumns(children: SchemaTree[], { columns, fields }: Wanted): SchemaTree[] {
  const wanted = children.filter(({ element }) => columns?.includes(element.name) ?? true)
  if (!fields) return wanted
  return wanted.flatMap((child) => (child.children.length === 0 ? [child] : pickFields(child, fields)))
}

/** A tree without the parts that no name asks for; none at all where nothing is left. */
function pickFields(node: SchemaTree, names: string[]): SchemaTree[] {
  if (names.includes(node.element.name)) return [node]
  const children = node.children.flatMap((child) => pickFields(child, names))
  if (children.length === 0) return []
  // How many children a repeated group has says what kind of list it is.
  const isList = node.element.repetition_type === 'REPEATED'
  return [{ ...node, children: isList && node.children.length > 1 ? node.children : children }]
}

function* readGroup(fd: number, group: RowGroup, tree: SchemaTree): Generator<Record<string, unknown>> {
  const wanted = new Set(leavesOf(tree))
  const columns = group.columns.flatMap(({ meta_data: meta }) =>
    meta && wanted.has(meta.path_in_schema.join('.')) ? [openColumn(fd, meta, tree)] : [],
  )
  const total = Number(group.num_rows)
  for (let start = 0; start < total; start += ROWS_AT_A_TIME) {
    const count = Math.min(ROWS_AT_A_TIME, total - start)
    const values = new Map(columns.map((column) => [column.path, column.take(count)]))
    const short = [...values].find(([, rows]) => rows.length !== count)
    if (short) throw new Error(`the column ${short[0]} has fewer rows than the file says`)
    for (const child of tree.children) if (child.children.length > 0) assembleNested(values, child, parsers)
    const names = tree.children.map(({ element }) => element.name)
    for (let i = 0; i < count; i++) {
      yield Object.fromEntries(names.map((name) => [name, values.get(name)?.[i]]))
    }
  }
}

function leavesOf(node: SchemaTree): string[] {
  return node.children.length === 0 ? [node.path.join('.')] : node.children.flatMap(leavesOf)
}
