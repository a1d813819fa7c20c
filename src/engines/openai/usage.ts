/** What completions took, from what the server says and what arrived. */
import { type CompletionRequest, textOf, type Usage } from '../../core/provider/engine.ts'
import type { Choice } from './choice.ts'
import type { WireUsage } from './chunks.ts'

/**
 * Usage of each of the completions that a server's figures stand for, in order. Servers give one sum: it is
 * shared out by what arrived of each. Each chunk proves a token, so a sum that is lower (some servers count one
 * completion of n only) is not believed: the larger figure is used, and marked as an estimate.
 */
export function accountFor(
  choices: Choice[],
  told: WireUsage | undefined,
  request: CompletionRequest,
): Usage[] {
  const input = told?.prompt_tokens ?? undefined
  const inputTokens = input ?? estimateTokens(request.messages.map(textOf).join('\n'))
  const { outputs, isBelieved } = countOutputs(choices, told, request.sampling.maxTokens)
  const thoughts = told?.completion_tokens_details?.reasoning_tokens
  const reasoning = shareOut(
    thoughts ?? 0,
    choices.map(({ draft }) => draft.reasoning.length),
  )
  return choices.map((choice, i) => ({
    ...takeCarried(choice, told),
    inputTokens,
    outputTokens: outputs[i] ?? 0,
    ...(thoughts != null && { reasoningTokens: Math.min(outputs[i] ?? 0, reasoning[i] ?? 0) }),
    ...(i === 0 && told?.cost != null && { cost: told.cost }),
    ...(!(isBelieved && input !== undefined) && { estimated: true }),
  }))
}

function countOutputs(choices: Choice[], told: WireUsage | undefined, maxTokens: number) {
  const proven = choices.map(({ draft }) => Math.max(draft.pieces, draft.logprobs.length))
  const rest = (told?.completion_tokens ?? Number.NaN) - sum(proven)
  if (rest >= 0) {
    const shares = shareOut(
      rest,
      choices.map(({ draft }) => draft.text.length + draft.reasoning.length),
    )
    return { outputs: proven.map((least, i) => least + (shares[i] ?? 0)), isBelieved: true }
  }
  // A server that counts one of n sends a chunk a token; one that counts nothing may send longer ones.
  const guesses = choices.map((choice) => (told ? 0 : Math.min(guess(choice), maxTokens)))
  return { outputs: proven.map((least, i) => Math.max(least, guesses[i] ?? 0)), isBelieved: false }
}

/** What a completion that failed took all the same. */
export function accountForFailure(choice: Choice, request: CompletionRequest): Usage {
  const { draft, calls } = choice
  if (draft.hasCome) return accountFor([choice], undefined, request)[0] as Usage
  return { calls, prefilledTokens: choice.prefilledTokens, inputTokens: 0, outputTokens: 0 }
}

/** What requests spent once for all their completions stands with the lowest; see `Usage`. */
function takeCarried({ calls, prefilledTokens }: Choice, told: WireUsage | undefined) {
  if (calls === 0) return { calls, prefilledTokens: 0 }
  const cached = told?.prompt_tokens_details?.cached_tokens ?? null
  const evaluated = cached === null ? null : Math.max(0, (told?.prompt_tokens ?? 0) - cached)
  const isKnown = evaluated !== null && prefilledTokens !== null
  return { calls, prefilledTokens: isKnown ? prefilledTokens + evaluated : null }
}

function guess({ draft }: Choice): number {
  const calls = draft.toolCalls.map((call) => call.function.name + call.function.arguments)
  return estimateTokens([draft.reasoning, draft.text, ...calls].join(''))
}

/** About four bytes a token, as byte-pair vocabularies have it for English. */
export function estimateTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 4)
}

/** Whole parts of a whole number, in proportion to the weights; their sum is the number. */
export function shareOut(total: number, weights: number[]): number[] {
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
