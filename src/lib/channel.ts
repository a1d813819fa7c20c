/** A queue between one writer and one reader, without a limit. */
export interface Channel<T> extends AsyncIterable<T, undefined> {
  /** Adds an item. After `end` it is dropped. */
  push(item: T): void
  /** Ends the iteration after the items that are queued, with this error if there is one. */
  end(error?: unknown): void
}

/** An empty channel. */
export function createChannel<T>(): Channel<T> {
  let items: T[] = []
  /** Items that are being read, and the place of the next. */
  let [batch, at]: [T[], number] = [[], 0]
  let ended: { error?: unknown } | undefined
  let waiting: PromiseWithResolvers<IteratorResult<T, undefined>> | undefined

  // Not an async generator: that takes several times as long per item.
  const next = (): Promise<IteratorResult<T, undefined>> => {
    if (at === batch.length && items.length > 0) [batch, at, items] = [items, 0, []]
    if (at < batch.length) return Promise.resolve({ done: false, value: batch[at++] as T })
    if (ended) return takeEnd()
    waiting = Promise.withResolvers()
    return waiting.promise
  }
  const takeEnd = async (): Promise<IteratorResult<T, undefined>> => {
    const { error } = ended ?? {}
    ended = {}
    if (error !== undefined) throw error
    return { done: true, value: undefined }
  }
  const settle = (result: IteratorResult<T, undefined> | Promise<IteratorResult<T, undefined>>) => {
    waiting?.resolve(result)
    waiting = undefined
  }
  return {
    push(item) {
      if (ended) return
      if (waiting) settle({ done: false, value: item })
      else items.push(item)
    },
    end(error) {
      ended ??= { error }
      if (waiting) settle(takeEnd())
    },
    [Symbol.asyncIterator]: () => ({ next, return: async () => ({ done: true, value: undefined }) }),
  }
}
