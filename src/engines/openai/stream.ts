/** The answer to a chat-completions request, as it comes over the wire. Nothing in it is taken for granted. */
import { StringDecoder } from 'node:string_decoder'
import { EngineError } from '../../core/provider/errors.ts'
import { ConnectionError, type Reply } from '../../lib/http-post.ts'
import { errorFromConnection } from '../upstream/error.ts'
import { FrameError } from './frame-error.ts'
import { createFramer, type Take } from './framing.ts'

/** What is done with an answer while it comes. */
export interface Reading {
  readonly take: Take
  /** Called after each read, and at the end. Returns whether nothing more is wanted. */
  endRead(isDone: boolean): boolean
  /** Nobody waits for a piece of it, only for its end. */
  isPatient?: boolean
}

/** Bytes that an answer may have: all that a client could want, and an end to a server that never stops. */
const MAX_ANSWER_BYTES = 2 ** 30

/**
 * Reads an answer: server-sent events, JSON lines or one JSON document, whatever its label says. Resolves with
 * the first line that meant nothing.
 * @throws EngineError of kind `server` for what is no answer or too long, `not-found` for a web page, `unreachable` if
 *   the connection breaks
 */
export async function readAnswer(
  engine: string,
  reply: Reply,
  { take, endRead, isPatient }: Reading,
): Promise<string | undefined> {
  const framer = createFramer(take)
  const utf8 = new StringDecoder('utf8')
  let [isOver, bytes] = [false, 0]
  const takePiece = (piece: Uint8Array) => {
    bytes += piece.byteLength
    if (bytes > MAX_ANSWER_BYTES) throw endless(engine)
    framer.push(utf8.write(piece))
    isOver = endRead(framer.isDone)
    return isOver
  }
  try {
    await reply.read(takePiece, { isPatient })
    if (isOver) return framer.stray
    framer.push(utf8.end())
    framer.end()
    endRead(framer.isDone)
  } catch (error) {
    if (error instanceof ConnectionError) throw errorFromConnection(engine, error)
    throw error instanceof FrameError ? fromFrame(engine, error) : error
  }
  return framer.stray
}

function fromFrame(engine: string, { reason, message }: FrameError): EngineError {
  if (reason === 'page') return new EngineError(engine, 'not-found', message)
  return new EngineError(engine, 'server', message, { isRetryable: reason === 'broken' })
}

function endless(engine: string): EngineError {
  const problem = `expected an answer of at most ${MAX_ANSWER_BYTES / 2 ** 30} GiB, and the server sent more`
  return new EngineError(engine, 'server', problem, { isRetryable: false })
}
