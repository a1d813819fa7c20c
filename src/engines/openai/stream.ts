/** The answer to a chat-completions request, as it comes over the wire. Nothing in it is taken for granted. */
import { createParser } from 'eventsource-parser'
import { EngineError } from '../../core/provider/errors.ts'

/** One event of a stream, or a whole answer. */
export interface Chunk {
  /** `error` in what older vLLM sends in place of an answer. */
  object?: string
  choices?: (ChunkChoice | null)[] | null
  usage?: WireUsage | null
  error?: unknown
}

/** What a chunk says of one completion. */
export interface ChunkChoice {
  index?: number
  delta?: Delta | null
  /** In place of `delta`, if a server answers whole. */
  message?: Delta | null
  finish_reason?: string | null
  logprobs?: { content?: WireScore[] | null } | null
}

/** The next piece of a completion. */
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

/** A token and its log probability. */
export interface WireScore {
  token: string
  logprob: number
  top_logprobs?: { token: string; logprob: number }[]
}

/** What the server counted. */
export interface WireUsage {
  prompt_tokens?: number | null
  completion_tokens?: number | null
  prompt_tokens_details?: { cached_tokens?: number | null } | null
  completion_tokens_details?: { reasoning_tokens?: number | null } | null
  /** US dollars (OpenRouter). */
  cost?: number | null
}

/** What one network read brought. */
export interface Batch {
  chunks: Chunk[]
  /** The server said that there is no more. */
  isDone: boolean
}

/** Turns text that has arrived into chunks. */
type Decoder = (text: string, isEnd: boolean) => Batch

/** How an answer is read. */
export interface Reading {
  /** Waits for a read, with whatever limits there are. */
  wait<T>(read: PromiseLike<T>): Promise<T>
  /** Gets what each read brought, and returns whether nothing more is wanted. */
  take(batch: Batch): boolean
}

/**
 * Reads an answer: server-sent events, or one JSON document from servers that cannot stream. What comes after the
 * answer is still read, so that the connection can be used again.
 * @throws EngineError of kind `server` for what is not JSON, `not-found` for a web page
 */
export async function readAnswer(engine: string, response: Response, reading: Reading): Promise<void> {
  const { body } = response
  if (!body) throw new EngineError(engine, 'server', 'the answer has no body')
  const decode = chooseDecoder(engine, response)
  const reader = body.getReader()
  const utf8 = new TextDecoder()
  let isOver = false
  try {
    while (!isOver) {
      const { done, value } = await reading.wait(reader.read())
      const batch = decode(done ? utf8.decode() : utf8.decode(value, { stream: true }), done)
      isOver = reading.take(batch) || done
    }
  } finally {
    if (isOver) void drain(reader)
    else reader.cancel().catch(() => {})
  }
}

function chooseDecoder(engine: string, response: Response): Decoder {
  const type = response.headers.get('content-type') ?? ''
  if (type.startsWith('text/html')) {
    void response.body?.cancel().catch(() => {})
    const problem = 'got a web page: is the address right, and does it end in /v1?'
    throw new EngineError(engine, 'not-found', problem)
  }
  return type.includes('application/json') ? documentDecoder(engine) : eventDecoder(engine)
}

function documentDecoder(engine: string): Decoder {
  let document = ''
  return (text, isEnd) => {
    document += text
    const chunk = isEnd ? tryParse(document) : undefined
    if (isEnd && !chunk) throw notJSON(engine, document)
    return { chunks: chunk ? [chunk] : [], isDone: isEnd }
  }
}

function eventDecoder(engine: string): Decoder {
  let batch: Batch
  const parser = createParser({ onEvent: ({ data }) => takeData(engine, data, batch) })
  return (text, isEnd) => {
    batch = { chunks: [], isDone: false }
    parser.feed(text)
    // The last event may lack its blank line.
    if (isEnd) parser.feed('\n\n')
    return batch
  }
}

/** Takes the data of one event; or of several, from servers that send no blank line between them. */
function takeData(engine: string, data: string, batch: Batch): void {
  if (batch.isDone || data === '') return
  const chunk = tryParse(data)
  if (chunk) batch.chunks.push(chunk)
  else if (data.trim() === '[DONE]') batch.isDone = true
  else if (data.includes('\n')) for (const line of data.split('\n')) takeData(engine, line.trim(), batch)
  else throw notJSON(engine, data)
}

function tryParse(text: string): Chunk | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

function notJSON(engine: string, text: string): EngineError {
  const problem = `expected a JSON object from the server, got ${JSON.stringify(text.slice(0, 120))}`
  return new EngineError(engine, 'server', problem)
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
