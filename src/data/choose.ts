/** Chooses which of a row's responses become proposals, and in which order. */

import type { Response } from '../files/rows/row.ts'
import { shuffle } from '../lib/random.ts'
import { agreement } from '../lib/text.ts'

/**
 * How to choose a row's responses.
 * - `random`: at random
 * - `models`: from as many models as possible
 * - `quality`: evenly spread from the worst score to the best; like `random` if a score is missing
 * - `diversity`: one at a time, each the least similar to those chosen before
 */
export type ChooseBy = 'random' | 'models' | 'quality' | 'diversity'

/** Chooses at most `count` of the responses and returns them in random order. */
export function chooseResponses(
  responses: Response[],
  { count, by, random }: { count: number; by: ChooseBy; random: () => number },
): Response[] {
  const shuffled = shuffle(responses, random)
  if (shuffled.length <= count) return shuffled
  if (by === 'models') return shuffle(takeByModel(shuffled).slice(0, count), random)
  if (by === 'quality') return shuffle(spreadByScore(shuffled, count), random)
  if (by === 'diversity') return shuffle(takeDiverse(shuffled, count), random)
  return shuffled.slice(0, count)
}

/** The first response of each model, then the second of each, and so on. */
function takeByModel(responses: Response[]): Response[] {
  const seen = new Map<string, number>()
  const ranked = responses.map((response) => {
    const rank = seen.get(response.model) ?? 0
    seen.set(response.model, rank + 1)
    return { response, rank }
  })
  return ranked.sort((a, b) => a.rank - b.rank).map(({ response }) => response)
}

function spreadByScore(responses: Response[], count: number): Response[] {
  if (responses.some((r) => r.score === undefined)) return responses.slice(0, count)
  const sorted = [...responses].sort((a, b) => (a.score ?? 0) - (b.score ?? 0))
  if (count === 1) return sorted.slice(-1)
  const step = (sorted.length - 1) / (count - 1)
  return Array.from({ length: count }, (_, i) => sorted[Math.round(i * step)] as Response)
}

function takeDiverse(responses: Response[], count: number): Response[] {
  const [first, ...rest] = responses as [Response, ...Response[]]
  const chosen = [first]
  while (chosen.length < count) {
    const nearness = rest.map((r) => Math.max(...chosen.map((c) => agreement([r.text, c.text]))))
    const [next] = rest.splice(nearness.indexOf(Math.min(...nearness)), 1)
    chosen.push(next as Response)
  }
  return chosen
}
