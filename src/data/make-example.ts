/** Makes an example from a draft: the messages of inference, trimmed to a token budget. A completion is never cut. */

import type { Message } from '../core/provider/engine.ts'
import type { Template } from '../core/provider/template.ts'
import { aggregatorMessages, placeOfProposals, proposerMessages } from '../core/templates.ts'
import type { Example, Response } from '../files/rows/row.ts'
import { findTrim, LEAST_CHARS, trimMiddle } from '../lib/text.ts'
import { locateProposals } from './locate-proposals.ts'
import { countBytes } from './token-bound.ts'

/** How many tokens an example may have, and how they are counted. */
export interface TokenBudget {
  /** Tokens of prompt and completion together. */
  maxTokens: number
  /** Counts the tokens of messages as the model to train renders them. */
  countTokens: (messages: Message[]) => Promise<number>
  /** A cheap upper bound of the tokens; bytes if absent. A row that surely fits is not tokenized. */
  boundTokens?: (messages: Message[]) => Promise<number>
  /** If a row has too many tokens: cut all proposals in the middle to the same length, or drop the row. */
  tooLong: 'trim' | 'drop'
}

/** A row with chosen proposals, not rendered yet. */
export interface Draft {
  id: string
  conversation: Message[]
  proposals: Response[]
  target: string
  source: string
}

/** Makes an example; undefined if it does not fit. */
export async function makeExample(
  draft: Draft,
  template: Template,
  budget?: TokenBudget,
): Promise<Example | undefined> {
  const lengths = draft.proposals.map(({ text }) => text.length)
  const longest = Math.max(0, ...lengths)
  const render = (limit: number) => renderExample(draft, template, limit)
  const fits = async (limit: number) => !budget || fitsBudget(render(limit), budget)
  if (await fits(longest)) return render(longest)
  if (budget?.tooLong !== 'trim' || longest === 0) return undefined
  const limit = await findTrim(longest, fits)
  return limit !== undefined && limit >= LEAST_CHARS ? render(limit) : undefined
}

/** Renders an example; a plain one if there are no proposals. It names the template by id; the data card has its hash. */
function renderExample(
  { id, conversation, proposals, target, source }: Draft,
  template: Template,
  limit: number,
): Example {
  const shown = proposals.map(({ text }) => ({ text: trimMiddle(text, limit) }))
  const prompt =
    shown.length === 0
      ? proposerMessages(template, conversation)
      : aggregatorMessages(template, conversation, shown)
  const texts = shown.map(({ text }) => text)
  const at = placeOfProposals(template, prompt)
  const spans = shown.length === 0 ? undefined : locateProposals(template, conversation, texts)
  return {
    id,
    prompt,
    completion: [{ role: 'assistant', content: target }],
    source,
    proposals: proposals.map(({ text, model, onPolicy = false }, i) => ({
      model,
      onPolicy,
      ...(at > 0 && { at }),
      ...(spans && { span: spans[i] }),
      ...(text.length > limit && { trimmedTo: limit }),
    })),
    template: template.id,
  }
}

async function fitsBudget({ prompt, completion }: Example, budget: TokenBudget): Promise<boolean> {
  const { maxTokens, countTokens, boundTokens } = budget
  const messages: Message[] = [...prompt, ...completion]
  if (countBytes(messages) <= maxTokens) return true
  if (boundTokens && (await boundTokens(messages)) <= maxTokens) return true
  return (await countTokens(messages)) <= maxTokens
}
