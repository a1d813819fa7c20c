/** An error that the caller can fix: a wrong flag, name or setting. The command line exits with code 2. Never holds a key. */
export class UsageError extends Error {
  override name = 'UsageError'
  /** The option that is wrong, by its name in the API (`maxTokens`). */
  readonly param?: string
  /** What is wrong with it, for programs (`unknown-engine`). */
  readonly code?: string

  constructor(message: string, more: { param?: string; code?: string; cause?: unknown } = {}) {
    super(redact(message), withoutKeys(more))
    this.param = more.param
    this.code = more.code
  }
}

/** A file has wrong content. The message starts with `FILE:LINE:`. Never holds a key. */
export class DataError extends Error {
  override name = 'DataError'
  readonly file: string
  readonly line?: number

  constructor(file: string, line: number | undefined, problem: string) {
    super(redact(`${file}${line === undefined ? '' : `:${line}`}: ${problem}`))
    this.file = file
    this.line = line
  }
}

/**
 * What went wrong at an engine.
 * - `unreachable`: no connection; `timeout`; `server`: 5xx, or a broken answer; `rate-limit`: 429
 * - `auth`: 401, 403; `billing`: 402; `not-found`: unknown model or address
 * - `context-overflow`: the prompt does not fit; `refused`: any other 4xx; `aborted`: the caller's signal
 * - `straggler`: cut by the layer's quorum or cap; `missing`: never came
 */
export type EngineErrorKind =
  | 'unreachable'
  | 'timeout'
  | 'server'
  | 'rate-limit'
  | 'auth'
  | 'billing'
  | 'not-found'
  | 'context-overflow'
  | 'refused'
  | 'aborted'
  | 'straggler'
  | 'missing'

/** A request or one of its completions failed. Never holds a key: see `redact`. */
export class EngineError extends Error {
  override name = 'EngineError'
  readonly engine: string
  readonly kind: EngineErrorKind
  readonly isRetryable: boolean
  readonly status?: number
  /** Of a `context-overflow`: tokens of the prompt and of the context, if known. */
  readonly tokens?: { prompt?: number; context?: number }
  /** The field of the request that was refused, by its name on the wire (`response_format`), if that is known. */
  readonly param?: string
  /** Milliseconds that the server asks to wait before the next request. */
  readonly retryAfterMs?: number

  constructor(
    engine: string,
    kind: EngineErrorKind,
    message: string,
    more: {
      status?: number
      isRetryable?: boolean
      cause?: unknown
      tokens?: { prompt?: number; context?: number }
      param?: string
      retryAfterMs?: number
    } = {},
  ) {
    super(redact(message), withoutKeys(more))
    this.engine = engine
    this.kind = kind
    this.status = more.status
    this.tokens = more.tokens
    this.param = more.param
    this.retryAfterMs = more.retryAfterMs
    this.isRetryable = more.isRetryable ?? ['unreachable', 'timeout', 'server', 'rate-limit'].includes(kind)
  }
}

const secrets = new Set<string>()
/** Shorter values may be parts of ordinary words. */
const MIN_SECRET_CHARS = 8

/**
 * Makes `redact` hide these values from now on, whatever they look like: keys, and the words of a secret header. What a
 * server makes of a key that it repeats is hidden too: escaped, percent-encoded or in base64.
 */
export function keepSecret(...values: (string | undefined)[]): void {
  for (const value of values)
    for (const word of value?.split(/\s+/) ?? [])
      if (word.length >= MIN_SECRET_CHARS) for (const form of formsOf(word)) secrets.add(form)
}

function formsOf(word: string): string[] {
  const toBase64 = (at: number) =>
    Buffer.concat([Buffer.alloc(at), Buffer.from(word)])
      .toString('base64')
      .replace(/=+$/, '')
  // In a longer text, such as `user:key`, a word stands at one of three places. Its first and last sign are mixed with others.
  const within = [0, 1, 2].map((at) => toBase64(at).slice(at && at + 1, -1))
  const base64 = [toBase64(0), ...within]
  const url = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'))
  const percent = [encodeURIComponent(word), encodeURIComponent(encodeURIComponent(word))]
  const escaped = JSON.stringify(word).slice(1, -1)
  const html = word.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
  const forms = [word, escaped, escaped.replaceAll('/', '\\/'), html, ...percent, ...base64, ...url]
  return [...forms, ...percent.map((text) => text.toLowerCase()), Buffer.from(word).toString('hex')]
}

/** Replaces kept secrets and what looks like a key or a password (`sk-…`, `Bearer …`, `user:password@`) with `[hidden]`. */
export function redact(text: string): string {
  let plain = text
  for (const secret of secrets) plain = plain.replaceAll(secret, '[hidden]')
  return hidePatterns(plain)
}

/** Whether a text has what looks like a key or a password. */
export function holdsKey(text: string): boolean {
  return hidePatterns(text) !== text
}

function hidePatterns(text: string): string {
  return text
    .replace(/\b(Bearer|Basic)\s+[\w.~+/=-]{6,}/gi, '$1 [hidden]')
    .replace(/\b(sk|pk|key|hf|gsk|xai|AIza)[-_][\w-]{8,}/g, '[hidden]')
    .replace(/\b(AIza|(pplx|nvapi|csk)-|(fw|r8|tgp|gh[opsu]|github_pat)_)[\w-]{20,}/g, '[hidden]')
    .replace(/:\/\/[^\s/@]*:[^\s/@]+@/g, '://[hidden]@')
    .replace(/([?&](?:api[-_]?key|key|(?:access[-_]?)?token|password)=)[^&#\s"']+/gi, '$1[hidden]')
}

/** The cause of an error, for its constructor. If one of its texts has a key, only its own message is left, without it. */
function withoutKeys({ cause }: { cause?: unknown }): ErrorOptions | undefined {
  if (cause === undefined) return undefined
  return { cause: showsKey(cause) ? new Error(redact(String(cause))) : cause }
}

/** Whether a thrown value, or an error that caused it, has a key in one of its texts. */
function showsKey(value: unknown, depth = 0): boolean {
  if (typeof value === 'string') return redact(value) !== value
  if (!(value instanceof Error) || depth > 8) return false
  const parts = Object.getOwnPropertyDescriptors(value)
  return Object.values(parts).some((part) => showsKey(part.value, depth + 1))
}

/** Turns any error into the record that journals and outputs hold. No key is in it, not even one that became known later. */
export function describeError(error: unknown): {
  kind: string
  message: string
  engine?: string
  status?: number
  param?: string
  retryAfterMs?: number
} {
  const message = redact(error instanceof Error ? error.message : String(error))
  if (error instanceof EngineError) {
    const { kind, engine, status, param, retryAfterMs } = error
    return {
      kind,
      message,
      engine: redact(engine),
      ...(status !== undefined && { status }),
      ...(param && { param }),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    }
  }
  if (error instanceof UsageError) return { kind: 'usage', message }
  return { kind: error instanceof DataError ? 'data' : 'internal', message }
}

/** An error as results and journals hold it. */
export type ErrorRecord = ReturnType<typeof describeError>
