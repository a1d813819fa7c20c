/** What completions took, by what the server reports and what arrived. */
import { type CompletionRequest, textOf, type Usage } from '../../core/provider/engine.ts'
import { estimateOutput, estimateTokens } from '../transcript.ts'
import type { WireUsage } from './chunk.ts'
import type { Completion } from './completion.ts'

/**
 * The usage of each of the completions that a server's figures stand for, in order. Servers give one sum: it is
 * shared out by what arrived of each. Each chunk proves a token, so a lower sum (some servers count one completion
 * of n only) is not believed: the larger figure is used, and marked as an estimate.
 */
export function accountFor(
  completions: Completion[],
  reported: WireUsage | undefined,
  request: CompletionRequest,
): [Completion, Usage][] {
  const input = reported?.prompt_tokens ?? undefined
  const inputTokens = input ?? estimateTokens(request.messages.map(textOf).join('\n'))
  const { outputs, isBelieved } = countOutputs(completions, reported, request.sampling.maxTokens)
  const thoughts = reported?.reasoning_tokens
  const reasoning = shareOut(
    thoughts ?? 0,
    completions.map(({ received }) => received.reasoning.length),
  )
  return completions.map((completion, i) => [
    completion,
    {
      ...carriedUsage(completion, reported),
      inputTokens,
      outputTokens: outputs[i] ?? 0,
      ...(thoughts != null && { reasoningTokens: Math.min(outputs[i] ?? 0, reasoning[i] ?? 0) }),
      ...(i === 0 && reported?.cost != null && { cost: reported.cost }),
      ...(!(isBelieved && input !== undefined) && { estimated: true }),
    },
  ])
}

function countOutputs(completions: Completion[], reported: WireUsage | undefined, maxTokens = Infinity) {
  const proven = completions.map(({ received }) => Math.max(received.pieces, received.logprobs.length))
  const rest = (reported?.completion_tokens ?? Number.NaN) - sum(proven)
  if (rest >= 0) {
    const shares = shareOut(
      rest,
      completions.map(({ received }) => received.text.length + received.reasoning.length),
    )
    return { outputs: proven.map((least, i) => least + (shares[i] ?? 0)), isBelieved: true }
  }
  // A server that counts one of n sends one chunk per token; one that counts nothing may send longer ones.
  const guesses = completions.map((completion) =>
    reported ? 0 : Math.min(estimateOutput(completion.received), maxTokens),
  )
  return { outputs: proven.map((least, i) => Math.max(least, guesses[i] ?? 0)), isBelieved: false }
}

/** What a failed completion took. */
export function accountForFailure(completion: Completion, request: CompletionRequest): Usage {
  const { received, calls, prefilledTokens } = completion
  const [counted] = received.hasBegun ? accountFor([completion], undefined, request) : []
  return counted?.[1] ?? { calls, prefilledTokens, inputTokens: 0, outputTokens: 0 }
}

/** What a request spent once for all its completions is counted with the lowest; see `Usage`. */
function carriedUsage({ calls, prefilledTokens }: Completion, reported: WireUsage | undefined) {
  if (calls === 0) return { calls, prefilledTokens: 0 }
  const cached = reported?.cached_tokens ?? null
  const evaluated = cached === null ? null : Math.max(0, (reported?.prompt_tokens ?? 0) - cached)
  const isKnown = evaluated !== null && prefilledTokens !== null
  return { calls, prefilledTokens: isKnown ? prefilledTokens + evaluated : null }
}

/** Whole parts of a whole number, in proportion to the weights; their sum is the number. */
function shareOut(total: number, weights: number[]): number[] {
  const all = sum(weights)
  let [seen, given] = [0, 0]
  return weights.map((weight, i) => {
    seen += all > 0 ? weight / all : 1 / weights.length
    const upTo = i === weights.length - 1 ? total : Math.round(total * seen)
    const share = upTo - given
    given = upTo
    return share
  })
}

function sum(numbers: number[]): number {
  return numbers.reduce((a, b) => a + b, 0)
}
