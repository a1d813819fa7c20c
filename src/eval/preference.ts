/** Which of two outputs a judge prefers: the order in which they are shown, and what its one token says. */
import type { CompletionEnd, TokenScore } from '../core/provider/engine.ts'
import { createPythonRandom } from './python-random.ts'

/**
 * Whether the model's output is shown first. The rule is the benchmark's own, so that each comparison can be made again
 * as it was; the same instruction has the same order for every model.
 */
export function isSwitched(instruction: string, seed: number): boolean {
  return createPythonRandom(`is_switched_outputs${instruction}${seed}`)() >= 0.5
}

/** `logprobs`: weighed by what the judge gave each letter; `token`: the letter that it wrote, drawn at temperature 1. */
export interface Verdict {
  /** For the output shown second, from 1 (the first is better) to 2; null if the judge named neither. */
  preference: number | null
  by: 'logprobs' | 'token' | 'nothing'
}

/** Reads a judge's completion of one token: among the most likely tokens exactly `m` and `M` count. */
export function readVerdict({ text, logprobs }: Pick<CompletionEnd, 'text' | 'logprobs'>): Verdict {
  const top = logprobs?.[0] && topOf(logprobs[0])
  if (top && top.length > 0) {
    const chance = (letter: string) => {
      const found = top.find(({ token }) => token === letter)
      return found ? Math.exp(found.logprob) : 0
    }
    const [first, second] = [chance('m'), chance('M')]
    if (first + second > 0) return { preference: 2 - first / (first + second), by: 'logprobs' }
    return { preference: null, by: 'nothing' }
  }
  const letter = text.trim()
  if (letter === 'm' || letter === 'M') return { preference: letter === 'm' ? 1 : 2, by: 'token' }
  return { preference: null, by: 'nothing' }
}

/** The alternatives, with the token itself if an engine leaves it out. */
function topOf({ token, logprob, top = [] }: TokenScore): { token: string; logprob: number }[] {
  return top.some((alternative) => alternative.token === token) ? top : [...top, { token, logprob }]
}

/** A verdict on what was shown as one on baseline and model. */
export function unswitch(preference: number | null, switched: boolean): number | null {
  return preference === null || !switched ? preference : 3 - preference
}
