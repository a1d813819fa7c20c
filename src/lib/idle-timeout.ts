/**
 * Idle timeout: rejects when nothing arrives for `limitMs`, or when the caller aborts, even if the other side ignores
 * signals. Call `end` when the exchange is over.
 */
export class IdleTimeout {
  /** Fires with the caller's reason, or with the error that `onTimeout` returns. */
  readonly signal: AbortSignal
  readonly #controller = new AbortController()
  #timer: NodeJS.Timeout
  readonly #aborted: Promise<never>
  readonly #caller: AbortSignal
  readonly #onAbort: () => void
  #waits = 0

  constructor(limitMs: number, onTimeout: () => Error, caller: AbortSignal) {
    const controller = this.#controller
    this.signal = controller.signal
    this.#aborted = new Promise((_, reject) => {
      this.signal.addEventListener('abort', () => reject(this.signal.reason), { once: true })
    })
    this.#aborted.catch(() => {})
    this.#timer = this.#start(limitMs, onTimeout)
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

  #start(limitMs: number, onTimeout: () => Error): NodeJS.Timeout {
    return setTimeout(() => this.#waits > 0 && this.#controller.abort(onTimeout()), limitMs)
  }

  /** Sets another limit, which starts now. */
  change(limitMs: number, onTimeout: () => Error): void {
    clearTimeout(this.#timer)
    this.#timer = this.#start(limitMs, onTimeout)
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
