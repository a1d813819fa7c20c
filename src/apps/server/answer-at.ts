/** Handles a request of any endpoint: reads it, queues it, answers it, and writes one object or a stream. */
import { randomUUID } from 'node:crypto'
import type { AftEvent } from '../../core/result.ts'
import { hops } from '../../engines/openai/hops.ts'
import { foldNotes } from '../../plans/notes.ts'
import { templateOf } from '../../plans/wording.ts'
import { type Answered, type Ask, answerLive, type Sink } from '../../request/live.ts'
import { isReused } from '../../request/loop.ts'
import type { Spending } from '../../run/budget.ts'
import { openFormCheck } from '../../run/form/check.ts'
import type { Pass } from './allowance.ts'
import { ApiError, isInternal } from './api-error.ts'
import type { Endpoint, WireRequest } from './endpoint.ts'
import { readHops, readJson } from './gate.ts'
import { createMeter } from './meter.ts'
import { concealEvents, concealResult } from './names.ts'
import { withoutNulls } from './nulls.ts'
import { nowSeconds, type Parts, type RequestContext } from './parts.ts'
import { streamEvents } from './sse.ts'

/** Makes the handler of an endpoint. */
export function answerAt<R extends WireRequest>(
  endpoint: Endpoint<R>,
  parts: Parts,
  readerTimeoutMs?: number,
): (c: RequestContext) => Promise<Response> {
  const answer = async (c: RequestContext, pass: Pass): Promise<Response> => {
    const request = endpoint.read(withoutNulls(await readJson(c)), parts.offer, c.get('client'))
    const { ask, isStream, ignored } = request
    await openFormCheck(ask.prompt.responseFormat, ask.formatParam) // a wrong schema gets status 400, also for a stream
    const stamp = { id: `${endpoint.idPrefix}${randomUUID()}`, created: nowSeconds(), model: ask.model }
    const headers: Record<string, string> = {
      ...(ignored.length > 0 && { 'x-aft-ignored': toHeader(ignored) }),
      ...(ask.warnings.length > 0 && { 'x-aft-warning': ask.warnings.join('; ') }),
    }
    const disconnected = new AbortController()
    const onDisconnect = () => disconnected.abort('the client has disconnected')
    const answering = await enter(c, { ask, id: stamp.id, pass }, disconnected.signal, parts)
    Object.assign(headers, pass.headers())
    const { signal } = c.req.raw
    if (signal.aborted) onDisconnect()
    signal.addEventListener('abort', onDisconnect, { once: true })
    // What listens to the request's own signal keeps the whole request in memory, after its answer too.
    const run = (sink?: Sink) =>
      answering(sink).finally(() => signal.removeEventListener('abort', onDisconnect))
    if (isStream) {
      return streamEvents((stream) => endpoint.write(stream, { request, stamp }, run), {
        onDisconnect,
        headers,
        readerTimeoutMs,
      })
    }
    const answered = await run()
    Object.assign(headers, pass.headers())
    if (answered.result.degraded) headers['x-aft-degraded'] = 'true'
    return c.json(endpoint.whole(answered, request, stamp), 200, headers)
  }
  return async (c) => {
    const pass = await parts.allowance.enter(c.get('client'))
    try {
      return await answer(c, pass)
    } catch (error) {
      await pass.settle()
      throw error
    }
  }
}

/**
 * Takes a place in the queue. The returned function waits for the request's turn and then answers.
 * @throws ApiError 429 at once if the queue is full, or if the client has nothing left; 503 if that is not known
 */
async function enter(
  c: RequestContext,
  { ask, id, pass }: { ask: Ask; id: string; pass: Pass },
  disconnected: AbortSignal,
  { names, wordings, prices, drafts, queue, metrics, drain, log, toKnown }: Parts,
): Promise<(sink?: Sink) => Promise<Answered>> {
  const signal = AbortSignal.any([disconnected, drain.signal])
  const hop = readHops(c) + 1
  const template = templateOf(ask.plan, wordings)
  const meter = createMeter(ask, { template, prices })
  await pass.reserve(meter.bound)
  const turn = queue.enter(c.get('client'), signal)
  return async (sink) => {
    let release = () => {}
    let took: Spending | undefined
    try {
      release = await turn
      const note = foldNotes((text) => log(`${id} ${text}`), 20)
      const onEvent = (event: AftEvent) => {
        meter.onEvent(event)
        // That a quorum is reached is no trouble; who is cut then is in the log.
        if (event.type !== 'layer-waiting') note(event)
      }
      const host = { engines: names.engines, template, drafts, client: c.get('client'), signal, onEvent }
      const answered = await hops.run(hop, () => answerLive(ask, host, concealEvents(sink, names)))
      took = meter.took(answered.result)
      metrics.answer(answered.result)
      for (const failure of answered.result.layers.flatMap((layer) => layer.failures)) {
        if (isInternal(failure.error) && !isReused(failure)) log(failure.error.message)
      }
      return { ...answered, result: concealResult(answered.result, names) }
    } catch (error) {
      throw disconnected.aborted ? new ApiError(499, 'the client has disconnected') : toKnown(error)
    } finally {
      release()
      await pass.settle(took ?? (signal.aborted ? meter.tookAtMost() : meter.took(undefined)))
    }
  }
}

function toHeader(names: string[]): string {
  return names
    .map((name) => encodeURIComponent(name.slice(0, 40)))
    .slice(0, 20)
    .join(', ')
}
