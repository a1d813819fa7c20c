/** The connection to the Redis or Valkey that holds a queue. The password is in no message. */
import type * as BullMQ from 'bullmq'
import type { Redis, RedisOptions } from 'ioredis'
import { EngineError, keepSecret, UsageError } from '../../core/provider/errors.ts'
import { importPackage, needPackages } from '../../files/optional-packages.ts'

/** A server that holds queues. */
export interface QueueServer {
  /** `HOST:PORT/DATABASE`, for messages. */
  place: string
  redis: Redis
  bullmq: typeof BullMQ
  /** Another connection, for calls that wait. */
  connectAgain(): Redis
  /** What a person should know about the server's settings. */
  warnings: string[]
  close(): void
}

/** Variable that holds the password, so that it is not in the list of processes. */
const PASSWORD_VARIABLE = 'AFT_QUEUE_PASSWORD'
const LEAST_VERSION = [6, 2]
/** A server that says nothing for so long is asked again over a new connection. */
const SILENCE_MS = 30_000
const CONNECT_MS = 10_000

/**
 * Connects to the server of a `redis://` or `rediss://` address and checks that it can hold a queue.
 * @param onNote gets a line when the server is lost, and when it is back
 * @throws UsageError for another address, a server that is too old or drops keys, or a package that is missing;
 * EngineError if the server cannot be reached or refuses the password
 */
export async function connectQueue(
  address: string,
  { env = process.env, onNote = () => {} }: { env?: NodeJS.ProcessEnv; onNote?: (note: string) => void } = {},
): Promise<QueueServer> {
  const { options, place } = readAddress(address, env)
  needPackages('a queue over several machines')
  const [{ Redis }, bullmq] = (await Promise.all([importPackage('ioredis'), importPackage('bullmq')])) as [
    typeof import('ioredis'),
    typeof BullMQ,
  ]
  const make = () => {
    const redis = new Redis({ ...options, lazyConnect: true })
    // An error without a listener would be printed with the command and its arguments.
    redis.on('error', () => {})
    return redis
  }
  const redis = make()
  const opened = [redis]
  const close = () => {
    for (const one of opened) one.disconnect()
  }
  try {
    await connectOnce(redis, place)
    const warnings = checkServer(await redis.info(), place)
    watch(redis, place, onNote)
    const connectAgain = () => {
      const again = make()
      opened.push(again)
      return again
    }
    return { place, redis, bullmq, connectAgain, warnings, close }
  } catch (error) {
    close()
    throw toEngineError(error, place)
  }
}

/** Reads `redis://USER:PASSWORD@HOST:PORT/DATABASE`. @throws UsageError, without the address: it may have a password */
export function readAddress(
  address: string,
  env: NodeJS.ProcessEnv,
): { options: RedisOptions; place: string } {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (!url || !['redis:', 'rediss:'].includes(url.protocol) || !/^\/?\d*$/.test(url.pathname)) {
    throw new UsageError(
      'expected the address of a queue, such as redis://127.0.0.1:6379/0, or rediss://… for TLS',
    )
  }
  const password = decode(url.password) || env[PASSWORD_VARIABLE]?.trim() || undefined
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
async function connectOnce(redis: Redis, place: string): Promise<void> {
  let lost: unknown
  redis.once('error', (error) => {
    lost = error
  })
  try {
    await redis.connect()
  } catch (error) {
    throw toEngineError(lost ?? error, place)
  }
}

function toEngineError(error: unknown, place: string): unknown {
  if (error instanceof EngineError || error instanceof UsageError) return error
  const { message, code = '' } = error as NodeJS.ErrnoException
  const reason = (message || code || String(error)).replace(/; if the root CA.*/, '').slice(0, 200)
  const isAuth = /^(WRONGPASS|NOAUTH|NOPERM)/.test(reason)
  const advice = isAuth
    ? `give the user and the password in the address, or the password in ${PASSWORD_VARIABLE}`
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

/** Checks what `INFO` says. Returns warnings. @throws UsageError for a server that would lose a queue */
export function checkServer(info: string, place: string): string[] {
  const find = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1]?.trim()
  const version = find('redis_version') ?? '0'
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [leastMajor = 0, leastMinor = 0] = LEAST_VERSION
  if (major < leastMajor || (major === leastMajor && minor < leastMinor)) {
    throw new UsageError(
      `redis ${place}: expected Redis ${LEAST_VERSION.join('.')} or newer, or Valkey, got ${version}`,
    )
  }
  const policy = find('maxmemory_policy')
  if (policy !== undefined && policy !== 'noeviction') {
    throw new UsageError(
      `redis ${place}: its maxmemory-policy is ${policy}, so it drops keys, and prompts with them, when its memory is full; ` +
        'set it to noeviction (redis-cli config set maxmemory-policy noeviction)',
    )
  }
  if (find('aof_enabled') !== '0') return []
  return [
    `redis ${place} has no append-only file: if it ends, what waits in it is asked again (redis-cli config set appendonly yes)`,
  ]
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
