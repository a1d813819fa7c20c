/** The chunks of a chat-completions answer, as they come over the wire. Nothing in them is taken for granted. */
import { EngineError } from '../../core/provider/errors.ts'

export interface Chunk {
  /** `error` in what older vLLM sends in place of an answer. */
  object?: string
  choices?: (ChunkChoice | null)[] | null
  usage?: WireUsage | null
  error?: unknown
}

export interface ChunkChoice {
  index?: number
  delta?: Delta | null
  /** In place of `delta` where a server answers whole. */
  message?: Delta | null
  finish_reason?: string | null
  logprobs?: { content?: WireScore[] | null } | null
}

export interface Delta {
  content?: string | null
  refusal?: string | null
  reasoning_content?: string | null
  reasoning?: string | null
  tool_calls?: {
    index?: number
    id?: string
    function?: { name?: string; arguments?: string }
  }[]
}

export interface WireScore {
  token: string
  logprob: number
  top_logprobs?: { token: string; logprob: number }[]
}

export interface WireUsage {
  prompt_tokens?: number | null
  completion_tokens?: number | null
  prompt_tokens_details?: { cached_tokens?: number | null } | null
  completion_tokens_details?: { reasoning_tokens?: number | null } | null
  /** US dollars (OpenRouter). */
  cost?: number | null
}

/** What one network read brought. `isDone` when the server said that there is no more. */
export interface Batch {
  chunks: Chunk[]
  isDone: boolean
}

/**
 * Reads an answer: server-sent events, or one JSON document from servers that cannot stream. `hear` waits for
 * each read, and `isEnough` is asked after each. What is left is still read, so that the connection can be used again.
 * @throws EngineError of kind `server` for what is no JSON, `not-found` for a web page
 */
export async function* readBatches(
  id: string,
  response: Response,
  { hear, isEnough }: { hear: <T>(promise: PromiseLike<T>) => Promise<T>; isEnough: () => boolean },
): AsyncGenerator<Batch> {
  if (!response.body) throw new EngineError(id, 'server', 'the answer has no body')
  const type = response.headers.get('content-type') ?? ''
  if (type.startsWith('text/html')) {
    void response.body.cancel().catch(() => {})
    throw new EngineError(id, 'not-found', 'got a web page: is the address right, and does it end in /v1?')
  }
  const isWhole = type.includes('application/json')
  const reader = response.body.getReader()
  const decoder = new TextDecoder()
  const read = isWhole ? readWhole : readLines
  let rest = ''
  let isOver = false
  try {
    while (!isOver) {
      const { done, value } = await hear(reader.read())
      rest += done ? decoder.decode() : decoder.decode(value, { stream: true })
      const batch = read(id, rest, done)
      rest = batch.rest
      yield batch
      isOver = done || isEnough()
    }
  } finally {
    if (isOver) void drain(reader)
    else reader.cancel().catch(() => {})
  }
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

function readWhole(id: string, text: string, isEnd: boolean): Batch & { rest: string } {
  if (!isEnd) return { chunks: [], isDone: false, rest: text }
  return { chunks: [parseChunk(id, text)], isDone: true, rest: '' }
}

/** Chat-completions events are one line each: `data: {…}`. Other fields and comments keep a connection alive. */
function readLines(id: string, text: string, isEnd: boolean): Batch & { rest: string } {
  const chunks: Chunk[] = []
  let from = 0
  for (
    let to = text.indexOf('\n');
    to !== -1 || (isEnd && from < text.length);
    to = text.indexOf('\n', from)
  ) {
    const line = text.slice(from, to === -1 ? text.length : to)
    from = to === -1 ? text.length : to + 1
    if (!line.startsWith('data:')) continue
    const data = line.slice(5).trim()
    if (data === '[DONE]') return { chunks, isDone: true, rest: '' }
    if (data !== '') chunks.push(parseChunk(id, data))
  }
  return { chunks, isDone: false, rest: text.slice(from) }
}

function parseChunk(id: string, text: string): Chunk {
  let chunk: unknown
  try {
    chunk = JSON.parse(text)
  } catch {}
  if (typeof chunk === 'object' && chunk !== null) return chunk
  throw new EngineError(
    id,
    'server',
    `expected JSON from the server, got ${JSON.stringify(text.slice(0, 120))}`,
  )
}
