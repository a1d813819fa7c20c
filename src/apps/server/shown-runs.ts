/** Reads the journals of running programs piece by piece, for the page that follows them. */
import { open, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Context } from 'hono'
import { ApiError } from './api-error.ts'

/** Most bytes of one reply. */
const PIECE_BYTES = 4 * 2 ** 20

/** A journal as the page lists it. `bytes` is null while there is no such file. */
export interface ShownRun {
  name: string
  bytes: number | null
}

/** Lists the journals with their present size. */
export async function listRuns(files: string[]): Promise<ShownRun[]> {
  return Promise.all(
    files.map(async (file) => ({
      name: path.basename(file),
      bytes: await stat(file).then(
        ({ size }) => size,
        () => null,
      ),
    })),
  )
}

/** Whole lines of a journal. `from` is 0 if it is not the file that was read before; `next` is where to read on. */
export interface Piece {
  /** Tells this file from one of the same name that a restarted run began. */
  file: string
  from: number
  next: number
  text: string
}

/** Replies with the lines from the byte that the request names. @throws ApiError 404 if there is no such journal */
export async function readRun(c: Context, files: string[]): Promise<Piece> {
  const file = files[Number(c.req.param('place'))]
  if (file === undefined)
    throw new ApiError(404, 'this server shows no such run: see --show-run', { code: 'no_run' })
  const from = Number(c.req.query('from') ?? 0)
  return readPiece(file, {
    from: Number.isSafeInteger(from) && from > 0 ? from : 0,
    before: c.req.query('file'),
  })
}

async function readPiece(path: string, wanted: { from: number; before?: string }): Promise<Piece> {
  const handle = await open(path).catch(() => undefined)
  if (handle === undefined) return { file: '', from: 0, next: 0, text: '' }
  try {
    const { size, ino } = await handle.stat()
    const file = String(ino)
    const from = wanted.before !== file || wanted.from > size ? 0 : wanted.from
    // A line of any length must fit, or the page would wait for its end for ever.
    for (let most = PIECE_BYTES; ; most *= 2) {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.min(most, size - from)), {
        position: from,
      })
      const end = buffer.subarray(0, bytesRead).lastIndexOf(0x0a) + 1
      if (end > 0 || from + bytesRead >= size)
        return { file, from, next: from + end, text: buffer.toString('utf8', 0, end) }
    }
  } finally {
    await handle.close()
  }
}
