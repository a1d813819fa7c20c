/**
 * Compares what a strategy should take by a formula over its plan with what a journal measured. The formula: a layer
 * makes one request per group of members that see the same prompt (a whole voice, or each member if it sees a sample).
 * Each request reads the query and the shown proposals once. A layer waits for its longest completion.
 */
import type { Layer, Plan } from '../core/plan.ts'
import { countMembers } from '../core/plan.ts'
import type { JournalPrompt } from '../files/journal-prompts.ts'
import type { JournalContent } from '../files/run-journal.ts'
import { mean } from '../lib/statistics.ts'

/** Means per prompt. Lengths are in tokens. */
export interface Overhead {
  calls: number
  completions: number
  /** Prompt tokens counted once per completion, even if completions share a request. */
  input_tokens: number
  /** Prompt tokens counted once per request; null if an engine does not report them. */
  prefilled_tokens: number | null
  output_tokens: number
  /** Output tokens that must follow each other: the longest completion of each layer. */
  critical_tokens: number
}

/** The overhead of one journal: measured, predicted, and predicted for best of n. */
export interface OverheadRow {
  file: string
  strategy: string
  n: number
  measured: Overhead & { seconds: number }
  predicted: Overhead
  /** Prediction for best of n with the same number of completions, all in the first layer. */
  best_of_n: Overhead
}

/** Lengths for the formula, in tokens. */
export interface Lengths {
  /** The prompt as a proposer reads it. */
  query: number
  /** A completion, and the longest of a layer. */
  completion: number
  longest: number
  /** What an aggregator reads in addition to query and proposals. */
  instruction: number
}

/** Predicts the overhead of a plan with the formula above. Source: the project's own arithmetic. */
export function predictOverhead(plan: Plan, { query, completion, longest, instruction }: Lengths): Overhead {
  const total = {
    calls: 0,
    completions: 0,
    input_tokens: 0,
    prefilled_tokens: 0,
    output_tokens: 0,
    critical_tokens: 0,
  }
  for (const [i, layer] of plan.layers.entries()) {
    const members = countMembers(layer)
    const requests = countRequests(layer)
    const prompt =
      query + (i === 0 ? 0 : instruction + countSeen(layer, plan.layers[i - 1] as Layer) * completion)
    total.calls += requests
    total.completions += members
    total.input_tokens += members * prompt
    total.prefilled_tokens += requests * prompt
    total.output_tokens += members * completion
    total.critical_tokens += members > 1 ? longest : completion
  }
  return total
}

function countRequests({ voices, see }: Layer): number {
  return typeof see === 'object' ? voices.reduce((sum, v) => sum + v.n, 0) : voices.length
}

function countSeen({ see }: Layer, before: Layer): number {
  if (see === 'nothing') return 0
  return see === 'all' ? countMembers(before) : Math.min(see.sample, countMembers(before))
}

/** Compares measured with predicted overhead. Prompts without an answer are left out. */
export function compareOverhead({ file, header: { plan }, prompts }: JournalContent): OverheadRow {
  const answered = prompts.filter(({ end }) => end && 'answer' in end)
  const lengths = measureLengths(answered)
  const completions = plan.layers.reduce((sum, layer) => sum + countMembers(layer), 0)
  const first = plan.layers[0] as Layer
  const voice = first.voices[0] as Layer['voices'][number]
  const flat: Plan = { ...plan, layers: [{ ...first, voices: [{ ...voice, n: completions }] }] }
  return {
    file,
    strategy: plan.strategy,
    n: answered.length,
    measured: measure(answered),
    predicted: predictOverhead(plan, lengths),
    best_of_n: predictOverhead(flat, lengths),
  }
}

function measureLengths(prompts: JournalPrompt[]): Lengths {
  const layers = prompts.flatMap(({ layers }) => layers)
  const all = layers.flatMap((layer) => layer.completions)
  const query = average(
    prompts.flatMap(({ layers }) => layers[0]?.completions.map((c) => c.usage.inputTokens) ?? []),
  )
  const completion = average(all.map((c) => c.usage.outputTokens))
  const wide = layers.filter((layer) => layer.completions.length > 1)
  const longest = average(
    wide.map((layer) => Math.max(...layer.completions.map((c) => c.usage.outputTokens))),
  )
  const extra = prompts.flatMap(({ layers }) =>
    layers.slice(1).flatMap(({ completions }, i) => {
      const before = new Map(layers[i]?.completions.map((c) => [c.index, c.usage.outputTokens]))
      return completions.map(
        (c) =>
          c.usage.inputTokens -
          query -
          (c.saw ?? []).reduce((sum, index) => sum + (before.get(index) ?? 0), 0),
      )
    }),
  )
  return { query, completion, longest: longest || completion, instruction: Math.max(0, average(extra)) }
}

function measure(prompts: JournalPrompt[]): Overhead & { seconds: number } {
  const each = (pick: (prompt: JournalPrompt) => number) => average(prompts.map(pick))
  const usages = (prompt: JournalPrompt) =>
    prompt.layers.flatMap((layer) => layer.completions.map((c) => c.usage))
  const sum = (values: number[]) => values.reduce((a, b) => a + b, 0)
  const isKnown = prompts.every((prompt) => usages(prompt).every((u) => u.prefilledTokens !== null))
  return {
    calls: each((p) => sum(usages(p).map((u) => u.calls))),
    completions: each((p) => usages(p).length),
    input_tokens: each((p) => sum(usages(p).map((u) => u.inputTokens))),
    prefilled_tokens: isKnown ? each((p) => sum(usages(p).map((u) => u.prefilledTokens ?? 0))) : null,
    output_tokens: each((p) => sum(usages(p).map((u) => u.outputTokens))),
    critical_tokens: each((p) =>
      sum(p.layers.map((layer) => Math.max(0, ...layer.completions.map((c) => c.usage.outputTokens)))),
    ),
    seconds: each((p) => (p.end && 'ms' in p.end ? p.end.ms : 0) / 1000),
  }
}

function average(values: number[]): number {
  return values.length === 0 ? 0 : mean(values)
}
