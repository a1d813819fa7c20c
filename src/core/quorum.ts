/** Lets a layer go on without its stragglers. */
import type { Host } from './host.ts'
import type { Quorum } from './plan.ts'

export interface QuorumWatch {
  /** Aborts with the reason `straggler` once grace or cap has passed, or with the host's signal. */
  signal: AbortSignal
  /** To be called at every end of a completion. */
  check(): void
  /** Aborts at once. */
  cut(reason: unknown): void
  /** Lets the clock go. */
  stop(): void
}

/** Starts the clock of a layer. Without a quorum only the host's signal counts. */
export function watchQuorum(quorum: Quorum | undefined, host: Host, countUsable: () => number): QuorumWatch {
  const cut = new AbortController()
  const timers = new AbortController()
  const cutAfter = async (ms: number) => {
    await host.clock.sleep(ms, timers.signal)
    if (!timers.signal.aborted) cut.abort('straggler')
  }
  let isGrace = false
  const check = () => {
    if (!quorum || isGrace || countUsable() < quorum.count) return
    isGrace = true
    void cutAfter(quorum.graceMs)
  }
  if (quorum?.capMs !== undefined) void cutAfter(quorum.capMs)
  check()
  // Not AbortSignal.any: a long run has a signal a layer, and what those leave behind is long in going.
  const onAbort = () => cut.abort(host.signal?.reason)
  if (host.signal?.aborted) onAbort()
  host.signal?.addEventListener('abort', onAbort, { once: true })
  return {
    signal: cut.signal,
    check,
    cut: (reason) => cut.abort(reason),
    stop: () => {
      timers.abort('stopped')
      host.signal?.removeEventListener('abort', onAbort)
    },
  }
}
