/** Turns answers that a reader corrected into training examples, in the operator's file. */
import { createHash } from 'node:crypto'
import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs'
import { z } from 'zod'
import type { Message } from '../../core/provider/engine.ts'
import { makeExample } from '../../data/make-example.ts'
import type { Example } from '../../files/rows/row.ts'
import { toFileError } from '../../lib/file-error.ts'
import { takeLock } from '../../lib/lock.ts'
import { writeAll } from '../../lib/write-whole.ts'
import { makePlan } from '../../plans/strategies.ts'
import { findTemplate } from '../../plans/wordings.ts'
import { ApiError, parseBody } from './api-error.ts'
import type { Parts } from './parts.ts'

const fixSchema = z.strictObject({
  messages: z
    .array(
      z.strictObject({
        role: z.enum(['system', 'developer', 'user', 'assistant']),
        content: z.string().min(1),
      }),
    )
    .min(1)
    .refine((messages) => messages.at(-1)?.role === 'user', 'expected the last message to be a user'),
  /** In the order in which the aggregator saw them. */
  proposals: z.array(z.strictObject({ text: z.string().min(1), model: z.string() })),
  /** The engine whose answer was corrected. */
  model: z.string(),
  completion: z.string().trim().min(1),
  /** Id of the template that the answer was made with. */
  template: z.string().optional(),
})

/**
 * Appends a corrected aggregation as a line of `train.jsonl`.
 * @throws ApiError 400 with the wrong field, 413, 503 and 507 (see `appendLine`); FileError if the file cannot be written
 */
export async function appendFix(
  file: string,
  body: unknown,
  { offer, wordings }: Pick<Parts, 'offer' | 'wordings'>,
): Promise<Example> {
  const fix = parseBody(fixSchema, body)
  const { messages, proposals, model, completion } = fix
  const { given, trained } = wordings
  const template = findTemplate(fix.template ?? makePlan(offer.base).template, [
    given,
    ...Object.values(trained),
  ])
  const id = createHash('sha256')
    .update(JSON.stringify([messages, proposals, completion]))
    .digest('hex')
    .slice(0, 16)
  const draft = {
    id: `fix-${id}`,
    conversation: messages as Message[],
    proposals: proposals.map((proposal) => ({ ...proposal, onPolicy: proposal.model === model })),
    target: completion,
    source: 'fixes',
  }
  const example = (await makeExample(draft, template)) as Example
  appendLine(file, `${JSON.stringify(example)}\n`)
  return example
}

/** One fix, and all of them: any client with a key may send some. */
const MAX_LINE_BYTES = 1 << 20
const MAX_FILE_BYTES = 1 << 28

/**
 * Appends a line, or nothing: what was written of it is taken back if the disk is full. The write is synchronous and
 * under a lock, so lines of several clients and servers do not mix.
 * @throws ApiError 413 for a large line, 507 for a full file, 503 if another server is writing; FileError
 */
function appendLine(file: string, line: string): void {
  if (Buffer.byteLength(line) > MAX_LINE_BYTES)
    throw new ApiError(413, `expected a fix of at most ${MAX_LINE_BYTES} bytes`, { code: 'too_large' })
  const lock = takeLock(`${file}.lock`)
  if (!lock)
    throw new ApiError(503, 'another server is writing the file of fixes: try again', { code: 'busy' })
  let fd: number | undefined
  try {
    fd = openSync(file, 'a+')
    const { size } = fstatSync(fd)
    if (size > MAX_FILE_BYTES)
      throw new ApiError(507, `the file of fixes is full: ${MAX_FILE_BYTES} bytes`, { code: 'full' })
    writeOrUndo(fd, endsWithBreak(fd, size) ? line : `\n${line}`, size)
  } catch (error) {
    throw error instanceof ApiError ? error : toFileError(file, error)
  } finally {
    if (fd !== undefined) closeSync(fd)
    lock.release()
  }
}

function writeOrUndo(fd: number, text: string, size: number): void {
  try {
    writeAll(fd, text)
  } catch (error) {
    try {
      ftruncateSync(fd, size)
    } catch {} // a device has no length; the cause is the failed write
    throw error
  }
}

/** Whether a file is empty or ends with a line break; a line that lacks it was cut, or edited by hand. */
function endsWithBreak(fd: number, size: number): boolean {
  if (size === 0) return true
  const last = Buffer.alloc(1)
  readSync(fd, last, 0, 1, size - 1)
  return last[0] === 0x0a
}
