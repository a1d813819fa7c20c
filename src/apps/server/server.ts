/** An OpenAI-compatible server as a web-standard `fetch` handler. Node serves it with `listen.ts`; other servers mount it. */
import { enginesOf } from '../../core/plan.ts'
import type { Engine } from '../../core/provider/engine.ts'
import { redact, UsageError } from '../../core/provider/errors.ts'
import type { Template } from '../../core/provider/template.ts'
import { checkEngines } from '../../engines/given-engines.ts'
import { builtInPresets, type Preset } from '../../plans/presets.ts'
import { joinLevels } from '../../plans/roles.ts'
import { limitsOf, makePlan, type PlanOptions } from '../../plans/strategies.ts'
import { templateOf, templateOptions, type Wordings, wordingsOf } from '../../plans/wording.ts'
import { createDraftStore } from '../../request/drafts.ts'
import { DEFAULT_LIMITS, type Limits, type Offer } from '../../request/plans.ts'
import type { Price } from '../../run/budget.ts'
import { createAllowance } from './allowance.ts'
import { toApiError } from './api-error.ts'
import { type Counts, createCounts } from './counts.ts'
import { createDrain } from './drain.ts'
import { createKeyCheck, type Keys } from './keys.ts'
import type { ClientLimits } from './limits.ts'
import { createMetrics } from './metrics.ts'
import { type Names, nameEngines } from './names.ts'
import { readOrigins } from './origins.ts'
import type { HostEnv, Parts } from './parts.ts'
import { createQueue } from './queue.ts'
import { isRedisAddress } from './redis-counts.ts'
import { createRoutes } from './routes.ts'

export type { Preset } from '../../plans/presets.ts'
export type { Limits } from '../../request/plans.ts'
export type { Counts } from './counts.ts'
export type { Keys } from './keys.ts'
export type { ClientLimits } from './limits.ts'
export { connectUsage } from './redis-counts.ts'

/** Options of a server. Only `engines` is required. */
export interface ServerOptions {
  /** Engines by the names that presets and the requests' `aft` field may use. */
  engines: Record<string, Engine>
  /** Plan options that apply if neither preset nor request sets them. `proposers` defaults to all engines. */
  defaults?: Partial<PlanOptions>
  /** Models that clients can name, next to `aft`, `aft-fast`, `paper`, `moa`, `rsa` and `single`. */
  presets?: Record<string, Preset>
  /** For all models. Default: the one that the model of the last layer was trained with, or that of the preset. */
  template?: Template
  limits?: Partial<Limits>
  /** API keys by name. Without keys, every client is answered. */
  keys?: Keys
  /** What each client may take; a client is a key, or an address if there are no keys. Default: no limits. */
  clientLimits?: ClientLimits
  /** Limits of some keys, by the key's name, in place of those for all. */
  keyLimits?: Record<string, ClientLimits>
  /**
   * Keeps what clients used, so that it counts after a restart too: a file, one server per file, or what `connectUsage` made,
   * for several servers.
   */
  usageStore?: string | Counts
  /** US dollars per million tokens, by the names of `engines`. A limit of cost needs them. */
  prices?: Record<string, Price | undefined>
  /** Most requests to answer at once; default 64. `maxWaiting`: most that wait; default 256, half of them per client. */
  maxRunning?: number
  maxWaiting?: number
  /** Most bytes of a body; default 8 MiB. */
  maxBodyBytes?: number
  /**
   * Memory for answers of /v1/responses that later requests of their client may name, and as much for the drafts of turns
   * whose loop of tool calls may go on; default 64 MiB, 0 keeps none.
   */
  maxStoredBytes?: number
  /** A client that reads nothing of a stream for this many milliseconds counts as disconnected; default 60,000. */
  readerTimeoutMs?: number
  /** Show clients the addresses and paths of engines, in names and in messages. */
  showAddresses?: boolean
  /** File to append answers to that were corrected on the page, as training examples. Without it they are refused. */
  fixes?: string
  /** File to append what readers of the page say of answers. Without it ratings are refused. */
  ratings?: string
  /** Reads the runs of a queue, for the page. Every client may see them. */
  readQueue?: () => Promise<unknown[]>
  /** Journals of `aft run` that the page follows while they are written. Every client may read them. */
  runs?: string[]
  /** Origins whose pages may use the server (`https://chat.example`), or `*` for every page; default none. */
  allowOrigin?: string[]
  /** Accept `*` though the server has keys. */
  anyOrigin?: boolean
  /** Gets a line for each fault of the server itself. */
  log?: (line: string) => void
}

/** A server: a `fetch` handler, and a way to end it. */
export interface AftServer {
  /**
   * Answers a request. To mount it: `app.mount('/llm', server.fetch)` in Hono, and in Express
   * `app.use('/llm', getRequestListener(server.fetch))` of `@hono/node-server`, before any body parser.
   */
  fetch(request: Request, env?: HostEnv): Promise<Response>
  /** Refuses new requests, waits at most `timeoutMs` for running ones, and then ends those with an error. */
  drain(timeoutMs: number): Promise<void>
}

/**
 * Makes a server: the OpenAI API under `/v1`, the page at `/`, `/health` and `/metrics`.
 * @throws UsageError without an engine, for a preset that is not valid or names an engine that does not exist, and for a wrong origin
 * @example
 * import { openEngine } from 'aft'
 * import { createServer } from 'aft/server'
 *
 * const server = createServer({ engines: { small: await openEngine('smollm2') } })
 * const response = await server.fetch(new Request('http://localhost/v1/models'))
 */
export function createServer(options: ServerOptions): AftServer {
  if (Object.keys(options?.engines ?? {}).length === 0)
    throw new UsageError('expected `engines`, such as { small: await openEngine("smollm2") }, got none')
  checkEngines(options.engines)
  const { maxStoredBytes = 64 * 2 ** 20, log = () => {} } = options
  const names = nameEngines(options.engines, options.showAddresses)
  const wordings = wordingsOf(names.engines, options.template)
  const queue = createQueue({
    maxRunning: options.maxRunning ?? 64,
    maxWaiting: options.maxWaiting ?? 256,
  })
  const drain = createDrain(queue)
  checkPrices(options)
  const prices = Object.keys(options.engines).map((name): [string, Price | undefined] => [
    names.publicOf(name),
    options.prices?.[name],
  ])
  const parts: Parts = {
    names,
    offer: makeOffer(options, names, wordings),
    wordings,
    drafts: createDraftStore({ maxBytes: maxStoredBytes }),
    prices: Object.fromEntries(prices),
    allowance: createAllowance({
      limits: options.clientLimits,
      ofKeys: options.keyLimits,
      counts: openCounts(options),
    }),
    queue,
    metrics: createMetrics(),
    drain,
    log: (text) => log(redact(text)),
    toKnown: (error) => {
      const known = toApiError(error, names.conceal)
      if (known.code === 'internal_error') log(redact(String((error as Error)?.stack ?? error)))
      return known
    },
  }
  const { maxBodyBytes = 8 * 2 ** 20, readerTimeoutMs, keys = {}, anyOrigin = false } = options
  const hasKeys = Object.keys(keys).length > 0
  const origins = readOrigins(options.allowOrigin ?? [], { hasKeys, isAnyMeant: anyOrigin })
  const checkKey = createKeyCheck(keys)
  const app = createRoutes(parts, {
    checkKey,
    maxBodyBytes,
    maxStoredBytes,
    readerTimeoutMs,
    kept: options,
    origins,
  })
  return {
    fetch: async (request, env) => app.fetch(request, env ?? {}),
    drain: async (timeoutMs) => {
      await drain.end(timeoutMs)
      await parts.allowance.close()
    },
  }
}

function openCounts({ usageStore, log = () => {}, ...others }: ServerOptions): Counts {
  if ('usageFile' in others) throw new UsageError('usageFile: use usageStore')
  if (typeof usageStore === 'object') return usageStore
  if (usageStore !== undefined && isRedisAddress(usageStore))
    throw new UsageError('usageStore: give what `await connectUsage(address)` returns')
  return createCounts({ file: usageStore, log: (line) => log(redact(line)) })
}

function checkPrices({ clientLimits, keyLimits = {}, prices = {}, engines }: ServerOptions): void {
  if ([clientLimits, ...Object.values(keyLimits)].every((limits) => limits?.costPerDay === undefined)) return
  const unpriced = Object.keys(engines).filter((name) => !prices[name])
  if (unpriced.length === 0) return
  throw new UsageError(
    `a limit of cost needs prices, and that of ${unpriced.join(', ')} is not known. The config can give it: docs/models.md`,
    { param: 'clientLimits', code: 'unknown-price' },
  )
}

/** Makes the offer. It makes a plan of every preset once, so that a wrong preset is found at the start. */
function makeOffer(options: ServerOptions, { engines: named, rename }: Names, wordings: Wordings): Offer {
  const engines = Object.keys(named)
  const base: PlanOptions = rename({
    proposers: Object.keys(options.engines),
    ...options.defaults,
    ...templateOptions(wordings),
  })
  base.engineMaxTokens = limitsOf(named)
  const own = Object.entries(options.presets ?? {}).map(([name, preset]) => [name, rename(preset)])
  const presets: Record<string, Preset> = { ...builtInPresets(base), ...Object.fromEntries(own) }
  for (const [name, preset] of Object.entries(presets)) {
    const plan = makePlan(joinLevels(base, preset as PlanOptions))
    templateOf(plan, wordings)
    const missing = enginesOf(plan).filter((engine) => !engines.includes(engine))
    if (missing.length === 0) continue
    throw new UsageError(`the preset ${name} names ${missing.join(', ')}; there are: ${engines.join(', ')}`)
  }
  return { presets, base, engines, limits: { ...DEFAULT_LIMITS, ...options.limits } }
}
