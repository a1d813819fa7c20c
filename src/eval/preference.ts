/** Decides the order in which a judge sees two outputs, and reads its preference from one token. */
import type { CompletionEnd, TokenScore } from '../core/provider/engine.ts'
import { createPythonRandom } from './python-random.ts'

/**
 * Says whether the model's output is shown first. The rule is the benchmark's own, so that every comparison can be
 * repeated. An instruction has the same order for every model.
 */
export function isSwitched(instruction: string, seed: number): boolean {
  return createPythonRandom(`is_switched_outputs${instruction}${seed}`)() >= 0.5
}

/** A judge's preference. By `logprobs` it is weighed by the chance of each letter; by `token` it is the letter written. */
export interface Verdict {
  /** From 1 (the output shown first is better) to 2 (the second is); null if the judge named neither. */
  preference: number | null
  by: 'logprobs' | 'token' | 'nothing' | 'equal'
}

/** Reads a judge's completion of one token. Of the most likely tokens, only exact `m` and `M` count. */
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

/** Returns the alternatives, with the token itself if the engine left it out. */
function topOf({ token, logprob, top = [] }: TokenScore): { token: string; logprob: number }[] {
  return top.some((alternative) => alternative.token === token) ? top : [...top, { token, logprob }]
}

/** Turns a preference for the first or second output shown into one for baseline or model. */
export function unswitch(preference: number | null, switched: boolean): number | null {
  return preference === null || !switched ? preference : 3 - preference
}
