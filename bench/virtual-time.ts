/** Time that passes only when nothing else can happen, and an engine on it. For simulations: nothing really waits. */
import type { Clock } from '../src/core/host.ts'
import type { CompletionRequest, Engine, EngineEvent } from '../src/core/provider/engine.ts'
import { EngineError } from '../src/core/provider/errors.ts'
import { merge } from '../src/lib/merge.ts'
import type { Slots } from '../src/lib/slots.ts'

export interface VirtualTime extends Clock {
  /** Lets time pass until `work` has ended. */
  during<T>(work: Promise<T>): Promise<T>
}

interface Sleeper {
  at: number
  wake: () => void
}

export function createVirtualTime(): VirtualTime {
  const sleepers: Sleeper[] = []
  let now = 0
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve()
        const sleeper = { at: now + ms, wake: resolve }
        insert(sleepers, sleeper)
        const leave = () => {
          const place = sleepers.indexOf(sleeper)
          if (place !== -1) sleepers.splice(place, 1)
          resolve()
        }
        signal.addEventListener('abort', leave, { once: true })
      }),
    async during(work) {
      let isDone = false
      const end = () => {
        isDone = true
      }
      work.then(end, end)
      while (!isDone) {
        await new Promise((resolve) => setImmediate(resolve)) // all that can happen now has happened
        const next = isDone ? undefined : sleepers.pop()
        if (!next) continue
        now = next.at
        next.wake()
      }
      return work
    },
  }
}

/** The next to wake is last. */
function insert(sleepers: Sleeper[], sleeper: Sleeper): void {
  let [low, high] = [0, sleepers.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sleepers[middle] as Sleeper).at <= sleeper.at) high = middle
    else low = middle + 1
  }
  sleepers.splice(low, 0, sleeper)
}

/** Completions that last `lengthOf(seed)`, in the places of `slots`, of which a request takes `leastOf` it or more at a time. */
export function virtualEngine(
  time: VirtualTime,
  slots: Slots,
  lengthOf: (seed: number) => number,
  leastOf: (request: CompletionRequest) => number,
): Engine {
  async function* complete(
    request: CompletionRequest,
    index: number,
    calls: number,
    signal: AbortSignal,
  ): AsyncGenerator<EngineEvent> {
    const ms = lengthOf(request.seeds[index] as number)
    await time.sleep(ms, signal)
    const usage = { calls, inputTokens: 0, prefilledTokens: 0, outputTokens: ms }
    if (!signal.aborted)
      yield { type: 'completion-end', index, text: `${ms}`, finishReason: 'stop', usage, ms }
    else yield { type: 'completion-failed', index, error: new EngineError('virtual', 'aborted', 'aborted') }
  }
  async function* take(
    request: CompletionRequest,
    indices: number[],
    signal: AbortSignal,
    turn?: number,
  ): AsyncGenerator<EngineEvent> {
    const { length: n } = indices
    const grant = await slots.take(n, {
      priority: request.priority,
      turn,
      least: Math.min(n, leastOf(request)),
      signal,
    })
    const [now, rest] = [indices.slice(0, grant.count), indices.slice(grant.count)]
    yield* merge(
      (stop) => [
        ...now.map((index, i) =>
          releasing(complete(request, index, i === 0 ? 1 : 0, stop), () => grant.release(1)),
        ),
        ...(rest.length > 0 ? [take(request, rest, stop, grant.turn)] : []),
      ],
      signal,
    )
  }
  const all = (request: CompletionRequest) => request.seeds.map((_, index) => index)
  return {
    id: 'virtual',
    generate: (request) => take(request, all(request), request.signal ?? new AbortController().signal),
  }
}

async function* releasing(
  events: AsyncGenerator<EngineEvent>,
  release: () => void,
): AsyncGenerator<EngineEvent> {
  let isHeld = true
  const releaseOnce = () => {
    if (isHeld) release()
    isHeld = false
  }
  try {
    for await (const event of events) {
      releaseOnce()
      yield event
    }
  } finally {
    releaseOnce()
  }
}
