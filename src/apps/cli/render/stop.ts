/** Counts what an answer has cost so far, to say it if the answer is stopped. */
import { countCompletions, type Plan } from '../../../core/plan.ts'
import type { AftEvent } from '../../../core/result.ts'
import { showCount } from './text.ts'

/** Counts the events of one prompt. */
export interface Tally {
  event(event: AftEvent): void
  /** Writes `stopped after 3.1 s: 2 of 4 completions, about 154 tokens written, $0.0021`. */
  describe(ms: number): string
}

/** Starts to count. Unfinished completions count by their pieces. */
export function createTally(plan: Plan): Tally {
  const pieces = new Map<string, number>()
  let [ended, tokens, cost] = [0, 0, 0]
  return {
    event(event) {
      if (event.type === 'completion-delta' || event.type === 'reasoning-delta') {
        const key = `${event.layer}.${event.index}`
        pieces.set(key, (pieces.get(key) ?? 0) + 1)
      } else if (event.type === 'completion-end') {
        const { index, usage } = event.completion
        pieces.delete(`${event.layer}.${index}`)
        ended++
        tokens += usage.outputTokens
        cost += usage.cost ?? 0
      }
    },
    describe(ms) {
      const open = [...pieces.values()].reduce((sum, n) => sum + n, 0)
      const facts = [
        `${ended} of ${showCount(Math.max(ended, countCompletions(plan)), 'completion')}`,
        `${open > 0 ? 'about ' : ''}${showCount(tokens + open, 'token')} written`,
        ...(cost > 0 ? [`$${cost.toPrecision(2)}`] : []),
      ]
      return `stopped after ${(ms / 1000).toFixed(1)} s: ${facts.join(', ')}`
    },
  }
}
