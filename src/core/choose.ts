/** Chooses the answer: the first candidate, the most voted, a random one, a judge's, or the one most like the others. */
import { extractAnswer } from '../lib/answer-text.ts'
import { canonicalJson } from '../lib/json-text.ts'
import { mostCommon } from '../lib/most-common.ts'
import { hashParts, randomFrom } from '../lib/random.ts'
import { findCentral } from '../lib/text.ts'
import type { Layer, Plan, Prompt } from './plan.ts'
import { isJson, type ToolCall } from './provider/engine.ts'
import type { Completion, Failure } from './provider/records.ts'
import type { Chosen, LayerResult } from './result.ts'

/**
 * Chooses the answer of a plan.
 * @param candidates completions of one layer, at least one
 * @param layer their layer: the last one, unless later layers failed or were skipped
 * @param given `judged` is the result of the layer that `judgeLayer` makes
 */
export function chooseAnswer(
  candidates: Completion[],
  layer: number,
  { prompt, plan, judged }: { prompt: Prompt; plan: Plan; judged?: LayerResult },
): Chosen {
  const take = (completion: Completion): Chosen => ({ completion, layer, degradedBecause: [] })
  const first = candidates[0] as Completion
  if (candidates.length === 1) return take(first)
  if (judged) return takeJudged(candidates, layer, judged)
  if (plan.choose === 'vote') return take(vote(candidates, isJson(prompt.responseFormat)))
  if (plan.choose === 'random') {
    const random = randomFrom(hashParts(plan.seed, 'choose', prompt.id))
    return take(candidates[Math.floor(random() * candidates.length)] as Completion)
  }
  // Completions of an earlier layer are proposals: none of them is the answer already, so take the most typical one.
  return take(layer === plan.layers.length - 1 ? first : central(candidates))
}

/** The judge as a layer of its own; undefined if the plan does not have one, or there is only one candidate. */
export function judgeLayer({ choose, strict }: Plan, candidates: Completion[]): Layer | undefined {
  if (typeof choose === 'string' || candidates.length === 1) return undefined
  const { judge: engine, maxTokens, fallbacks } = choose
  // A strict plan sends only what somebody set: the model may refuse the rest.
  const usual = { ...(!strict && { temperature: 0 }), ...(maxTokens !== undefined && { maxTokens }) }
  const sampling = { ...usual, ...choose.sampling }
  return { voices: [{ engine, n: 1, sampling, ...(fallbacks && { fallbacks }) }], see: 'all' }
}

/** If the judge failed or named no candidate, the one most like the others is taken. */
function takeJudged(candidates: Completion[], layer: number, { completions, failures }: LayerResult): Chosen {
  const judgment = (completions[0] ?? failures[0]) as Completion | Failure
  const picked = 'text' in judgment ? readPick(judgment, candidates) : undefined
  if (picked) return { completion: picked, layer, judgment, degradedBecause: [] }
  const why = 'text' in judgment ? 'gave no number of a candidate' : `failed (${judgment.error.kind})`
  const reason = `the judge ${why}, so the completion most like the others was taken`
  return { completion: central(candidates), layer, judgment, degradedBecause: [reason] }
}

/** Candidates are numbered from 1 in the order that the judge saw them. */
function readPick({ text, saw = [] }: Completion, candidates: Completion[]): Completion | undefined {
  const number = text.match(/\d+/)?.[0]
  const index = number === undefined ? undefined : saw[Number(number) - 1]
  return candidates.find((c) => c.index === index)
}

function central(candidates: Completion[]): Completion {
  return candidates[findCentral(candidates.map((c) => c.text))] as Completion
}

/** The first completion with the most frequent answer; of equally frequent answers, the first. Ids of calls do not count. */
function vote(candidates: Completion[], areJson: boolean): Completion {
  const describe = ({ function: { name, arguments: text } }: ToolCall) =>
    `${name}(${canonicalJson(text) ?? text})`
  const answerOf = (c: Completion) => c.toolCalls?.map(describe).join() ?? extractAnswer(c.text, areJson)
  return mostCommon(candidates, answerOf) as Completion
}
