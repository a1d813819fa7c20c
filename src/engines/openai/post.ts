/** Sends one request for completions. */
import { StringDecoder } from 'node:string_decoder'
import { EngineError } from '../../core/provider/errors.ts'
import { fromFetch, type Posted, postHTTP, type Reply } from '../../lib/http-post.ts'
import { errorFromConnection, errorFromResponse } from '../upstream/error.ts'
import { hops } from './hops.ts'

/** Where requests go, and what goes with each. */
export interface Target {
  /** The engine's, for errors. */
  id: string
  /** Of `/chat/completions`, or of `/completions` for raw text; query included. */
  url: string
  headers: Record<string, string>
  /** Only to keep it out of error messages: the headers hold it already. */
  apiKey?: string
  /** In place of this project's own client. */
  fetch?: typeof globalThis.fetch
  /** It has answered a request before, if only with a refusal. */
  hasAnswered: boolean
}

/**
 * Posts a body and resolves when the response begins.
 * @throws UpstreamError for a status that is no success, and for a connection that fails; EngineError of kind
 *   `not-found` for a redirect to another server, or one that would turn the request into another
 */
export async function post(
  target: Target,
  body: object,
  { signal, headers: more }: { signal: AbortSignal; headers?: Record<string, string> },
): Promise<Reply> {
  const headers = { ...more, ...target.headers, ...countHops() }
  const reply = await send(target, { headers, body: JSON.stringify(body), signal })
  target.hasAnswered = true
  if (reply.status >= 200 && reply.status < 300) return reply
  const text = await readStart(reply)
  throw errorFromResponse(target.id, reply, text, {
    apiKey: target.apiKey,
    advice: adviseOn(reply, target),
  })
}

const MAX_REDIRECTS = 5

/** Follows redirects within the origin that keep the request (307, 308): only the server that was named gets the prompt. */
async function send({ id, url, fetch }: Target, posted: Posted): Promise<Reply> {
  let address = url
  for (let i = 0; ; i++) {
    const reply = await postOnce(address, posted, fetch).catch((cause: unknown) => {
      throw errorFromConnection(id, cause)
    })
    const location = reply.headers.get('location')
    if (reply.status < 300 || reply.status > 308 || location === null) return reply
    reply.close()
    const next = new URL(location, address)
    const isKept = reply.status === 307 || reply.status === 308
    if (!isKept || i === MAX_REDIRECTS || next.origin !== new URL(address).origin)
      throw sentOn(id, reply.status, next)
    address = next.href
  }
}

async function postOnce(address: string, posted: Posted, fetch: Target['fetch']): Promise<Reply> {
  if (!fetch) return postHTTP(address, posted)
  return fromFetch(await fetch(address, { method: 'POST', redirect: 'manual', ...posted }))
}

function sentOn(engine: string, status: number, { origin, pathname }: URL): EngineError {
  const address = origin + pathname.replace(/(\/chat)?\/completions$/, '')
  const problem = `${status}: the server sends on to ${address}: give that address instead`
  return new EngineError(engine, 'not-found', problem, { status })
}

/** What is likely wrong with an address where nothing is found, or with a key that is refused. */
function adviseOn({ status }: Reply, { url, apiKey }: Target): string | undefined {
  if ((status === 401 || status === 403) && apiKey === undefined)
    return 'no key was sent: name the variable that holds it with --api-key-env'
  if (status !== 404 && status !== 405) return undefined
  const { pathname } = new URL(url)
  if (/\/completions(\/chat)?\/completions$/.test(pathname)) {
    return 'the address already ends in /completions: leave out what comes after /v1'
  }
  if (!/\/v\d/.test(pathname)) return 'the address has no /v1: most servers want it'
  return /\/chat\/completions$/.test(pathname)
    ? undefined
    : 'raw text needs a server with /v1/completions, and a model that it takes there'
}

/** Of an error, this much says what it is. */
const MAX_ERROR_BYTES = 64 * 1024

/** The start of a body, at most 64 kB of it. A body that breaks says what it said until then. */
async function readStart(reply: Reply): Promise<string> {
  const utf8 = new StringDecoder('utf8')
  let [text, bytes] = ['', 0]
  const take = (piece: Uint8Array) => {
    bytes += piece.byteLength
    text += utf8.write(piece)
    return bytes >= MAX_ERROR_BYTES
  }
  await reply.read(take).catch(() => {})
  if (bytes >= MAX_ERROR_BYTES) reply.close()
  return text.slice(0, MAX_ERROR_BYTES)
}

/** Inside a server the count continues from the request that is being answered. */
function countHops(): Record<string, string> | undefined {
  const count = hops.getStore()
  return count === undefined ? undefined : { 'x-aft-hops': String(count) }
}
