/**
 * Idle timeout: rejects when nothing arrives for `limitMs`, or when the caller aborts, even if the other side ignores
 * signals. Call `end` when the exchange is over.
 */
export class IdleTimeout {
  /** Fires with the caller's reason, or with the error that `onTimeout` returns. */
  readonly signal: AbortSignal
  readonly #timer: NodeJS.Timeout
  readonly #aborted: Promise<never>
  readonly #caller: AbortSignal
  readonly #onAbort: () => void
  #waits = 0

  constructor(limitMs: number, onTimeout: () => Error, caller: AbortSignal) {
    const controller = new AbortController()
    this.signal = controller.signal
    this.#aborted = new Promise((_, reject) => {
      this.signal.addEventListener('abort', () => reject(this.signal.reason), { once: true })
    })
    this.#aborted.catch(() => {})
    this.#timer = setTimeout(() => this.#waits > 0 && controller.abort(onTimeout()), limitMs)
    this.#caller = caller
    this.#onAbort = () => controller.abort(caller.reason)
    caller.addEventListener('abort', this.#onAbort, { once: true })
    if (caller.aborted) this.#onAbort()
  }

  /** Resolves with the promise if it settles in time. The limit runs only while something is waited for. */
  async wait<T>(promise: PromiseLike<T>): Promise<T> {
    this.#waits++
    this.restart()
    try {
      return await Promise.race([this.#aborted, promise])
    } finally {
      this.#waits--
    }
  }

  /** Starts the limit again: something has arrived. */
  restart(): void {
    this.#timer.refresh()
  }

  /** Stops the timer and no longer listens to the caller's signal. */
  end(): void {
    clearTimeout(this.#timer)
    this.#caller.removeEventListener('abort', this.#onAbort)
  }
}
