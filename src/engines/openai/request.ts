/** The body of a chat-completions request, in the dialect of its server. */
import type { CompletionRequest } from '../../core/provider/engine.ts'
import type { EngineError } from '../../core/provider/errors.ts'
import { namesField, readMaxN, rejectsField, UpstreamError } from '../upstream-error.ts'

/** What a server understands. Each engine has one, and changes it when its server refuses something. */
export interface Dialect {
  limitName: 'max_tokens' | 'max_completion_tokens'
  /** The other name was refused before. */
  hasSwitched: boolean
  /** It knows `stream_options`. */
  reportsUsage: boolean
  /** The most completions that it gives for one request. */
  maxN: number
}

/** OpenAI refuses `max_tokens` for reasoning models; many other servers know nothing else. */
export function guessDialect(baseURL: string): Dialect {
  const isOpenAI = /(^|\.)openai\.(com|azure\.com)$/.test(new URL(baseURL).hostname)
  return {
    limitName: isOpenAI ? 'max_completion_tokens' : 'max_tokens',
    hasSwitched: false,
    reportsUsage: true,
    maxN: Number.POSITIVE_INFINITY,
  }
}

/** The body for `n` completions in one stream. It has one seed: that of the first completion. */
export function toBody(
  { messages, sampling, ...request }: CompletionRequest,
  { model, seed, n, dialect }: { model: string; seed: number; n: number; dialect: Dialect },
): Record<string, unknown> {
  return {
    ...request.passed,
    model,
    messages,
    ...(n > 1 && { n }),
    seed,
    stream: true,
    ...(dialect.reportsUsage && { stream_options: { include_usage: true } }),
    [dialect.limitName]: sampling.maxTokens,
    temperature: sampling.temperature,
    top_p: sampling.topP,
    top_k: sampling.topK,
    min_p: sampling.minP,
    frequency_penalty: sampling.frequencyPenalty,
    presence_penalty: sampling.presencePenalty,
    reasoning_effort: sampling.reasoning,
    stop: request.stop,
    tools: request.tools,
    tool_choice: request.toolChoice,
    parallel_tool_calls: request.tools && request.parallelToolCalls,
    response_format: request.responseFormat,
    // llama-server reports log probabilities only if alternatives are asked for.
    ...(request.logprobs !== undefined && { logprobs: true, top_logprobs: Math.max(1, request.logprobs) }),
  }
}

/**
 * Learns from the refusal of a request for `n` completions, which was sent in a dialect that may have changed since.
 * False if there is nothing to learn, and asking again would not help.
 */
export function learnFrom(error: EngineError, sent: Dialect, dialect: Dialect, n: number): boolean {
  const isRefused = error.status === 400 || error.status === 422
  if (!(error instanceof UpstreamError) || !isRefused || error.kind === 'context-overflow') return false
  if (rejectsField(error, sent.limitName)) return switchLimitName(sent, dialect)
  if (sent.reportsUsage && namesField(error, 'stream_options', 'include_usage')) {
    dialect.reportsUsage = false
    return true
  }
  const maxN = readMaxN(error, n)
  if (maxN === undefined) return false
  dialect.maxN = Math.min(dialect.maxN, maxN)
  return true
}

function switchLimitName(sent: Dialect, dialect: Dialect): boolean {
  if (sent.limitName !== dialect.limitName) return true
  if (dialect.hasSwitched) return false
  dialect.hasSwitched = true
  dialect.limitName = dialect.limitName === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens'
  return true
}
