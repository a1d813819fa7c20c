/** One file over HTTP, given up where the other side says nothing. */
import { Silence } from './silence.ts'

const ANSWER_MS = 5_000
const SILENCE_MS = 30_000

export interface Timeouts {
  /** Milliseconds without data after which a server is given up; default 30 s, 5 s for its first answer. */
  stallMs?: number
}

/**
 * Yields a file's bytes.
 * @throws Error when the server does not answer within 5 s, answers with a failure, or sends nothing for 30 s; the
 * signal's reason after an abort
 */
export async function* readUrl(
  url: string,
  { signal = new AbortController().signal, stallMs }: Timeouts & { signal?: AbortSignal },
): AsyncGenerator<Uint8Array> {
  const listen = (limitMs: number) =>
    new Silence(limitMs, () => new Error(`no data for ${limitMs / 1000} s`), signal)
  const answer = listen(stallMs ?? ANSWER_MS)
  const data = listen(stallMs ?? SILENCE_MS)
  try {
    const both = AbortSignal.any([answer.signal, data.signal])
    const response = await answer.hear(fetch(url, { signal: both }))
    answer.end()
    if (!response.ok || !response.body) throw new Error(`status ${response.status}`)
    const chunks = response.body[Symbol.asyncIterator]()
    for (;;) {
      const { done, value } = await data.hear(chunks.next())
      if (done) return
      yield value
    }
  } finally {
    answer.end()
    data.end()
  }
}
