/** Reads one file over HTTP, with an idle timeout. */
import { IdleTimeout } from './idle-timeout.ts'

const ANSWER_MS = 5_000
const STALL_MS = 30_000

/** How long to wait for a server. */
export interface Timeouts {
  /** Fail after this many milliseconds without data; default 30,000, and 5,000 for the first answer. */
  stallMs?: number
}

/**
 * Yields a file's bytes.
 * @throws Error if the server does not answer within 5 s, answers with a failure, or sends nothing for 30 s; the
 * signal's reason after an abort
 */
export async function* readUrl(
  url: string,
  { signal = new AbortController().signal, stallMs }: Timeouts & { signal?: AbortSignal },
): AsyncGenerator<Uint8Array> {
  const startTimeout = (limitMs: number) =>
    new IdleTimeout(limitMs, () => new Error(`no data for ${limitMs / 1000} s`), signal)
  const answer = startTimeout(stallMs ?? ANSWER_MS)
  const data = startTimeout(stallMs ?? STALL_MS)
  try {
    const both = AbortSignal.any([answer.signal, data.signal])
    const response = await answer.wait(fetch(url, { signal: both }))
    answer.end()
    if (!response.ok || !response.body) throw new Error(`status ${response.status}`)
    const chunks = response.body[Symbol.asyncIterator]()
    for (;;) {
      const { done, value } = await data.wait(chunks.next())
      if (done) return
      yield value
    }
  } finally {
    answer.end()
    data.end()
  }
}
