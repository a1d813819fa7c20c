/** Makes proposals fit the context of an engine. If they do not fit, the plan decides: trim all to one limit, or refuse. */
import { findTrim, trimMiddle } from '../lib/text.ts'
import { type Group, listShown } from './group.ts'
import type { LayerTask } from './host.ts'
import type { Engine, Message } from './provider/engine.ts'
import { EngineError } from './provider/errors.ts'
import { aggregatorMessages, proposerMessages } from './templates.ts'

/** Writes the messages of a group for one engine, with proposals that are trimmed if they must be. */
export interface Fitting {
  /** Longer proposals are trimmed to this many characters; undefined while all are whole. */
  readonly limit: number | undefined
  /**
   * Returns the messages. If the engine can count tokens, they are counted and trimmed first.
   * @throws EngineError of kind `context-overflow` if they do not fit, and the plan forbids trimming or it does not help
   */
  write(): Promise<Message[]>
  /** Lowers the limit after the engine refused the messages as too long; false if that cannot help. */
  shrink(error: EngineError): Promise<boolean>
}

/** Tokens that stay free for a completion without a limit, if that is at most a quarter of the context. */
const KEPT_TOKENS = 1_024

function keptTokens({ defaultMaxTokens: own, contextLength = Infinity }: Engine): number {
  return own ?? Math.min(KEPT_TOKENS, Math.floor(contextLength / 4))
}

/** Fits the proposals that a group sees; `maxTokens` stay free for the completion. */
export function fitProposals(
  run: LayerTask,
  group: Group,
  engine: Engine,
  maxTokens = keptTokens(engine),
): Fitting {
  const shown = listShown(run, group)
  const lengths = shown.map((proposal) => proposal.text.length)
  const longest = Math.max(0, ...lengths)
  const sizeAt = (chars: number) => lengths.reduce((sum, length) => sum + Math.min(length, chars), 0)
  let limit: number | undefined
  let canTrim = run.plan.overflow === 'trim' && shown.length > 0

  const render = (chars = longest): Message[] => {
    const { prompt, host, isLast } = run
    const hasTools = !isLast && Boolean(prompt.tools?.length)
    if (shown.length === 0) return proposerMessages(host.template, prompt.messages, hasTools)
    const list = shown.map((p) => ({ text: trimMiddle(p.text, chars), isCut: p.finishReason === 'length' }))
    return (run.write ?? aggregatorMessages)(host.template, prompt.messages, list, {
      hasTools,
      at: host.recordedFor,
    })
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
      const count = async (chars?: number) => (await engine.countTokens?.(render(chars))) ?? 0
      const needed = await count(limit)
      if (needed <= room) return messages
      const fits = async (chars: number) => (await count(chars)) <= room
      const found = canTrim ? await findTrim(longest, fits) : undefined
      canTrim = found !== undefined
      if (!canTrim) throw overflowError(engine, needed, maxTokens)
      limit = found
      return render(limit)
    },
    async shrink({ tokens }) {
      if (!canTrim) return false
      const room = (tokens?.context ?? 0) - maxTokens
      // If the error says how many tokens there are, keep a little less than fits. Otherwise keep 60 %.
      const share = tokens?.prompt && room > 0 ? Math.min(0.9, (0.9 * room) / tokens.prompt) : 0.6
      const target = share * sizeAt(limit ?? longest)
      const found = await findTrim(longest, async (chars) => sizeAt(chars) <= target)
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
