/** Addresses and keys of servers, and what the engines of one server share. */
import { UsageError } from '../../core/provider/errors.ts'
import { createLevel, type Level } from '../../lib/level.ts'
import { createSlots, type Slots } from '../../lib/slots.ts'

type Env = Record<string, string | undefined>

const OPENAI_URL = 'https://api.openai.com/v1'

/** The address that `openai:MODEL` means: OPENAI_BASE_URL, or OpenAI's own. */
export function defaultBaseURL(env: Env): string {
  return env.OPENAI_BASE_URL?.trim() || OPENAI_URL
}

/**
 * The key for a server. OPENAI_API_KEY goes to the origin of OPENAI_BASE_URL (default OpenAI's own) and to this machine,
 * and to no other server: those get the key of the variable that `apiKeyEnv` names, or none.
 * @throws UsageError if the named variable is not set, or if OpenAI's own server would get no key
 */
export function keyFor(baseURL: string, env: Env, apiKeyEnv?: string): string | undefined {
  const key = env[apiKeyEnv ?? 'OPENAI_API_KEY']?.trim() || undefined
  if (apiKeyEnv !== undefined) {
    if (!key)
      throw new UsageError(
        `expected the key for ${baseURL} in the environment variable ${apiKeyEnv}, but it is not set`,
      )
    return key
  }
  const { origin, hostname } = new URL(baseURL)
  if (!key && origin === new URL(OPENAI_URL).origin) {
    throw new UsageError(
      `${origin} needs a key: set OPENAI_API_KEY, or set OPENAI_BASE_URL to another server`,
    )
  }
  return isHome(baseURL, env) || isLoopback(hostname) ? key : undefined
}

/** Whether the OPENAI_ variables of the environment are meant for this server. */
export function isHome(baseURL: string, env: Env): boolean {
  const home = defaultBaseURL(env)
  return URL.canParse(home) && new URL(home).origin === new URL(baseURL).origin
}

function isLoopback(hostname: string): boolean {
  return hostname === '[::1]' || /^(127(\.\d+){3}|localhost|.+\.localhost)$/.test(hostname)
}

/**
 * An address without query, user and closing slash. It names the engine, and its slots.
 * @throws UsageError for anything but the address of a web server
 */
export function normalizeURL(baseURL: string): string {
  const url = URL.canParse(baseURL) ? new URL(baseURL) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new UsageError(
      `expected the address of a server, such as http://127.0.0.1:8000/v1, got "${baseURL}"`,
    )
  }
  return url.origin + url.pathname.replace(/\/+$/, '')
}

/** The addresses in a name, separated by commas. */
export function splitAddresses(text: string): string[] {
  return text.split(/,(?=https?:)/)
}

/**
 * The id of a model at one address or at several. Of several it names none: a run is resumed where servers were added or
 * left out.
 */
export function idOfServers(addresses: string[], model: string): string {
  const [first = ''] = addresses
  return addresses.length > 1 ? `servers#${model}` : `${normalizeURL(first)}#${model}`
}

interface Endpoint {
  slots: Slots
  /** Absent if a number of places was given. */
  level?: Level
  users: number
}

const endpoints = new Map<string, Endpoint>()

/** Places at all addresses together that this process uses now. */
export function countPlacesNow(): number {
  return [...endpoints.values()].reduce((sum, { slots }) => sum + slots.capacity, 0)
}

function openEndpoint(concurrency = FIRST_PLACES): Endpoint {
  const slots = createSlots(concurrency)
  return { slots, users: 0, level: createLevel(slots) }
}

/** What any server takes. From there on it is found out how many more it can use. */
const FIRST_PLACES = 8

/**
 * Slots for completions at an address, shared by all engines of this process. The last given `concurrency` counts. Without
 * one, their number is found while they are used.
 */
export function shareSlots(
  address: string,
  concurrency?: number,
): { slots: Slots; level?: Level; leave: () => void } {
  const endpoint = endpoints.get(address) ?? openEndpoint(concurrency)
  if (concurrency !== undefined) {
    endpoint.slots.capacity = concurrency
    endpoint.level = undefined
  }
  endpoint.users++
  endpoints.set(address, endpoint)
  let hasLeft = false
  const leave = () => {
    if (!hasLeft && --endpoint.users === 0) endpoints.delete(address)
    hasLeft = true
  }
  return { slots: endpoint.slots, level: endpoint.level, leave }
}

/** Where completions of chats, or of raw text, are asked for. A query, such as Azure's `?api-version=…`, stays. */
export function completionsURL(baseURL: string, isRaw = false): string {
  const url = new URL(baseURL)
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${isRaw ? '' : 'chat/'}completions`
  url.hash = ''
  return url.href
}

/**
 * The headers of each request. OPENAI_ORG_ID, OPENAI_PROJECT_ID and OPENAI_CUSTOM_HEADERS go to the server that they
 * are meant for and to no other: there may be a key in them.
 * @throws UsageError for a key or header that HTTP cannot carry
 */
export function headersFor(
  baseURL: string,
  env: Env,
  { apiKey, hops, own = {} }: { apiKey?: string; hops: number | string; own?: Record<string, string> },
): Record<string, string> {
  const headers: Record<string, string> = { accept: 'application/json', 'user-agent': 'aft' }
  const set = (name: string, value: string | undefined) => value && setHeader(headers, name, value)
  if (apiKey !== undefined) set('authorization', `Bearer ${apiKey}`)
  if (isHome(baseURL, env)) {
    set('openai-organization', env.OPENAI_ORG_ID?.trim())
    set('openai-project', env.OPENAI_PROJECT_ID?.trim())
    const lines = env.OPENAI_CUSTOM_HEADERS?.matchAll(/^([^:\n]+):(.*)$/gm) ?? []
    for (const [, name = '', value] of lines) set(name.trim(), value?.trim())
  }
  if (apiKey === undefined) delete headers.authorization
  for (const [name, value] of Object.entries(own)) set(name, value)
  headers['x-aft-hops'] = String(hops)
  headers['content-type'] = 'application/json'
  return headers
}

function setHeader(headers: Record<string, string>, name: string, value: string): void {
  try {
    const http = process.getBuiltinModule('node:http') // an import would load much more
    http.validateHeaderName(name)
    http.validateHeaderValue(name, value)
  } catch {
    // The value is not shown: it may be a key.
    throw new UsageError(
      `expected a header that HTTP can carry, got "${name}" with characters that it cannot: check the key and OPENAI_CUSTOM_HEADERS`,
    )
  }
  headers[name.toLowerCase()] = value
}
