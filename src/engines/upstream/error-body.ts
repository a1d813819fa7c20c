/** What the body of an error says, in whatever fields a server puts it. */

/** The facts that other code decides on. */
export interface ErrorBody {
  /** The server's own words, those of a server behind it included. */
  message: string
  /** An HTTP status (400 to 599) within the body. */
  status?: number
  /** The server's words for the kind of error (`overloaded_error`, `INVALID_ARGUMENT`), joined by blanks. */
  codes: string
}

type Fields = Record<string, unknown>

const NO_REASON = 'the server gives no reason'

/** Reads a parsed error body, or a text. */
export function readErrorBody(body: unknown): ErrorBody {
  const facts = { status: undefined as number | undefined, codes: [] as string[] }
  collectFacts(body, facts, 0)
  const message =
    findMessage(body) ?? (typeof body === 'object' ? stringify(body) || NO_REASON : String(body))
  return { message, status: facts.status, codes: facts.codes.join(' ') }
}

/** A value as JSON; nothing of one that is nested deeper than any JSON that was meant. */
export function stringify(value: unknown): string {
  try {
    return JSON.stringify(value) ?? ''
  } catch {
    return ''
  }
}

/** Milliseconds that a body asks to wait, as Google's `retryDelay: "34s"` or a `retry_after` in seconds. */
export function readRetryDelay(body: unknown, depth = 0): number | undefined {
  if (typeof body !== 'object' || body === null || depth > 6) return undefined
  const { retryDelay, retry_after: after } = body as Fields
  const seconds = typeof retryDelay === 'string' ? /^(\d+(?:\.\d+)?)s$/.exec(retryDelay)?.[1] : after
  const number = Number(seconds ?? Number.NaN)
  if (number >= 0 && number < Number.POSITIVE_INFINITY) return number * 1000
  for (const value of Object.values(body).slice(0, 20)) {
    const found = readRetryDelay(value, depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}

/** The JSON in a text, else the text. */
export function parseBody(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const MESSAGES = [
  'message',
  'msg',
  'Message',
  'error_msg',
  'error_message',
  'errorMessage',
  'error_description',
  'status_msg',
  'detail',
  'details',
  'reason',
  'title',
]
const WRAPPERS = ['error', 'Error', 'errors', 'base_resp', 'response', 'Response', 'data', 'header']

function findMessage(body: unknown, depth = 0): string | undefined {
  if (typeof body === 'string') return body.trim() === '' ? undefined : readMarkup(body)
  if (typeof body !== 'object' || body === null || depth > 5) return undefined
  if (Array.isArray(body)) return listMessages(body, depth)
  const fields = body as Fields
  for (const name of [...MESSAGES, ...WRAPPERS]) {
    const message = findMessage(fields[name], depth + 1)
    if (message !== undefined) return addCause(message, fields)
  }
  return undefined
}

/** Of a page or of XML the message or the title, else its text. */
function readMarkup(whole: string): string {
  if (!/^\s*<[!?a-z]/i.test(whole)) return whole
  const text = whole.slice(0, MARKUP_CHARS)
  const [, message] = /<(?:message|title|h1)>([^<]+)</i.exec(text) ?? []
  const plain = text.replace(/<(style|script).*?<\/\1>|<[^>]*>/gis, ' ').replace(/\s+/g, ' ')
  return (message ?? plain).trim() || text
}

const MARKUP_CHARS = 8_000

/** Messages of a list; FastAPI says where (`loc`) and what (`msg`). */
function listMessages(list: unknown[], depth: number): string | undefined {
  const messages = list.slice(0, 5).map((item) => {
    const { loc } = (item ?? {}) as { loc?: unknown }
    const message = findMessage(item, depth + 1)
    return Array.isArray(loc) && message !== undefined ? `${loc.join('.')}: ${message}` : message
  })
  const found = messages.filter((message) => message !== undefined)
  return found.length > 0 ? found.join('; ') : undefined
}

/** OpenRouter says "Provider returned error", and what the provider said in `metadata.raw`. */
function addCause(message: string, { metadata }: Fields): string {
  const { raw } = (metadata ?? {}) as { raw?: unknown }
  const cause = typeof raw === 'string' ? findMessage(parseBody(raw)) : findMessage(raw)
  return cause === undefined || message.includes(cause) ? message : `${message}: ${cause}`
}

const STATUS_NAMES = ['status', 'code', 'status_code', 'statusCode', 'http_code', 'http_status', 'error_code']
const CODE_NAMES = ['type', 'code', 'Code', 'status', 'error_type', '__type']

function collectFacts(body: unknown, facts: { status?: number; codes: string[] }, depth: number): void {
  if (typeof body !== 'object' || body === null || depth > 5) return
  const fields = (Array.isArray(body) ? (body[0] ?? {}) : body) as Fields
  for (const name of STATUS_NAMES) {
    const number = Number(fields[name])
    if (number >= 400 && number < 600) facts.status ??= number
  }
  for (const name of CODE_NAMES) {
    const code = fields[name]
    if (typeof code === 'string' && code !== 'error') facts.codes.push(code.slice(0, 100))
  }
  for (const name of WRAPPERS) collectFacts(fields[name], facts, depth + 1)
}

const TRANSIENT =
  /overload|busy|try (again|later)|retry|temporar|unavailable|time[sd]? ?out|rate.?limit|throttl|too many requests|ask later|capacity|resource_?exhausted|deadline|internal|server.?error|network|connection/i
const BY_WORDS: [RegExp, number][] = [
  [/api[ _-]?key|unauthori[sz]ed|unauthenticated|authentication|invalid token|login/i, 401],
  [/permission|forbidden|access ?denied|not (allowed|authorized)/i, 403],
  [/insufficient[_ ](quota|funds|balance|credits?)|billing|credit balance|payment/i, 402],
  [
    /(model|deployment|engine|path|route|url|page)\b.* (does not exist|not found)|not_?found|no such model/i,
    404,
  ],
  [/content.?filter|inspection|moderation|content policy/i, 400],
  [/rate.?limit|too many requests|throttl|resource_?exhausted/i, 429],
]
const REFUSED =
  /invalid|unsupported|not supported|unknown (?!error)|unrecognized|must be|required|missing|\bexpected|not permitted|malformed|illegal|bad request|failed_precondition|too (long|large)|exceeds?\b/i

/** The status that an error within an answer stands for. If nothing says that it is final, a retry may help: 500. */
export function statusFromWords({ message, codes, status }: ErrorBody): number {
  if (status !== undefined) return status
  // A server's code says more than its prose: "InternalError: invalid memory access" may pass.
  const byCode = findStatus(codes)
  if (byCode !== undefined && byCode !== 400) return byCode
  return findKnown(message) ?? byCode ?? findStatus(message) ?? 500
}

function findStatus(words: string): number | undefined {
  return findKnown(words) ?? (TRANSIENT.test(words) ? 500 : REFUSED.test(words) ? 400 : undefined)
}

function findKnown(words: string): number | undefined {
  return BY_WORDS.find(([pattern]) => pattern.test(words))?.[1]
}

const PLACES = [
  'param',
  'loc',
  'path',
  'field',
  'fields',
  'keys',
  'pointer',
  'instancePath',
  'property',
  'additionalProperty',
  'parameter',
  'name',
]

/** The fields that a body names as wrong, wherever it does (`param`, a path of pydantic, a JSON pointer). */
export function listNamed(body: unknown, depth = 0): string[] {
  if (typeof body !== 'object' || body === null || depth > 6) return []
  const fields = body as Record<string, unknown>
  const own = PLACES.flatMap((place) => headsOf(fields[place]))
  // What the client sent may come back, and names nothing.
  const inner = Object.entries(body).filter(([key]) => key !== 'input' && key !== 'received')
  return [...own, ...inner.flatMap(([, value]) => listNamed(value, depth + 1))]
}

/** The first names of a path, in whatever form: `["body", "seed"]`, `/seed`, `seed.0`, `$.seed`. */
function headsOf(place: unknown): string[] {
  if (Array.isArray(place)) return place.flatMap(headsOf)
  if (typeof place !== 'string') return []
  const [head] = place.split(/[^\w-]+/).filter((part) => part !== '' && part !== 'body')
  return head === undefined ? [] : [head]
}
