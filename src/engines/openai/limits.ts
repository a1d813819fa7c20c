/** What bounds an answer: no server makes this program hold or wait for more. */
import type { CompletionRequest } from '../../core/provider/engine.ts'
import { EngineError } from '../../core/provider/errors.ts'
import type { Received } from './completion.ts'

/** So many times the longest silence may a server with a queue only say that it is there. */
export const KEEP_ALIVES = 15

const [LEAST_CHARS, CHARS_PER_TOKEN, TOKENS_WITHOUT_LIMIT] = [2 ** 20, 64, 2 ** 18]

/** Characters that a completion may have: at least 1 MiB, for more tokens 64 each. */
export function limitChars(maxTokens = TOKENS_WITHOUT_LIMIT): number {
  return Math.max(LEAST_CHARS, CHARS_PER_TOKEN * maxTokens)
}

/** Calls of tools that one completion may make. */
const MAX_CALLS = 1_000

/**
 * Checks the size of a completion.
 * @throws EngineError of kind `server`, not to be retried, if it has more than it may
 */
export function checkSize(
  { chars, toolCalls, text, reasoning }: Received,
  { engine, maxChars, request }: { engine: string; maxChars: number; request: CompletionRequest },
): void {
  if (chars <= maxChars && toolCalls.length <= MAX_CALLS) return
  const { maxTokens } = request.sampling
  const asked = maxTokens === undefined ? '' : ` for ${maxTokens} tokens`
  const start = JSON.stringify((text || reasoning).slice(0, 100))
  const problem =
    chars > maxChars
      ? `expected at most ${maxChars} characters${asked}, and the server sent more: ${start}…`
      : `expected at most ${MAX_CALLS} calls of tools in a completion, and the server sent more`
  throw new EngineError(engine, 'server', problem, { isRetryable: false })
}
