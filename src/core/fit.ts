/** Makes a group's proposals fit the context of its engine: all are cut to one limit, or refused, as the plan says. */
import { findTrim, trimMiddle } from '../lib/text.ts'
import { type Group, listShown } from './group.ts'
import type { LayerTask } from './host.ts'
import type { Engine, Message } from './provider/engine.ts'
import { EngineError } from './provider/errors.ts'
import { aggregatorMessages, proposerMessages } from './templates.ts'

/** The messages of a group for one engine, and how far its proposals are cut. */
export interface Fitting {
  /** Characters to which longer proposals are cut; undefined while all are whole. */
  readonly limit: number | undefined
  /**
   * The messages. They are counted first if the engine can count.
   * @throws EngineError of kind `context-overflow` if they do not fit and cannot be cut, or may not be
   */
  write(): Promise<Message[]>
  /** Lowers the limit after the engine refused the messages as too long; false if that cannot help. */
  shrink(error: EngineError): Promise<boolean>
}

/** Fits the proposals that a group sees; `maxTokens` stay free for the completion. */
export function fitProposals(run: LayerTask, group: Group, engine: Engine, maxTokens: number): Fitting {
  const shown = listShown(run, group)
  const lengths = shown.map((proposal) => proposal.text.length)
  const longest = Math.max(0, ...lengths)
  const sizeAt = (limit: number) => lengths.reduce((sum, length) => sum + Math.min(length, limit), 0)
  const mayTrim = run.plan.overflow === 'trim' && shown.length > 0
  let limit: number | undefined
  let isHopeless = !mayTrim

  const render = (limit = longest): Message[] => {
    const { prompt, host, isLast } = run
    const hasTools = !isLast && Boolean(prompt.tools?.length)
    if (shown.length === 0) return proposerMessages(host.template, prompt.messages, hasTools)
    const list = shown.map((p) => ({ text: trimMiddle(p.text, limit), isCut: p.finishReason === 'length' }))
    return (run.write ?? aggregatorMessages)(host.template, prompt.messages, list, hasTools)
  }

  return {
    get limit() {
      return limit
    },
    async write() {
      const messages = render(limit)
      const { contextLength } = engine
      if (!engine.countTokens || contextLength === undefined || shown.length === 0) return messages
      const room = contextLength - maxTokens
      const count = async (limit?: number) => (await engine.countTokens?.(render(limit))) ?? 0
      const needed = await count(limit)
      if (needed <= room) return messages
      const found = mayTrim
        ? await findTrim(longest, async (limit) => (await count(limit)) <= room)
        : undefined
      isHopeless = found === undefined
      if (isHopeless) throw overflowError(engine, needed, maxTokens)
      limit = found
      return render(limit)
    },
    async shrink({ tokens }) {
      if (isHopeless) return false
      const room = (tokens?.context ?? 0) - maxTokens
      const share = tokens?.prompt && room > 0 ? Math.min(0.9, (0.9 * room) / tokens.prompt) : 0.6
      const target = share * sizeAt(limit ?? longest)
      const found = await findTrim(longest, async (limit) => sizeAt(limit) <= target)
      limit = found ?? limit
      return found !== undefined
    },
  }
}

function overflowError(engine: Engine, prompt: number, maxTokens: number): EngineError {
  const context = engine.contextLength
  const problem = `the prompt has ${prompt} tokens and ${maxTokens} are kept for the answer, but the context has ${context}`
  const advice = 'Ask for fewer or shorter proposals (--width, --max-tokens), or trim them (--overflow trim)'
  const tokens = { prompt, context }
  return new EngineError(engine.id, 'context-overflow', `${problem}. ${advice}`, { tokens })
}
