/** Decides what depends on one row alone: whether it is used, its target, and what may be shown. Any thread can do this. */

import { findUnusable } from '../core/proposals.ts'
import { type Message, textOf } from '../core/provider/engine.ts'
import type { Reasons } from '../files/build-counts.ts'
import type { Response, SourceRow } from '../files/rows/row.ts'
import { hashParts, randomFrom } from '../lib/random.ts'
import { type ChooseBy, chooseResponses } from './choose.ts'
import { cleanResponses, cleanText } from './clean.ts'
import { type FingerprintSet, findHits } from './fingerprints.ts'
import type { Draft } from './make-example.ts'

/**
 * Where targets come from: the source's own target, the response with the best score (it is then not a proposal), or a
 * table by prompt text (`promptText`).
 */
export type Target = 'gold' | 'best' | Map<string, string>

/** Joins the text of all turns. Targets and duplicates are found by it. */
export function promptText(prompt: Message[]): string {
  return prompt.map(textOf).join('\n')
}

/** Options that decide whether a row is used, and which responses are shown. */
export interface ExamineOptions {
  /** Name of the source, written in each example. */
  source: string
  seed: number
  /** `later` keeps rows without a target. */
  target: Target | 'later'
  /** Most proposals per example. A row with fewer than `minProposals` is dropped. */
  proposals: number
  minProposals: number
  chooseBy: ChooseBy
  /** Also shows responses that equal the target or one another, as a model meets them when it answers. */
  keepsEqual?: boolean
  /** Proposals of this model are on-policy, in addition to those that the source marks. */
  onPolicyModel?: string
  /** A row is dropped if its prompt is in one of these. */
  benchmarks: FingerprintSet[]
  /** Returns the language of a text if it is an unwanted one; see `createLanguageCheck`. */
  findOtherLanguage?: (text: string) => string | undefined
  /** Most characters in all turns of the prompt together. */
  maxPromptChars?: number
  /** Fewest characters in the target; `maxTargetChars` is the most. */
  minTargetChars?: number
  maxTargetChars?: number
}

/** Why a row is dropped. */
export interface Drop {
  reason: string
  detail?: unknown
}

/** The result of examining a row. */
export interface Examined {
  /** Benchmarks that contain the prompt. */
  hits: string[]
  /** Counts responses that cannot be shown, by reason. */
  left: Reasons
  drop?: Drop
  /** Text of the prompt. */
  text: string
  target?: string
  /** Responses that may be shown. */
  responses: Response[]
}

/** Examines one row. The result has its target and the responses that may be shown, or the reason to drop it. */
export function examineRow(row: SourceRow, options: ExamineOptions): Examined {
  const text = promptText(row.prompt)
  const hits = findHits(text, options.benchmarks)
  const none: Examined = { hits, left: {}, text, responses: [] }
  if (hits.length > 0) return { ...none, drop: { reason: 'benchmark', detail: hits } }
  if (text.length > (options.maxPromptChars ?? Infinity)) {
    return { ...none, drop: { reason: 'the prompt is too long', detail: text.length } }
  }
  const other = options.findOtherLanguage?.(text)
  if (other !== undefined)
    return { ...none, drop: { reason: 'the prompt is in another language', detail: other } }
  const { drop, target, responses: others } = findTarget(row, text, options)
  if (drop) return { ...none, drop }
  const { responses, left } = cleanResponses(others, { taken: target, keepsEqual: options.keepsEqual })
  const examined = { ...none, left, target, responses }
  const usable = responses.length
  if (usable < options.minProposals) {
    return { ...examined, drop: { reason: 'too few proposals', detail: { usable, left } } }
  }
  if (target === undefined && options.target !== 'later')
    return { ...examined, drop: { reason: 'no target' } }
  return examined
}

/** Chooses the proposals and their order. The draft has the id of the row. */
export function chooseDraft(
  row: SourceRow,
  { responses, target = '' }: Examined,
  options: ExamineOptions,
): Draft {
  const random = randomFrom(hashParts(options.seed, 'choose', row.id))
  const { proposals: count, chooseBy: by, source } = options
  const chosen = chooseResponses(responses, { count, by, random })
  const proposals = chosen.map((r) => (r.model === options.onPolicyModel ? { ...r, onPolicy: true } : r))
  return { id: row.id, conversation: row.prompt, proposals, target, source }
}

/** Finds and checks the target. The result has the other responses, or the reason to drop the row. */
function findTarget(
  row: SourceRow,
  text: string,
  options: ExamineOptions,
): { drop?: Drop; target?: string; responses: Response[] } {
  const { target: from, minTargetChars = 1, maxTargetChars = Infinity } = options
  const { responses } = row
  const best = from === 'best' ? findBest(row) : undefined
  const given = best?.text ?? (from === 'gold' ? row.target : undefined)
  const found = from instanceof Map ? from.get(text) : given
  if (found === undefined) return { responses }
  const target = cleanText(found)
  const drop = (reason: string, detail?: unknown) => ({
    drop: { reason: `the target is ${reason}`, detail },
    responses,
  })
  const unusable = best ? undefined : findUnusable(target) // the best one is usable
  if (unusable) return drop(unusable)
  if (target.length < minTargetChars) return drop('too short', target.length)
  if (target.length > maxTargetChars) return drop('too long', target.length)
  const other = options.findOtherLanguage?.(target)
  if (other !== undefined) return drop('in another language', other)
  return { target, responses: responses.filter((r) => r !== best) }
}

/** Returns the usable response with the best score; undefined if no usable response has a score. */
export function findBest({ responses }: SourceRow): Response | undefined {
  const scored = responses.filter((r) => r.score !== undefined)
  const sorted = scored.sort((a, b) => (b.score ?? 0) - (a.score ?? 0))
  return sorted.find((r) => findUnusable(cleanText(r.text)) === undefined)
}
