/** Ctrl-C and its kin: the first asks for a clean end, a later one ends at once. */

/** The reason of the abort signal, and the exit code that goes with it: 128 and the signal's number. */
export class Interrupted extends Error {
  override name = 'Interrupted'
  readonly exitCode: number

  constructor(name: 'SIGINT' | 'SIGTERM', exitCode: number) {
    super(`stopped by ${name}`)
    this.exitCode = exitCode
  }
}

/** A launcher passes on what the terminal has sent to both: what comes this soon is the same Ctrl-C. */
const SAME_PRESS_MS = 500

let controller: AbortController | undefined

/** Aborts, with `Interrupted` as its reason, at the first SIGINT or SIGTERM. From the first call on they no longer kill. */
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
