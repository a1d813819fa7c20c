/**
 * Posts over HTTP and hands on the body as it comes. Node's own client takes a third of the processor's time that its
 * `fetch` takes per request, and half of it per piece of a stream.
 */
import http, { type ClientRequest, type IncomingMessage } from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import { pipeline, type Readable } from 'node:stream'
import zlib from 'node:zlib'

/** A response that has begun. Read its body, or close it. */
export interface Reply {
  status: number
  headers: { get(name: string): string | null }
  /**
   * Calls `take` with each piece of the body. Resolves at the end of the body, or as soon as `take` returns true: the rest
   * is then dropped, so that the connection can be used again.
   * @throws what `take` throws, or ConnectionError
   */
  read(take: (piece: Uint8Array) => boolean): Promise<void>
  /** Closes the connection. */
  close(): void
}

/** A connection that could not be made, or broke; its cause says why. */
export class ConnectionError extends Error {
  override name = 'ConnectionError'
}

/** What to post. */
export interface Posted {
  headers: Record<string, string>
  body: string
  /** Closes the connection, whatever has come. */
  signal: AbortSignal
}

/** A server may drop a connection that was idle for 5 s, as uvicorn does: it is not used again shortly before that. */
const IDLE_MS = 4_000

/** The proxy of the environment, if Node is set to use one. */
const { options } = http.globalAgent as { options?: { proxyEnv?: NodeJS.ProcessEnv } }
const agentOptions = { keepAlive: true, timeout: IDLE_MS, proxyEnv: options?.proxyEnv }
const agents = { http: new http.Agent(agentOptions), https: new https.Agent(agentOptions) }

/**
 * Resolves when the response begins. Redirects are not followed.
 * @throws ConnectionError
 */
export function postHTTP(address: string, posted: Posted): Promise<Reply> {
  const { headers, body, signal } = posted
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const url = new URL(address)
    // A timer of the socket would be set again at each read; the limits are the caller's.
    const options = { method: 'POST', headers, timeout: 0 }
    const request =
      url.protocol === 'https:'
        ? https.request(url, { ...options, agent: agents.https })
        : http.request(url, { ...options, agent: agents.http })
    let hasBegun = false
    signal.addEventListener('abort', () => request.destroy(signal.reason), { once: true })
    request.once('socket', (socket) => limitConnecting(request, socket))
    request.once('response', (response) => {
      hasBegun = true
      resolve(toReply(request, response))
    })
    // An abort gives its reason, which may be any value.
    request.on('error', (cause: { code?: string } | string | undefined) => {
      if (hasBegun) return // the body has errors of its own
      const code = typeof cause === 'object' ? cause.code : undefined
      const wasDropped = request.reusedSocket && code !== undefined && RESETS.includes(code)
      if (wasDropped && !signal.aborted) resolve(postHTTP(address, posted))
      else reject(brokenBy(cause))
    })
    request.end(body)
  })
}

/** A server that drops an idle connection just when it is used again has not read the request: it gets it again. */
const RESETS = ['ECONNRESET', 'EPIPE']

function brokenBy(cause: unknown): ConnectionError {
  return new ConnectionError('the connection failed', { cause })
}

const CONNECT_MS = 10_000

function limitConnecting(request: ClientRequest, socket: Socket): void {
  if (!socket.connecting) return
  const timer = setTimeout(() => {
    const error = new Error(`no connection after ${CONNECT_MS / 1000} s`)
    request.destroy(Object.assign(error, { code: 'CONNECT_TIMEOUT' }))
  }, CONNECT_MS)
  socket.once('connect', () => clearTimeout(timer))
  socket.once('close', () => clearTimeout(timer))
}

function toReply(request: ClientRequest, response: IncomingMessage): Reply {
  const close = () => void request.destroy()
  return {
    status: response.statusCode ?? 0,
    headers: { get: (name) => headerOf(response, name) },
    read: (take) => readStream(decompress(response), take, close),
    close,
  }
}

function headerOf({ headers }: IncomingMessage, name: string): string | null {
  const value = headers[name.toLowerCase()]
  return (Array.isArray(value) ? value.join(', ') : value) ?? null
}

/** Some servers compress although nothing asks for it. */
function decompress(response: IncomingMessage): Readable {
  const encoding = response.headers['content-encoding']
  if (encoding === undefined) return response
  const decoder = decoderOf(encoding.trim().toLowerCase())
  return decoder ? pipeline(response, decoder, () => {}) : response
}

function decoderOf(encoding: string) {
  // A stream is of use before its end: what has come is handed on.
  const flush = { flush: zlib.constants.Z_SYNC_FLUSH }
  if (encoding === 'gzip' || encoding === 'x-gzip') return zlib.createGunzip(flush)
  if (encoding === 'deflate') return zlib.createInflate(flush)
  if (encoding === 'br') return zlib.createBrotliDecompress()
  return encoding === 'zstd' ? zlib.createZstdDecompress() : undefined
}

/** Milliseconds for what comes after all that was wanted. */
const REST_MS = 1_000

function readStream(stream: Readable, take: (piece: Buffer) => boolean, close: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const onData = (piece: Buffer) => {
      try {
        if (take(piece)) endWell()
      } catch (error) {
        stream.off('data', onData)
        reject(error)
        close()
      }
    }
    const endWell = () => {
      const timer = setTimeout(close, REST_MS)
      stream.once('close', () => clearTimeout(timer))
      stream.off('data', onData)
      stream.resume()
      resolve()
    }
    stream.on('data', onData)
    stream.once('end', resolve)
    stream.on('error', (cause) => reject(brokenBy(cause)))
    stream.once('close', () => {
      if (!stream.readableEnded) reject(brokenBy(new Error('the connection was closed')))
    })
  })
}

/** The response of a `fetch`, read in the same way. */
export function fromFetch({ status, headers, body }: Response): Reply {
  const close = () => void body?.cancel().catch(() => {})
  return {
    status,
    headers,
    close,
    async read(take) {
      const reader = body?.getReader()
      if (!reader) return
      let isOver = false
      try {
        while (!isOver) {
          const { done, value } = await reader.read().catch((cause) => {
            throw brokenBy(cause)
          })
          isOver = done || take(value)
        }
      } finally {
        if (isOver) void drain(reader)
        else reader.cancel().catch(() => {})
      }
    },
  }
}

async function drain(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  const timer = setTimeout(() => void reader.cancel().catch(() => {}), REST_MS)
  try {
    while (!(await reader.read()).done);
  } catch {
    // Nothing that was wanted is lost.
  } finally {
    clearTimeout(timer)
  }
}
