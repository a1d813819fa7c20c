/** Time for tests: it passes only when nothing else can happen, so that waits take no time and cannot flake. */
import type { Clock } from '../src/core/host.ts'
import type { CompletionEnd, CompletionRequest, Engine, EngineEvent } from '../src/core/provider/engine.ts'
import { EngineError, type EngineErrorKind } from '../src/core/provider/errors.ts'
import { merge } from '../src/lib/merge.ts'

/** A clock that starts at 0 and jumps to the next sleeper's time whenever the program waits. */
export function createVirtualClock(): Clock {
  const sleepers: { at: number; wake: () => void }[] = []
  let [nowMs, isTicking] = [0, false]
  const tick = () => {
    const next = sleepers.sort((a, b) => a.at - b.at).shift()
    isTicking = next !== undefined
    if (!next) return
    nowMs = Math.max(nowMs, next.at)
    next.wake()
    setImmediate(tick)
  }
  return {
    now: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve()
        const sleeper = { at: nowMs + ms, wake: resolve }
        sleepers.push(sleeper)
        signal.addEventListener('abort', () => {
          if (sleepers.includes(sleeper)) sleepers.splice(sleepers.indexOf(sleeper), 1)
          resolve()
        })
        if (!isTicking) setImmediate(tick)
        isTicking = true
      }),
  }
}

/** A completion that arrives or fails after `ms` on the clock. */
export type Timed = { ms: number; error?: EngineErrorKind } & Partial<CompletionEnd>

/** Makes an engine on that clock. It records its requests and the reasons of aborts. */
export function timedEngine(
  clock: Clock,
  script: (request: CompletionRequest, index: number) => Timed,
  id = 'timed',
) {
  const requests: CompletionRequest[] = []
  const abortReasons: unknown[] = []
  async function* complete(
    request: CompletionRequest,
    index: number,
    signal: AbortSignal,
  ): AsyncGenerator<EngineEvent> {
    const { ms, error, ...more } = script(request, index)
    await clock.sleep(ms, signal)
    const usage = {
      calls: index === 0 ? 1 : 0,
      inputTokens: 1,
      prefilledTokens: index === 0 ? 1 : 0,
      outputTokens: 1,
    }
    const kind = signal.aborted ? 'aborted' : error
    if (kind)
      yield { type: 'completion-failed', index, error: new EngineError(id, kind, `scripted ${kind}`), usage }
    else yield { type: 'completion-end', index, text: `after ${ms}`, finishReason: 'stop', usage, ...more }
  }
  async function* generate(request: CompletionRequest) {
    requests.push(request)
    request.signal?.addEventListener('abort', () => abortReasons.push(request.signal?.reason))
    yield* merge(
      (signal) => request.seeds.map((_, index) => complete(request, index, signal)),
      request.signal,
    )
  }
  return { id, requests, abortReasons, generate } satisfies Engine & Record<string, unknown>
}
