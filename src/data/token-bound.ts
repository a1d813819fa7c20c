/** How many tokens messages have at most, without tokenizing them: words are counted once and remembered. */
import { type Message, textOf } from '../core/provider/engine.ts'

/** Tokens that a template adds to a conversation and to each message, at most. */
const MARGIN = { conversation: 64, message: 16 }
/** Tokenizers split text at white space, so that words add up; this is for what they do otherwise. */
const RESERVE = 1.02
const MAX_WORDS = 500_000
const MIN_SEEN = 4

/** A token has a byte at least. */
export function countBytes(messages: Message[]): number {
  return messages.reduce(
    (sum, message) => sum + Buffer.byteLength(JSON.stringify(message.content)) + MARGIN.message,
    MARGIN.conversation,
  )
}

/**
 * Returns a function that bounds the tokens of messages from above. A word counts as its bytes until it was seen
 * `MIN_SEEN` times, then as the tokens that `countTokens` gives it after another word.
 */
export function createTokenBound(
  countTokens: (messages: Message[]) => Promise<number>,
): (messages: Message[]) => Promise<number> {
  /** Tokens of a word; below 0, how often one was seen that is not counted yet. */
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
    // the text before the word: directly after a letter it might become one token with it
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

/** A string that does not keep alive the long one that it was cut from. */
function copyText(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le')
}
