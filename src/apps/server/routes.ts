/** The routes of the server, in the order in which a request passes them. */
import { randomUUID } from 'node:crypto'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { presetOf } from '../../request/plans.ts'
import { answerAt } from './answer-at.ts'
import { ApiError } from './api-error.ts'
import { chatEndpoint } from './chat-response.ts'
import type { KeyCheck } from './keys.ts'
import { allowOrigins } from './origins.ts'
import { pageApi, pageRoutes } from './page.ts'
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
  fixes?: string
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
    const name = options.checkKey(c.req.header('authorization'))
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
    return c.json(known.toJSON(), known.status as 400, known.headers)
  })
  app.notFound((c) => {
    throw new ApiError(404, `there is no ${c.req.method} ${c.req.path.slice(0, 200)}`, { code: 'not_found' })
  })
}

function addMetrics(app: Hono<Env>, { metrics }: Parts): void {
  app.use(async (c, next) => {
    const startMs = performance.now()
    await next()
    c.header('x-request-id', randomUUID())
    const endpoint = c.res.status === 404 ? 'other' : c.req.path.replace(/^(\/v1\/models)\/.*/, '$1')
    metrics.request(endpoint, c.res.status, (performance.now() - startMs) / 1_000)
  })
}

function addModels(app: Hono<Env>, { offer }: Parts): void {
  const created = nowSeconds()
  const toModel = (id: string) => ({ id, object: 'model', created, owned_by: 'aft' })
  app.get('/v1/models', (c) => c.json({ object: 'list', data: Object.keys(offer.presets).map(toModel) }))
  app.get('/v1/models/:id', (c) => {
    presetOf(c.req.param('id'), offer)
    return c.json(toModel(c.req.param('id')))
  })
}

function addAnswers(
  app: Hono<Env>,
  parts: Parts,
  { maxBodyBytes, maxStoredBytes, readerTimeoutMs, fixes }: RouteOptions,
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
  app.post('/v1/aft', answerAt(eventsEndpoint, parts, readerTimeoutMs))
  app.route('/v1/aft', pageApi(parts.offer, parts.template, fixes))
}
