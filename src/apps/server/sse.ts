/** Server-sent events. Headers and the first event are sent at once; in silences comments keep the connection open. */

/** The stream that an endpoint writes its events to. */
export interface EventStream {
  /** Sends an object as a data line, after an `event:` line if `event` is given. */
  send(data: object | '[DONE]', event?: string): void
}

/** After this time without an event, a comment is sent. */
export const KEEP_ALIVE_MS = 10_000

/**
 * Streams the events of `write` until it resolves. It must not reject. If the client disconnects, or reads nothing for
 * `readerTimeoutMs`, `onDisconnect` is called, and later events are dropped.
 */
export function streamEvents(
  write: (stream: EventStream) => Promise<void>,
  {
    onDisconnect,
    headers,
    readerTimeoutMs = 60_000,
  }: { onDisconnect: () => void; headers: Record<string, string>; readerTimeoutMs?: number },
): Response {
  const encoder = new TextEncoder()
  let stop = () => {}
  let lastReadMs = performance.now()
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const push = (text: string) => {
        if ((controller.desiredSize ?? 1) > 0) lastReadMs = performance.now()
        else if (performance.now() - lastReadMs > readerTimeoutMs) return giveUp()
        controller.enqueue(encoder.encode(text))
        timer.refresh()
      }
      const giveUp = () => {
        stop()
        onDisconnect()
        controller.error(new Error('the client does not read'))
      }
      const timer = setInterval(() => push(': keep-alive\n\n'), Math.min(KEEP_ALIVE_MS, readerTimeoutMs))
      const batch = createBatch(push)
      let isOpen = true
      stop = () => {
        isOpen = false
        clearInterval(timer)
        batch.drop()
      }
      const send: EventStream['send'] = (data, event) => {
        if (!isOpen) return
        const line = data === '[DONE]' ? data : JSON.stringify(data)
        batch.add(`${event ? `event: ${event}\n` : ''}data: ${line}\n\n`)
      }
      void write({ send }).then(() => {
        if (!isOpen) return
        batch.flush()
        stop()
        controller.close()
      })
    },
    cancel() {
      stop()
      onDisconnect()
    },
  })
  return new Response(body, {
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      ...headers,
    },
  })
}

/** Joins all events of one turn of the event loop into one write. */
function createBatch(push: (text: string) => void) {
  let waiting = ''
  let turn: NodeJS.Immediate | undefined
  const flush = () => {
    clearImmediate(turn)
    turn = undefined
    if (waiting) push(waiting)
    waiting = ''
  }
  const add = (text: string) => {
    waiting += text
    turn ??= setImmediate(flush)
  }
  const drop = () => {
    clearImmediate(turn)
    waiting = ''
  }
  return { add, flush, drop }
}
