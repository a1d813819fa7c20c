/** Items that are pushed, as an iterable that one reader takes in order. */
export interface Channel<T> extends AsyncIterable<T> {
  push(item: T): void
  /** No more comes. */
  end(): void
}

export function createChannel<T>(): Channel<T> {
  let items: T[] = []
  let isEnded = false
  let wake = () => {}
  return {
    push(item) {
      items.push(item)
      wake()
    },
    end() {
      isEnded = true
      wake()
    },
    async *[Symbol.asyncIterator]() {
      while (items.length > 0 || !isEnded) {
        const batch = items
        items = []
        yield* batch
        if (items.length === 0 && !isEnded) await new Promise<void>((resolve) => (wake = resolve))
      }
    },
  }
}
