/** Parts of a build that several machines make, and how they become one data set: the same bytes as one build of all rows. */
import { createReadStream, existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { DataError, UsageError } from '../core/provider/errors.ts'
import { parseJsonFile } from '../files/json-file.ts'
import { listShards } from '../files/list-shards.ts'
import { readWholeRecords } from '../files/rows/read-records.ts'
import type { BadRow } from '../files/rows/row.ts'
import { splitLines } from '../files/rows/split-json.ts'
import { writeWhole } from '../lib/write-whole.ts'
import type { Line, Ready, Rendered } from './render-row.ts'

/** The file of a part with one line per row that was read: all that a merge needs, without the texts of the examples. */
export const PART_ROWS = 'part.jsonl'
const PART_FACTS = 'part.json'

/** Which part of the rows a folder has, and how it was built: the same in all parts. */
export interface PartFacts<Made = unknown> {
  part: number
  of: number
  made: Made
}

/** A line of `PART_ROWS`. A mark has its numbers as text. */
type PartRow =
  | BadRow
  | (Omit<Ready, 'mark' | 'rendered'> & {
      mark?: { whole: string; signature?: string }
      rendered?: Omit<Rendered, 'lines'> & { lines: Omit<Line, 'rest'>[] }
    })

/** Turns a row that a part has handled into a line of `PART_ROWS`. */
export function toPartRow({ mark, rendered, ...row }: Ready): PartRow {
  const signature = mark?.signature && Buffer.from(Uint32Array.from(mark.signature).buffer).toString('base64')
  return {
    ...row,
    mark: mark && { whole: mark.whole.toString(), signature },
    rendered: rendered && {
      ...rendered,
      lines: rendered.lines.map(({ file, suffix }) => ({ file, suffix })),
    },
  }
}

/** Writes how a part was built into its folder. */
export function writePartFacts(folder: string, facts: PartFacts): void {
  writeWhole(path.join(folder, PART_FACTS), `${JSON.stringify(facts)}\n`)
}

/**
 * Checks that the folders are all parts of one build.
 * @returns the folders in order, and how they were built
 * @throws UsageError if one is no part, is missing or there twice, or was built in another way
 */
export function openParts<Made>(folders: string[]): { folders: string[]; made: Made } {
  const parts = folders.map((folder) => {
    const file = path.join(folder, PART_FACTS)
    if (!existsSync(file))
      throw new UsageError(
        `${folder}: expected a part that \`aft data build --shard\` made, got no ${PART_FACTS}`,
      )
    return { folder, ...(parseJsonFile(file, readFileSync(file, 'utf8')) as PartFacts<Made>) }
  })
  const [first] = parts
  if (!first) throw new UsageError('expected the folders of all parts')
  const sorted = parts.toSorted((a, b) => a.part - b.part)
  const other = sorted.find(
    ({ of, made }) => of !== first.of || JSON.stringify(made) !== JSON.stringify(first.made),
  )
  if (other)
    throw new UsageError(
      `${other.folder} and ${first.folder} were built from other rows or with other flags, so they are not parts of one data set`,
    )
  const missing = Array.from({ length: first.of }, (_, i) => i + 1).find((n, i) => sorted[i]?.part !== n)
  if (missing !== undefined || sorted.length !== first.of) {
    const got = sorted.map(({ part }) => part).join(', ')
    throw new UsageError(`expected each of ${first.of} parts once, got the parts ${got}`)
  }
  return { folders: sorted.map(({ folder }) => folder), made: first.made }
}

/**
 * Reads the rows of parts as a build handles them.
 * @throws DataError if a file of a part does not have the lines that it had
 */
export async function* readParts(folders: string[]): AsyncGenerator<Ready | BadRow> {
  for (const folder of folders) {
    const texts = new Map<string, AsyncGenerator<string>>()
    const nextText = async (file: string): Promise<string> => {
      if (!texts.has(file)) texts.set(file, readTexts(folder, file))
      const next = await texts.get(file)?.next()
      if (next?.done !== false) throw new DataError(path.join(folder, file), undefined, CHANGED)
      return next.value
    }
    for (const file of listShards(folder, PART_ROWS)) {
      for await (const { value } of readWholeRecords(file)) yield await toReady(value as PartRow, nextText)
    }
    for (const [file, rest] of texts)
      if (!(await rest.next()).done) throw new DataError(path.join(folder, file), undefined, CHANGED)
  }
}

const CHANGED = 'does not have the lines that the build wrote: build this part again'

async function toReady(row: PartRow, nextText: (file: string) => Promise<string>): Promise<Ready | BadRow> {
  if ('problem' in row) return row
  const { mark, rendered, ...rest } = row
  const lines: Line<Uint8Array>[] = []
  for (const line of rendered?.lines ?? [])
    lines.push({ ...line, rest: Buffer.from(await nextText(line.file)) })
  return {
    ...rest,
    mark: mark && {
      whole: BigInt(mark.whole),
      signature: mark.signature ? readWords(mark.signature) : undefined,
    },
    rendered: rendered && { ...rendered, lines },
  }
}

const readWords = (text: string) => new Uint32Array(new Uint8Array(Buffer.from(text, 'base64')).buffer)

const ID = /^\{"id":"(?:[^"\\]|\\.)*"/

/** The lines of a file of examples after their ids, line break included. */
async function* readTexts(folder: string, file: string): AsyncGenerator<string> {
  for (const shard of listShards(folder, file)) {
    for await (const { bytes, line } of splitLines(createReadStream(shard, { highWaterMark: 1 << 18 }))) {
      const text = bytes.toString('utf8')
      const id = ID.exec(text)?.[0]
      if (id === undefined) throw new DataError(shard, line, CHANGED)
      yield `${text.slice(id.length)}\n`
    }
  }
}
