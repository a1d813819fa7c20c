/** A worker thread of `parallel-rows.ts`. It turns the lines of a file into the lines to write. */
import { closeSync, openSync, readSync } from 'node:fs'
import { parseRecord } from '../files/rows/read-records.ts'
import type { BadRow, RawRecord, SourceRow } from '../files/rows/row.ts'
import { splitLines } from '../files/rows/split-json.ts'
import { type Parcel, serveWork } from '../lib/worker-pool.ts'
import { chooseDraft, examineRow } from './examine-row.ts'
import type { Block, Done, Placed, WorkOptions } from './parallel-rows.ts'
import { renderRow } from './render-row.ts'
import { markPrompt } from './seen-rows.ts'
import { findSource } from './sources/sources.ts'

serveWork((options: WorkOptions) => {
  const source = findSource(options.format)
  const input = createInput()
  const output = createOutput()
  return async ({ file, line: first, start, end }: Block): Promise<Parcel<Done>> => {
    const bytes = input.read(file, start, end)
    async function* records(): AsyncGenerator<RawRecord> {
      for await (const piece of splitLines([bytes])) {
        const record = parseRecord(piece.bytes)
        if (record) yield { file, line: first + piece.line - 1, ...record }
      }
    }
    output.clear()
    const rows: Done['rows'] = []
    for await (const row of source.read(records())) rows.push(await finishRow(row, options, output))
    const texts = output.take()
    return { value: { rows, bytes: texts }, transfer: [texts.buffer] }
  }
})

async function finishRow(
  row: SourceRow | BadRow,
  options: WorkOptions,
  output: ReturnType<typeof createOutput>,
): Promise<Placed | BadRow> {
  if ('problem' in row) return row
  const examined = examineRow(row, options)
  const { hits, left, drop } = examined
  if (drop) return { id: row.id, hits, left, drop }
  const mark = markPrompt(examined.text, options)
  const rendered = await renderRow(chooseDraft(row, examined, options), options)
  if (!rendered) return { id: row.id, hits, left, mark }
  const lines = rendered.lines.map((line) => ({ ...line, rest: output.put(line.rest) }))
  return { id: row.id, hits, left, mark, rendered: { ...rendered, lines } }
}

/** Keeps its buffer and its open file for the next block. */
function createInput() {
  let buffer = Buffer.allocUnsafeSlow(1 << 20)
  let opened: { file: string; fd: number } | undefined
  return {
    read(file: string, start: number, end: number): Buffer {
      if (opened?.file !== file) {
        if (opened) closeSync(opened.fd)
        opened = { file, fd: openSync(file, 'r') }
      }
      if (buffer.length < end - start) buffer = Buffer.allocUnsafeSlow(2 * (end - start))
      for (let done = 0; done < end - start; ) {
        const count = readSync(opened.fd, buffer, done, end - start - done, start + done)
        if (count === 0) throw new Error(`${file} became shorter while it was read`)
        done += count
      }
      return buffer.subarray(0, end - start)
    },
  }
}

/** Collects texts in one buffer, one after the other, as UTF-8. */
function createOutput() {
  let buffer = Buffer.allocUnsafeSlow(1 << 20)
  let used = 0
  return {
    put(text: string): [start: number, end: number] {
      if (buffer.length - used < 3 * text.length) {
        const grown = Buffer.allocUnsafeSlow(2 * buffer.length + 3 * text.length)
        buffer.copy(grown, 0, 0, used)
        buffer = grown
      }
      const start = used
      used += buffer.write(text, used)
      return [start, used]
    },
    clear() {
      used = 0
    },
    take: () => new Uint8Array(buffer.subarray(0, used)),
  }
}
