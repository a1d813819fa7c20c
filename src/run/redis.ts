/** A connection to Redis or Valkey: its address, its password, and what a person should know. The password is in no message. */
import type { Redis, RedisOptions } from 'ioredis'
import { EngineError, keepSecret, UsageError } from '../core/provider/errors.ts'
import { importPackage, needPackages } from '../files/optional-packages.ts'

/** A server that was reached. */
export interface RedisServer {
  /** `HOST:PORT/DATABASE`, for messages. */
  place: string
  redis: Redis
  /** Another connection, for calls that wait. */
  connectAgain(): Redis
  /** What a person should know about the server's settings. */
  warnings: string[]
  close(): void
}

/** What the connection is for. */
export interface RedisUse {
  /** The packages that it needs. */
  packages: Parameters<typeof needPackages>[0]
  /** Variable that holds the password, so that it is not in the list of processes. */
  passwordVariable: string
  /** Checks what `INFO` says, and returns warnings. */
  check(info: string, place: string): string[]
  /** In place of those that wait for a server that is gone. */
  options?: RedisOptions
  env?: NodeJS.ProcessEnv
  /** Gets a line when the server is lost, and when it is back. */
  onNote?: (note: string) => void
}

const LEAST_VERSION = [6, 2]
/** A server that says nothing for so long is asked again over a new connection. */
const SILENCE_MS = 30_000
const CONNECT_MS = 10_000

/**
 * Connects to the server of a `redis://` or `rediss://` address and checks it.
 * @throws UsageError for another address, a server that is too old or fails the check, or a package that is missing;
 * EngineError if the server cannot be reached or refuses the password
 */
export async function connectRedis(address: string, use: RedisUse): Promise<RedisServer> {
  const { env = process.env, passwordVariable } = use
  const { options, place } = readAddress(address, env[passwordVariable])
  needPackages(use.packages)
  const { Redis } = (await importPackage('ioredis')) as unknown as typeof import('ioredis')
  const make = () => {
    const redis = new Redis({ ...options, ...use.options, lazyConnect: true })
    // An error without a listener would be printed with the command and its arguments.
    redis.on('error', () => {})
    return redis
  }
  const redis = make()
  const opened = [redis]
  const close = () => {
    for (const one of opened) one.disconnect()
  }
  const connectAgain = () => {
    const again = make()
    opened.push(again)
    return again
  }
  try {
    await connectOnce(redis)
    const info = await redis.info()
    checkVersion(info, place)
    const warnings = use.check(info, place)
    watch(redis, place, use.onNote ?? (() => {}))
    return { place, redis, connectAgain, warnings, close }
  } catch (error) {
    close()
    throw toEngineError(error, place, passwordVariable)
  }
}

/** A field of what `INFO` says. */
export function readInfo(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1]?.trim()
}

/** Checks the version that `INFO` says. @throws UsageError for one that is too old */
export function checkVersion(info: string, place: string): void {
  const version = readInfo(info, 'redis_version') ?? '0'
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [leastMajor = 0, leastMinor = 0] = LEAST_VERSION
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return
  throw new UsageError(
    `redis ${place}: expected Redis ${LEAST_VERSION.join('.')} or newer, or Valkey, got ${version}`,
  )
}

/** Reads `redis://USER:PASSWORD@HOST:PORT/DATABASE`. @throws UsageError, without the address: it may have a password */
export function readAddress(
  address: string,
  passwordOfEnv?: string,
): { options: RedisOptions; place: string } {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (!url || !['redis:', 'rediss:'].includes(url.protocol) || !/^\/?\d*$/.test(url.pathname)) {
    throw new UsageError(
      'expected the address of a Redis or Valkey, such as redis://127.0.0.1:6379/0, or rediss://… for TLS',
    )
  }
  const password = decode(url.password) || passwordOfEnv?.trim() || undefined
  keepSecret(url.password, password)
  const [port, db] = [Number(url.port || 6379), Number(url.pathname.slice(1) || 0)]
  const host = url.hostname.replace(/^\[|\]$/g, '') || '127.0.0.1'
  const options: RedisOptions = {
    host,
    port,
    db,
    username: decode(url.username) || undefined,
    password,
    tls: url.protocol === 'rediss:' ? {} : undefined,
    maxRetriesPerRequest: null,
    connectTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    retryStrategy: (times) => Math.min(100 * times, 2_000),
  }
  return { options, place: `${url.hostname || host}:${port}/${db}` }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The first connection fails at once if there is no server: later ones wait for it to come back. */
async function connectOnce(redis: Redis): Promise<void> {
  let lost: unknown
  redis.once('error', (error) => {
    lost = error
  })
  try {
    await redis.connect()
  } catch (error) {
    throw lost ?? error
  }
}

function toEngineError(error: unknown, place: string, passwordVariable: string): unknown {
  if (error instanceof EngineError || error instanceof UsageError) return error
  const { message, code = '' } = error as NodeJS.ErrnoException
  const reason = (message || code || String(error)).replace(/; if the root CA.*/, '').slice(0, 200)
  const isAuth = /^(WRONGPASS|NOAUTH|NOPERM)/.test(reason)
  const advice = isAuth
    ? `give the user and the password in the address, or the password in ${passwordVariable}`
    : adviceOf(code)
  return new EngineError(`redis ${place}`, isAuth ? 'auth' : 'unreachable', `${reason}: ${advice}`)
}

function adviceOf(code: string): string {
  if (/CERT|SIGNATURE|ISSUER/.test(code))
    return 'give the file of its certificate authority in NODE_EXTRA_CA_CERTS, and the name that its certificate has'
  if (/^(ERR_SSL|ECONNRESET|EPROTO)/.test(code))
    return 'rediss:// is with TLS, redis:// without; which one is it?'
  return 'is it running, and is the address right?'
}

function watch(redis: Redis, place: string, onNote: (note: string) => void): void {
  let isLost = false
  redis.on('close', () => {
    if (!isLost && redis.status !== 'end') onNote(`redis ${place} is lost; waiting for it`)
    isLost = true
  })
  redis.on('ready', () => {
    if (isLost) onNote(`redis ${place} is back`)
    isLost = false
  })
}
