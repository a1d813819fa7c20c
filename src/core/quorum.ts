/** Ends a layer that has waited long enough for its stragglers. */
import type { Host, QuorumWatch } from './host.ts'
import type { Quorum } from './plan.ts'

/** Starts the timers of a layer. Without a quorum only the host's signal counts. `onGrace` is called when it is reached. */
export function watchQuorum(
  quorum: Quorum | undefined,
  host: Host,
  countUsable: () => number,
  onGrace = () => {},
): QuorumWatch {
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
    onGrace()
    void cutAfter(quorum.graceMs)
  }
  if (quorum?.capMs !== undefined) void cutAfter(quorum.capMs)
  check()
  // AbortSignal.any would leave a listener per layer on the host's signal until garbage collection: too many in a long run.
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
