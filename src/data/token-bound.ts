/** Bounds the tokens of messages without tokenizing them. Each common word is tokenized once and remembered. */
import { type Message, textOf } from '../core/provider/engine.ts'

/** Most tokens that a chat template adds, per conversation and per message. */
const MARGIN = { conversation: 64, message: 16 }
/** Tokenizers split text at white space, so the counts of words add up. This factor covers the exceptions. */
const RESERVE = 1.02
const MAX_WORDS = 500_000
const MIN_SEEN = 4

/** Bounds the tokens by bytes: a token has at least one byte. */
export function countBytes(messages: Message[]): number {
  return messages.reduce(
    (sum, message) => sum + Buffer.byteLength(JSON.stringify(message.content)) + MARGIN.message,
    MARGIN.conversation,
  )
}

/**
 * Makes a function that returns an upper bound of the tokens of messages. A word counts as its bytes until it was seen
 * `MIN_SEEN` times. Then `countTokens` counts it after another word, once.
 */
export function createTokenBound(
  countTokens: (messages: Message[]) => Promise<number>,
): (messages: Message[]) => Promise<number> {
  /** Tokens per word. A negative number says how often a word was seen that is not counted yet. */
  const words = new Map<string, number>()
  const contexts = new Map<string, number>()
  const count = (text: string) => countTokens([{ role: 'user', content: text }])

  async function countWord(word: string): Promise<number> {
    const seen = 1 - (words.get(word) ?? 0)
    if (seen < MIN_SEEN) {
      if (seen > 1) words.set(word, -seen)
      else if (words.size < MAX_WORDS) words.set(copyText(word), -seen)
      return Buffer.byteLength(word)
    }
    // count a word after a line break: directly after a letter, both might become one token
    const context = /^\s/.test(word) ? 'x' : 'x\n'
    const empty = contexts.get(context) ?? (await count(context))
    contexts.set(context, empty)
    const tokens = Math.max(1, (await count(context + word)) - empty)
    words.set(word, tokens)
    return tokens
  }

  return async (messages) => {
    let tokens = 0
    for (const message of messages) {
      if (typeof message.content !== 'string' && !Array.isArray(message.content)) continue
      for (const word of textOf(message).match(/ ?\S+|\s/g) ?? []) {
        const known = words.get(word) ?? 0
        tokens += known > 0 ? known : await countWord(word)
      }
      tokens += MARGIN.message
    }
    return Math.ceil(tokens * RESERVE) + MARGIN.conversation
  }
}

/** Copies a string, so that it does not keep alive the long one that it was cut from. */
function copyText(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le')
}
