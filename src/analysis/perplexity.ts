/**
 * How expected a target is to a model: with proposals before it and without. Perplexity is exp of the mean negative log
 * probability of the target's tokens, in nats; the mean is over all tokens of all rows.
 */
import { type Engine, type Message, textOf } from '../core/engine.ts'
import { DataError, UsageError } from '../core/errors.ts'
import { readJsonl } from '../lib/jsonl.ts'

export interface ScoredRow {
  id: string
  prompt: Message[]
  target: string
  hasProposals: boolean
}

/** Sums over tokens. */
export interface RowScore {
  id: string
  tokens: number
  /** Negative log probability of the target after proposals and prompt, and after the prompt alone. */
  withProposals: number | null
  alone: number
}

/** Rows of training examples: `prompt`, `completion`. @throws DataError with the line that is none */
export async function readScoredRows(file: string, limit = Number.POSITIVE_INFINITY): Promise<ScoredRow[]> {
  const rows: ScoredRow[] = []
  for await (const { value, line } of readJsonl(file)) {
    if (rows.length >= limit) break
    const { id, prompt, completion, proposals } = value as Partial<Record<string, unknown>>
    const target = Array.isArray(completion) ? textOf(completion[0] as Message) : ''
    if (!Array.isArray(prompt) || target === '') {
      throw new DataError(
        file,
        line,
        'expected an example with `prompt` and `completion`, as `aft data build` writes them',
      )
    }
    const hasProposals = Array.isArray(proposals) && proposals.length > 0
    rows.push({ id: String(id ?? line), prompt: prompt as Message[], target, hasProposals })
  }
  return rows
}

/**
 * Scores a row's target. Without proposals means without the system message that holds them.
 * @throws UsageError where the engine cannot score
 */
export async function scoreRow(
  engine: Engine,
  { id, prompt, target, hasProposals }: ScoredRow,
): Promise<RowScore> {
  if (!engine.score) throw new UsageError(`${engine.id} cannot tell log probabilities of a given text`)
  const loss = async (messages: Message[]) => {
    const tokens = (await engine.score?.(messages, target)) ?? []
    return { count: tokens.length, sum: -tokens.reduce((sum, token) => sum + token.logprob, 0) }
  }
  const alone = await loss(hasProposals ? prompt.filter((m) => m.role !== 'system') : prompt)
  const withProposals = hasProposals ? (await loss(prompt)).sum : null
  return { id, tokens: alone.count, withProposals, alone: alone.sum }
}

export interface Perplexity {
  n: number
  tokens: number
  with_proposals: number | null
  alone: number | null
}

/** Over rows that have proposals, so that both are of the same targets; over all where none has. */
export function sumPerplexity(scores: RowScore[]): Perplexity {
  const paired = scores.filter((score) => score.withProposals !== null)
  const rows = paired.length > 0 ? paired : scores
  const tokens = rows.reduce((sum, row) => sum + row.tokens, 0)
  const perplexity = (pick: (row: RowScore) => number) =>
    tokens === 0 ? null : Math.exp(rows.reduce((sum, row) => sum + pick(row), 0) / tokens)
  return {
    ...{ n: rows.length, tokens, alone: perplexity((row) => row.alone) },
    with_proposals: paired.length > 0 ? perplexity((row) => row.withProposals ?? 0) : null,
  }
}
