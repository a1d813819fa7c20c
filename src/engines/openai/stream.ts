/** The answer to a chat-completions request, as it comes over the wire. Nothing in it is taken for granted. */
import { EngineError } from '../../core/provider/errors.ts'
import { errorFromConnection } from '../upstream-error.ts'
import { type Batch, createFramer, FrameError } from './framing.ts'

/** How an answer is read. */
export interface Reading {
  /** Waits for a read, with whatever limits there are. */
  wait<T>(read: PromiseLike<T>): Promise<T>
  /** Gets what each read brought, and returns whether nothing more is wanted. */
  take(batch: Batch): boolean
}

/** Bytes that an answer may have: all that a client could want, and an end to a server that never stops. */
const MAX_ANSWER_BYTES = 2 ** 30

/**
 * Reads an answer: server-sent events, JSON lines or one JSON document, whatever its label says. What comes after the
 * answer is still read, so that the connection can be used again. Resolves with the first line that meant nothing.
 * @throws EngineError of kind `server` for what is no answer or too long, `not-found` for a web page, `unreachable` if
 *   the connection breaks
 */
export async function readAnswer(
  engine: string,
  response: Response,
  reading: Reading,
): Promise<string | undefined> {
  const { body } = response
  if (!body) throw new EngineError(engine, 'server', 'the answer has no body')
  const framer = createFramer()
  const reader = body.getReader()
  const utf8 = new TextDecoder()
  let [isOver, isWaiting, bytes] = [false, false, 0]
  try {
    while (!isOver) {
      isWaiting = true
      const { done, value } = await reading.wait(reader.read())
      isWaiting = false
      bytes += value?.byteLength ?? 0
      if (bytes > MAX_ANSWER_BYTES) throw endless(engine)
      isOver = reading.take(framer.push(done ? utf8.decode() : utf8.decode(value, { stream: true })))
      if (done && !isOver) reading.take(framer.end())
      isOver ||= done
    }
  } catch (error) {
    if (error instanceof FrameError) throw fromFrame(engine, error)
    // Any other error is one of this program, and must not be taken for one of the connection.
    throw isWaiting && !(error instanceof EngineError) ? errorFromConnection(engine, error) : error
  } finally {
    if (isOver) void drain(reader)
    else reader.cancel().catch(() => {})
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

const DRAIN_MS = 1_000

async function drain(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  const cancel = () => void reader.cancel().catch(() => {})
  const timer = setTimeout(cancel, DRAIN_MS)
  try {
    while (!(await reader.read()).done);
  } catch {
    // Nothing that was wanted is lost.
  } finally {
    clearTimeout(timer)
  }
}
