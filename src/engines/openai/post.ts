/** Sends one chat-completions request. */
import { EngineError } from '../../core/provider/errors.ts'
import { errorFromConnection, errorFromResponse } from '../upstream-error.ts'
import { hops } from './hops.ts'

/** Where requests go, and what goes with each. */
export interface Target {
  /** The engine's, for errors. */
  id: string
  /** Of `/chat/completions`, query included. */
  url: string
  headers: Record<string, string>
  /** Only to keep it out of error messages: the headers hold it already. */
  apiKey?: string
  fetch?: typeof globalThis.fetch
  /** It has answered a request before, if only with a refusal. */
  hasAnswered: boolean
}

/**
 * Posts a body and resolves when the response begins.
 * @throws UpstreamError for a status that is no success, and for a connection that fails; EngineError of kind
 *   `not-found` for a redirect that would turn the request into another
 */
export async function post(target: Target, body: object, signal: AbortSignal): Promise<Response> {
  const headers = { ...target.headers, ...countHops() }
  const sent = JSON.stringify(body)
  const response = await send(target, { method: 'POST', headers, body: sent, signal, redirect: 'manual' })
  target.hasAnswered = true
  if (response.ok) return response
  const text = await readStart(response)
  throw errorFromResponse(target.id, response, text, {
    apiKey: target.apiKey,
    advice: adviseOn(response, target),
  })
}

const MAX_REDIRECTS = 5

/** Follows redirects that keep the request (307, 308), to another origin without the key. */
async function send({ id, url, fetch = globalThis.fetch }: Target, request: RequestInit): Promise<Response> {
  let [address, headers] = [url, request.headers as Record<string, string>]
  for (let i = 0; ; i++) {
    const response = await fetch(address, { ...request, headers }).catch((cause: unknown) => {
      throw errorFromConnection(id, cause)
    })
    const location = response.headers.get('location')
    if (response.status < 300 || response.status > 308 || location === null) return response
    void response.body?.cancel().catch(() => {})
    const next = new URL(location, address)
    const isKept = response.status === 307 || response.status === 308
    if (!isKept || i === MAX_REDIRECTS || !/^https?:$/.test(next.protocol))
      throw sentOn(id, response.status, next)
    if (next.origin !== new URL(address).origin) headers = withoutKeys(headers)
    address = next.href
  }
}

const PUBLIC = ['accept', 'content-type', 'user-agent', 'x-aft-hops']

/** Credentials are meant for the origin that the user named, whatever their headers are called. */
function withoutKeys(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => PUBLIC.includes(name)))
}

function sentOn(engine: string, status: number, { origin, pathname }: URL): EngineError {
  const address = origin + pathname.replace(/\/chat\/completions$/, '')
  const problem = `${status}: the server sends on to ${address}: give that address instead`
  return new EngineError(engine, 'not-found', problem, { status })
}

/** What is likely wrong with an address where nothing is found, or with a key that is refused. */
function adviseOn({ status }: Response, { url, apiKey }: Target): string | undefined {
  if ((status === 401 || status === 403) && apiKey === undefined)
    return 'no key was sent: name the variable that holds it with --api-key-env'
  if (status !== 404 && status !== 405) return undefined
  const { pathname } = new URL(url)
  if (/\/(chat\/)?completions\/chat\/completions$/.test(pathname)) {
    return 'the address already ends in /completions: leave out what comes after /v1'
  }
  return /\/v\d/.test(pathname) ? undefined : 'the address has no /v1: most servers want it'
}

/** Of an error, this much says what it is. */
const MAX_ERROR_BYTES = 64 * 1024

/** The start of a body, at most 64 kB of it. A body that breaks says what it said until then. */
async function readStart({ body }: Response): Promise<string> {
  const utf8 = new TextDecoder()
  let [text, bytes] = ['', 0]
  if (!body) return text
  const reader = body.getReader()
  try {
    while (bytes < MAX_ERROR_BYTES) {
      const { done, value } = await reader.read()
      if (done) return text + utf8.decode()
      bytes += value.byteLength
      text += utf8.decode(value, { stream: true })
    }
  } catch {
    return text
  }
  reader.cancel().catch(() => {})
  return text.slice(0, MAX_ERROR_BYTES)
}

/** Inside a server the count continues from the request that is being answered. */
function countHops(): Record<string, string> | undefined {
  const count = hops.getStore()
  return count === undefined ? undefined : { 'x-aft-hops': String(count) }
}
