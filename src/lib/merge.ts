/**
 * Merges several streams: yields each item as soon as it arrives. Each stream holds at most one item that was not taken.
 * `start` gets a signal that fires when the caller's signal fires, when a stream throws, and when the consumer stops
 * (`break`). All streams are closed before this one ends. The first error of a stream is thrown.
 */
export async function* merge<T>(
  start: (signal: AbortSignal) => AsyncIterable<T>[],
  callers?: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const stop = new AbortController()
  const onAbort = () => stop.abort(callers?.reason)
  if (callers?.aborted) onAbort()
  else callers?.addEventListener('abort', onAbort, { once: true })

  const ready: { stream: AsyncIterator<T>; result?: IteratorResult<T>; error?: unknown }[] = []
  let wake = () => {}
  const advance = async (stream: AsyncIterator<T>) => {
    try {
      ready.push({ stream, result: await stream.next() })
    } catch (error) {
      ready.push({ stream, error })
    }
    wake()
  }

  const streams = start(stop.signal).map((source) => source[Symbol.asyncIterator]())
  try {
    for (const stream of streams) void advance(stream)
    for (let open = streams.length; open > 0; ) {
      const next = ready.shift()
      if (!next) await new Promise<void>((resolve) => (wake = resolve))
      else if (!next.result) throw next.error
      else if (next.result.done) open--
      else {
        yield next.result.value
        void advance(next.stream)
      }
    }
  } finally {
    callers?.removeEventListener('abort', onAbort)
    stop.abort()
    await Promise.allSettled(streams.map((stream) => stream.return?.()))
  }
}
