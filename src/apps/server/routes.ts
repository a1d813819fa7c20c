/** The routes of the server, in the order in which a request passes them. */
import { randomUUID } from 'node:crypto'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { presetOf } from '../../request/plans.ts'
import { answerAt } from './answer-at.ts'
import { ApiError } from './api-error.ts'
import { chatEndpoint } from './chat-response.ts'
import type { KeyCheck } from './keys.ts'
import { countTokensAt } from './messages/count-tokens.ts'
import { toMessagesError } from './messages/errors.ts'
import { messagesEndpoint } from './messages/messages.ts'
import { allowOrigins } from './origins.ts'
import { pageApi, pageRoutes, type Shown } from './page.ts'
import { eventsEndpoint } from './page-endpoint.ts'
import { type Env, nowSeconds, type Parts } from './parts.ts'
import { readPath } from './paths.ts'
import { responsesEndpoint } from './responses.ts'
import { createResponseStore } from './responses-store.ts'

/** The operator's settings that the routes need in addition to the parts. */
export interface RouteOptions {
  checkKey: KeyCheck
  maxBodyBytes: number
  readerTimeoutMs?: number
  /** Memory for answers that later requests may name. */
  maxStoredBytes: number
  kept: Shown
  /** Origins whose pages may use the server. */
  origins: string[]
}

/** Makes all routes. Health and the page need no key; all later routes do. */
export function createRoutes(parts: Parts, options: RouteOptions): Hono<Env> {
  const app = new Hono<Env>({ getPath: readPath })
  addErrors(app, parts)
  addMetrics(app, parts)
  app.use(allowOrigins(options.origins))
  app.get('/health', (c) => {
    const isDraining = parts.drain.isDraining()
    return c.json({ status: isDraining ? 'draining' : 'ok' }, isDraining ? 503 : 200)
  })
  app.route('/', pageRoutes())
  app.use(async (c, next) => {
    // Clients of the Anthropic API send their key in a header of its own.
    const key = c.req.header('x-api-key')
    const name = options.checkKey(c.req.header('authorization') ?? (key && `Bearer ${key}`))
    c.set('client', name ?? c.env?.client ?? 'anybody')
    await next()
  })
  app.get('/metrics', (c) =>
    c.body(parts.metrics.render(parts.queue), 200, { 'content-type': 'text/plain; version=0.0.4' }),
  )
  addModels(app, parts)
  addAnswers(app, parts, options)
  return app
}

function addErrors(app: Hono<Env>, { toKnown }: Parts): void {
  app.onError((error, c) => {
    const known = toKnown(error)
    const body = c.req.path.startsWith('/v1/messages') ? toMessagesError(known) : known.toJSON()
    return c.json(body, known.status as 400, known.headers)
  })
  app.notFound((c) => {
    throw new ApiError(404, `there is no ${c.req.method} ${c.req.path.slice(0, 200)}`, { code: 'not_found' })
  })
}

/** The paths that metrics tell apart. A client chooses its path, so every other path has one label. */
const LABELS = new Set([
  '/',
  '/health',
  '/metrics',
  '/v1/aft',
  '/v1/aft/estimate',
  '/v1/aft/fixes',
  '/v1/aft/offer',
  '/v1/aft/ratings',
  '/v1/aft/runs',
  '/v1/aft/queue',
  '/v1/chat/completions',
  '/v1/messages',
  '/v1/models',
  '/v1/responses',
])

function labelOf(path: string): string {
  const whole = path.replace(/^\/v1\/(models|aft\/runs)\/.*/, '/v1/$1')
  if (LABELS.has(whole)) return whole
  return LABELS.has(`/v1${whole}`) ? `/v1${whole}` : 'other'
}

function addMetrics(app: Hono<Env>, { metrics }: Parts): void {
  app.use(async (c, next) => {
    const startMs = performance.now()
    await next()
    const id = randomUUID()
    for (const name of ['x-request-id', 'request-id']) c.header(name, id)
    metrics.request(labelOf(c.req.path), c.res.status, (performance.now() - startMs) / 1_000)
  })
}

function addModels(app: Hono<Env>, { offer }: Parts): void {
  const created = nowSeconds()
  const created_at = new Date(created * 1_000).toISOString()
  // The fields of both APIs: none has two meanings.
  const toModel = (id: string) => ({
    id,
    object: 'model',
    created,
    owned_by: 'aft',
    type: 'model',
    display_name: id,
    created_at,
  })
  app.get('/v1/models', (c) => {
    const data = Object.keys(offer.presets).map(toModel)
    return c.json({ object: 'list', data, has_more: false, first_id: data[0]?.id, last_id: data.at(-1)?.id })
  })
  app.get('/v1/models/:id', (c) => {
    presetOf(c.req.param('id'), offer)
    return c.json(toModel(c.req.param('id')))
  })
}

function addAnswers(
  app: Hono<Env>,
  parts: Parts,
  { maxBodyBytes, maxStoredBytes, readerTimeoutMs, kept }: RouteOptions,
): void {
  app.use('/v1/*', async (_, next) => {
    if (parts.drain.isDraining()) {
      throw new ApiError(503, 'the server is stopping', { headers: { 'retry-after': '5' } })
    }
    await next()
  })
  const onError = () => {
    throw new ApiError(413, 'the body is too large', { code: 'body_too_large' })
  }
  app.use('/v1/*', bodyLimit({ maxSize: maxBodyBytes, onError }))
  app.post('/v1/chat/completions', answerAt(chatEndpoint, parts, readerTimeoutMs))
  app.post(
    '/v1/responses',
    answerAt(responsesEndpoint(createResponseStore(maxStoredBytes)), parts, readerTimeoutMs),
  )
  app.post('/v1/messages', answerAt(messagesEndpoint, parts, readerTimeoutMs))
  app.post('/v1/aft', answerAt(eventsEndpoint, parts, readerTimeoutMs))
  // These ask no engine for text: they count as requests only.
  app.use(async (c, next) => {
    if (c.req.method === 'POST') await (await parts.allowance.enter(c.get('client'))).settle()
    await next()
  })
  app.post('/v1/messages/count_tokens', countTokensAt(parts))
  app.route('/v1/aft', pageApi(parts, kept))
}
