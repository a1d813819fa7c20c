/** An OpenAI-compatible server as a web-standard `fetch` handler: for Node by `listen.ts`, or mounted anywhere. */
import { randomUUID } from 'node:crypto'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { enginesOf } from '../../core/plan.ts'
import type { Engine } from '../../core/provider/engine.ts'
import { redact, UsageError } from '../../core/provider/errors.ts'
import { makePlan, type PlanOptions } from '../../core/strategies.ts'
import { defaultTemplate, type Template } from '../../core/templates.ts'
import { hops } from '../../engines/openai/hops.ts'
import { ApiError, isInternal, toApiError } from '../../request/api-error.ts'
import { type Answered, type Ask, answerLive, type Sink } from '../../request/live.ts'
import {
  DEFAULT_LIMITS,
  defaultPresets,
  type Limits,
  type Offer,
  type Preset,
  presetOf,
} from '../../request/plans.ts'
import { chatEndpoint } from './chat-response.ts'
import type { Endpoint, WireRequest } from './endpoint.ts'
import { readHops, readJson } from './gate.ts'
import { createKeyCheck, type Keys } from './keys.ts'
import { createMetrics } from './metrics.ts'
import { concealResult, type Names, nameEngines } from './names.ts'
import { pageApi, pageRoutes } from './page.ts'
import { concealEvents, eventsEndpoint } from './page-endpoint.ts'
import { createQueue } from './queue.ts'
import { responsesEndpoint } from './responses.ts'
import { streamEvents } from './sse.ts'

export type { Limits, Preset } from '../../request/plans.ts'
export type { Keys } from './keys.ts'

export interface ServerOptions {
  /** By the names that presets, and the requests' `aft` field, may use. */
  engines: Record<string, Engine>
  /** What holds where neither preset nor request says otherwise. `proposers` defaults to all engines. */
  defaults?: Partial<PlanOptions>
  /** Models that clients can name, next to `aft`, `aft-fast`, `moa`, `rsa` and `single`. */
  presets?: Record<string, Preset>
  template?: Template
  limits?: Partial<Limits>
  /** Name to key; without keys anybody is answered. */
  keys?: Keys
  /** Requests answered at once (default 64), and waiting (default 256; half of them at most of one client). */
  maxRunning?: number
  maxWaiting?: number
  /** Default 8 MiB. */
  maxBodyBytes?: number
  /** Milliseconds after which a client that reads nothing of a stream is taken to have left; default 60,000. */
  readerTimeoutMs?: number
  /** Whether clients are told addresses and paths of engines, in names and in messages. */
  showAddresses?: boolean
  /** File that answers mended on the page are appended to, as training examples; without it none are taken. */
  fixes?: string
  /** Gets a line for each fault of the server's own. */
  log?: (line: string) => void
}

export interface AftServer {
  /** @param client who asks, where no key says it: an address */
  fetch(request: Request, env?: { client?: string }): Promise<Response>
  /** Refuses new requests, waits for those under way, at most `timeoutMs`, then ends them with an error. */
  drain(timeoutMs: number): Promise<void>
}

type Env = { Bindings: { client?: string } | undefined; Variables: { client: string } }

/**
 * Makes a server.
 * @throws UsageError for a preset that cannot be, or names an engine that is not there
 */
export function createServer(options: ServerOptions): AftServer {
  const { template = defaultTemplate, log = () => {} } = options
  const names = nameEngines(options.engines, options.showAddresses)
  const offer = makeOffer(options, names, template)
  const queue = createQueue({
    maxRunning: options.maxRunning ?? 64,
    maxWaiting: options.maxWaiting ?? 256,
  })
  const metrics = createMetrics()
  const checkKey = createKeyCheck(options.keys ?? {})
  const created = nowSeconds()
  const closing = new AbortController()
  let isDraining = false

  const fail = (error: unknown) => {
    const known = toApiError(error, names.conceal)
    if (known.code === 'internal_error') log(redact(String((error as Error)?.stack ?? error)))
    return known
  }

  /** Answers when it is the request's turn. Refuses at once, by throwing, where the queue is full. */
  const start = (c: Context<Env>, ask: Ask, left: AbortSignal) => {
    const signal = AbortSignal.any([left, closing.signal])
    const hop = readHops(c) + 1
    const turn = queue.enter(c.get('client'), signal)
    return async (sink?: Sink): Promise<Answered> => {
      let release = () => {}
      try {
        release = await turn
        const host = { engines: names.engines, template, signal }
        const answered = await hops.run(hop, () => answerLive(ask, host, concealEvents(sink, names)))
        metrics.answer(answered.result)
        for (const { error } of answered.result.layers.flatMap((layer) => layer.failures)) {
          if (isInternal(error)) log(redact(error.message))
        }
        return { ...answered, result: concealResult(answered.result, names) }
      } catch (error) {
        throw left.aborted ? new ApiError(499, 'the client has left') : fail(error)
      } finally {
        release()
      }
    }
  }

  const answerAt =
    <R extends WireRequest>(endpoint: Endpoint<R>) =>
    async (c: Context<Env>) => {
      const request = endpoint.read(await readJson(c), offer)
      const { ask, isStream, ignored } = request
      const stamp = { id: `${endpoint.idPrefix}${randomUUID()}`, created: nowSeconds(), model: ask.model }
      const headers: Record<string, string> = ignored.length > 0 ? { 'x-aft-ignored': toHeader(ignored) } : {}
      const left = new AbortController()
      const onLeave = () => left.abort('the client has left')
      c.req.raw.signal.addEventListener('abort', onLeave, { once: true })
      const run = start(c, ask, left.signal)
      if (isStream) {
        const { readerTimeoutMs } = options
        return streamEvents((stream) => endpoint.write(stream, { request, stamp }, run), {
          onLeave,
          headers,
          readerTimeoutMs,
        })
      }
      const answered = await run()
      if (answered.result.degraded) headers['x-aft-degraded'] = 'true'
      return c.json(endpoint.whole(answered, request, stamp), 200, headers)
    }

  const app = new Hono<Env>()
  app.onError((error, c) => {
    const known = fail(error)
    return c.json(known.toJSON(), known.status as 400, known.headers)
  })
  app.notFound((c) => {
    throw new ApiError(404, `there is no ${c.req.method} ${c.req.path.slice(0, 200)}`, { code: 'not_found' })
  })
  app.use(async (c, next) => {
    const startMs = performance.now()
    await next()
    c.header('x-request-id', randomUUID())
    const endpoint = c.res.status === 404 ? 'other' : c.req.path.replace(/^(\/v1\/models)\/.*/, '$1')
    metrics.request(endpoint, c.res.status, (performance.now() - startMs) / 1_000)
  })
  app.get('/health', (c) => c.json({ status: isDraining ? 'draining' : 'ok' }, isDraining ? 503 : 200))
  app.route('/', pageRoutes())
  app.use(async (c, next) => {
    const name = checkKey(c.req.header('authorization'))
    c.set('client', name ?? c.env?.client ?? 'anybody')
    await next()
  })
  app.get('/metrics', (c) =>
    c.body(metrics.render(queue), 200, { 'content-type': 'text/plain; version=0.0.4' }),
  )

  const toModel = (id: string) => ({ id, object: 'model', created, owned_by: 'aft' })
  app.get('/v1/models', (c) => c.json({ object: 'list', data: Object.keys(offer.presets).map(toModel) }))
  app.get('/v1/models/:id', (c) => {
    presetOf(c.req.param('id'), offer)
    return c.json(toModel(c.req.param('id')))
  })

  app.use('/v1/*', async (_, next) => {
    if (isDraining) throw new ApiError(503, 'the server is stopping', { headers: { 'retry-after': '5' } })
    await next()
  })
  app.use(
    '/v1/*',
    bodyLimit({
      maxSize: options.maxBodyBytes ?? 8 * 2 ** 20,
      onError: () => {
        throw new ApiError(413, 'the body is too large', { code: 'body_too_large' })
      },
    }),
  )
  app.post('/v1/chat/completions', answerAt(chatEndpoint))
  app.post('/v1/responses', answerAt(responsesEndpoint))
  app.post('/v1/aft', answerAt(eventsEndpoint))
  app.route('/v1/aft', pageApi(offer, template, options.fixes))

  return {
    fetch: async (request, env) => app.fetch(request, env ?? {}),
    drain: async (timeoutMs) => {
      isDraining = true
      const stop = () => closing.abort(new ApiError(503, 'the server is stopping', { code: 'stopping' }))
      const timer = setTimeout(stop, timeoutMs)
      await queue.idle()
      clearTimeout(timer)
    },
  }
}

/** Every preset is made once, so that a wrong one is found at the start. */
function makeOffer(options: ServerOptions, { engines: named, rename }: Names, template: Template): Offer {
  const engines = Object.keys(named)
  const base: PlanOptions = rename({
    proposers: Object.keys(options.engines),
    ...options.defaults,
    template: template.id,
  })
  const own = Object.entries(options.presets ?? {}).map(([name, preset]) => [name, rename(preset)])
  const presets: Record<string, Preset> = { ...defaultPresets(base), ...Object.fromEntries(own) }
  for (const [name, preset] of Object.entries(presets)) {
    const missing = enginesOf(makePlan({ ...base, ...preset })).filter((engine) => !engines.includes(engine))
    if (missing.length === 0) continue
    throw new UsageError(`the preset ${name} names ${missing.join(', ')}; there are: ${engines.join(', ')}`)
  }
  return { presets, base, engines, limits: { ...DEFAULT_LIMITS, ...options.limits } }
}

function toHeader(names: string[]): string {
  return names
    .map((name) => encodeURIComponent(name.slice(0, 40)))
    .slice(0, 20)
    .join(', ')
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1_000)
}
