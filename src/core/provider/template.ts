/** Templates: the wording of the roles. */
import { createHash } from 'node:crypto'

/** The wording of the roles. It stands beside the engine, because a model may have been trained with one. */
export interface Template {
  /** Written, with the hash of the wording, beside every text that was made with it. */
  id: string
  /**
   * Where instruction and proposals stand: in the system message, before the conversation (the default; the published
   * form), or at the tail, in a user turn of their own after the conversation, which stays as it is.
   */
  place?: 'system' | 'tail'
  /** The proposer's system message if the user has none; empty for no message. */
  proposerSystem: string
  /** The aggregator's instruction; `{{proposals}}` stands for the list. */
  aggregatorSystem: string
  /** One proposal in that list; `{{number}}` (from 1) and `{{text}}`. */
  proposal: string
  separator: string
  /** Whether the user's own system prompt is kept. */
  keepUserSystem: boolean
  /** Added to a proposal that was cut by its token limit. */
  cutMark?: string
  /** Note for proposers, and for aggregators before the last layer: they do not get the tools of the request. */
  withoutTools?: string
  /** The judge's instruction; `{{candidates}}` stands for the list. */
  judgeSystem?: string
}

/**
 * SHA-256 of a template's wording, as lower-case hex. The order of the keys does not matter, and the place `system` is the
 * same as none.
 * @example
 * hashTemplate(defaultTemplate) // the `template.sha256` of a result
 */
export function hashTemplate({ place, ...wording }: Template): string {
  const given = place === 'tail' ? { ...wording, place } : wording
  const sorted = Object.entries(given).sort(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex')
}
