/**
 * Posts over HTTP and hands on the body as it comes. Node's own client takes a third of the processor's time that its
 * `fetch` takes per request, and half of it per piece of a stream.
 */
import type { Agent, ClientRequest, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { pipeline, type Readable } from 'node:stream'
import { createGulps } from './gulps.ts'

/** A response that has begun. Read its body, or close it. */
export interface Reply {
  status: number
  headers: { get(name: string): string | null }
  /**
   * Calls `take` with each piece of the body. Resolves at the end of the body, or as soon as `take` returns true: the rest
   * is then dropped, so that the connection can be used again.
   * @throws what `take` throws, or ConnectionError
   */
  read(take: (piece: Uint8Array) => boolean, options?: ReadOptions): Promise<void>
  /** Closes the connection. */
  close(): void
}

/** How a body is read. */
export interface ReadOptions {
  /** Nobody waits for its pieces, only for its end: it is read in gulps. */
  isPatient?: boolean
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

/** Node's clients. An `import` of them also loads `fetch` and more: that takes longer than all of this project's modules. */
const httpOf = () => process.getBuiltinModule('node:http')
const httpsOf = () => process.getBuiltinModule('node:https')

let opened: ReturnType<typeof openAgents> | undefined
const agentsOf = () => (opened ??= openAgents())

function openAgents() {
  /** The proxy of the environment, if Node is set to use one. */
  const { options } = httpOf().globalAgent as { options?: { proxyEnv?: NodeJS.ProcessEnv } }
  const agentOptions = { keepAlive: true, timeout: IDLE_MS, proxyEnv: options?.proxyEnv }
  return { http: openPlain(agentOptions), https: new (httpsOf().Agent)(agentOptions) }
}

/** Plain connections are read into one buffer, without a stream of buffers. */
function openPlain(agentOptions: ConstructorParameters<typeof Agent>[0]): Agent {
  /** What is read of a connection before it is handed on, which takes no time in between. */
  const buffer = Buffer.allocUnsafeSlow(64 * 1024)
  class PlainAgent extends httpOf().Agent {
    override createConnection(...[options, callback]: Parameters<Agent['createConnection']>) {
      const onread = {
        buffer,
        callback: (bytes: number) => socket?.emit('data', buffer.subarray(0, bytes)) !== undefined,
      }
      const socket = super.createConnection({ ...options, onread } as typeof options, callback)
      return socket
    }
  }
  return new PlainAgent(agentOptions)
}

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
        ? httpsOf().request(url, { ...options, agent: agentsOf().https })
        : httpOf().request(url, { ...options, agent: agentsOf().http })
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
    read: (take, options) => readStream(response, { take, close, ...options }),
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
  const zlib = process.getBuiltinModule('node:zlib')
  // A stream is of use before its end: what has come is handed on.
  const flush = { flush: zlib.constants.Z_SYNC_FLUSH }
  if (encoding === 'gzip' || encoding === 'x-gzip') return zlib.createGunzip(flush)
  if (encoding === 'deflate') return zlib.createInflate(flush)
  if (encoding === 'br') return zlib.createBrotliDecompress()
  return encoding === 'zstd' ? zlib.createZstdDecompress() : undefined
}

/** Milliseconds for what comes after all that was wanted. */
const REST_MS = 1_000

interface Reading extends ReadOptions {
  take: (piece: Buffer) => boolean
  close: () => void
}

function readStream(response: IncomingMessage, { take, close, isPatient }: Reading): Promise<void> {
  const stream = decompress(response)
  const gulps = isPatient ? createGulps(response.socket) : undefined
  return new Promise((resolve, reject) => {
    const onData = (piece: Buffer) => {
      gulps?.taken(piece.length)
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
      gulps?.end()
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
