/** The prompts of one or two journals, and the filters over them. */
import type { Journal } from './journal.ts'
import type { Turn } from './run.ts'

/** A prompt of the first journal, with the same one of the second. */
export interface Pair {
  id: string
  first: Turn
  second?: Turn
  /** Scores of both, if an evaluation gave some. */
  scores: [first: number | undefined, second: number | undefined]
}

/** Names of the filters. */
export type Filter = 'all' | 'failed' | 'degraded' | 'differing' | 'gain' | 'loss'

/** The filters, in words. Those of the second kind need two journals. */
export const filters: { name: Filter; about: string; needs: 'one' | 'two' | 'scores' }[] = [
  { name: 'all', about: 'all prompts', needs: 'one' },
  { name: 'failed', about: 'failed', needs: 'one' },
  { name: 'degraded', about: 'degraded', needs: 'one' },
  { name: 'differing', about: 'answers that differ', needs: 'two' },
  { name: 'gain', about: 'largest gain first', needs: 'scores' },
  { name: 'loss', about: 'largest loss first', needs: 'scores' },
]

/** Joins two journals by the ids of their prompts. */
export function pairUp(first: Journal, second: Journal | undefined): Pair[] {
  const others = new Map(second?.turns.map((turn) => [turn.id, turn]))
  return first.turns.map((turn) => ({
    id: turn.id,
    first: turn,
    second: others.get(turn.id),
    scores: [first.scores?.[turn.id], second?.scores?.[turn.id]],
  }))
}

/** Whether a filter has anything to say about these pairs. */
export function isUsable(needs: 'one' | 'two' | 'scores', pairs: Pair[]): boolean {
  if (needs === 'one') return true
  return pairs.some((pair) => (needs === 'two' ? pair.second !== undefined : gainOf(pair) !== undefined))
}

/** By how much the second answer scores better; undefined without both scores. */
export function gainOf({ scores: [first, second] }: Pair): number | undefined {
  return first === undefined || second === undefined ? undefined : second - first
}

/** Returns the pairs that a filter lets through, with the text in their id or question. */
export function filterPairs(pairs: Pair[], filter: Filter, search: string): Pair[] {
  const wanted = search.toLowerCase()
  const found = pairs.filter(
    (pair) => isIn(pair, filter) && `${pair.id} ${pair.first.question}`.toLowerCase().includes(wanted),
  )
  if (filter !== 'gain' && filter !== 'loss') return found
  const sign = filter === 'gain' ? -1 : 1
  return found.sort((a, b) => sign * ((gainOf(a) ?? 0) - (gainOf(b) ?? 0)))
}

function isIn(pair: Pair, filter: Filter): boolean {
  const runs = [pair.first, pair.second].flatMap((turn) => (turn ? [turn.run] : []))
  if (filter === 'failed') return runs.some(({ state }) => state === 'failed')
  if (filter === 'degraded') return runs.some(({ degradedBecause }) => degradedBecause.length > 0)
  if (filter === 'differing') return runs.length === 2 && runs[0]?.answer?.trim() !== runs[1]?.answer?.trim()
  const gain = gainOf(pair)
  if (filter === 'gain') return gain !== undefined && gain > 0
  return filter === 'loss' ? gain !== undefined && gain < 0 : true
}
