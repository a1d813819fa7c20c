/**
 * Ends waiting for another side that says nothing for too long, or whose caller aborts, even where that side does
 * not listen to signals. To be ended when the talk is over.
 */
export class Silence {
  /** Fires with the caller's reason, or with what `onSilence` returns. */
  readonly signal: AbortSignal
  readonly #timer: NodeJS.Timeout
  readonly #broken: Promise<never>
  readonly #callers: AbortSignal
  readonly #onAbort: () => void
  #waits = 0

  constructor(limitMs: number, onSilence: () => Error, callers: AbortSignal) {
    const controller = new AbortController()
    this.signal = controller.signal
    this.#broken = new Promise((_, reject) => {
      this.signal.addEventListener('abort', () => reject(this.signal.reason), { once: true })
    })
    this.#broken.catch(() => {})
    this.#timer = setTimeout(() => this.#waits > 0 && controller.abort(onSilence()), limitMs)
    this.#callers = callers
    this.#onAbort = () => controller.abort(callers.reason)
    callers.addEventListener('abort', this.#onAbort, { once: true })
    if (callers.aborted) this.#onAbort()
  }

  /** What the promise brings, if it comes in time. The limit runs only while something is waited for. */
  async hear<T>(promise: PromiseLike<T>): Promise<T> {
    this.#waits++
    this.#timer.refresh()
    try {
      return await Promise.race([this.#broken, promise])
    } finally {
      this.#waits--
    }
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#callers.removeEventListener('abort', this.#onAbort)
  }
}
