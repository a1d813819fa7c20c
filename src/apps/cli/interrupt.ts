/** Handles Ctrl-C and SIGTERM: the first asks for a clean end, a later one ends at once. */

/** The reason of the abort signal, with its exit code: 128 plus the signal's number. */
export class Interrupted extends Error {
  override name = 'Interrupted'
  readonly exitCode: number

  constructor(name: 'SIGINT' | 'SIGTERM', exitCode: number) {
    super(`stopped by ${name}`)
    this.exitCode = exitCode
  }
}

/** Signals within this time are the same Ctrl-C: the terminal sends it, and a launcher passes it on again. */
const SAME_PRESS_MS = 500

let controller: AbortController | undefined

/** Returns a signal that aborts at the first SIGINT or SIGTERM, with `Interrupted` as its reason. They no longer kill. */
export function watchInterrupts(): AbortSignal {
  if (controller) return controller.signal
  const stop = new AbortController()
  controller = stop
  let firstMs: number | undefined
  const listen = (name: 'SIGINT' | 'SIGTERM', exitCode: number) =>
    process.on(name, () => {
      if (firstMs === undefined) stop.abort(new Interrupted(name, exitCode))
      else if (performance.now() - firstMs > SAME_PRESS_MS) process.exit(exitCode)
      firstMs ??= performance.now()
    })
  listen('SIGINT', 130)
  listen('SIGTERM', 143)
  return stop.signal
}

/**
 * Calls `stop` at each Ctrl-C until the returned function is called; SIGTERM ends the process. For a command that goes on
 * after a stop.
 */
export function onInterrupt(stop: (reason: Interrupted) => void): () => void {
  let lastMs = Number.NEGATIVE_INFINITY
  const onSigint = () => {
    const isSamePress = performance.now() - lastMs < SAME_PRESS_MS
    lastMs = performance.now()
    if (!isSamePress) stop(new Interrupted('SIGINT', 130))
  }
  const onSigterm = () => process.exit(143) // painters restore the terminal at the exit
  process.on('SIGINT', onSigint).on('SIGTERM', onSigterm)
  return () => {
    process.off('SIGTERM', onSigterm)
    const forget = () => process.off('SIGINT', onSigint)
    // The second signal of the same press may come after the stop. If nobody hears it, it ends the process.
    const restMs = SAME_PRESS_MS - (performance.now() - lastMs)
    if (restMs > 0) setTimeout(forget, restMs).unref()
    else forget()
  }
}
