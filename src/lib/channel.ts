/** A queue between one writer and one reader, without a limit. */
export interface Channel<T> extends AsyncIterable<T> {
  /** Adds an item. After `end` it is dropped. */
  push(item: T): void
  /** Ends the iteration after the items that are queued, with this error if there is one. */
  end(error?: unknown): void
}

/** An empty channel. */
export function createChannel<T>(): Channel<T> {
  let items: T[] = []
  let ended: { error?: unknown } | undefined
  let wake = () => {}
  return {
    push(item) {
      if (ended) return
      items.push(item)
      wake()
    },
    end(error) {
      ended ??= { error }
      wake()
    },
    async *[Symbol.asyncIterator]() {
      while (items.length > 0 || !ended) {
        const batch = items
        items = []
        for (const item of batch) yield item
        if (items.length === 0 && !ended) await new Promise<void>((resolve) => (wake = resolve))
      }
      if (ended.error !== undefined) throw ended.error
    },
  }
}
