/**
 * Tokenizes by pieces that are remembered. The library's tokenizer splits a text into words, and no token crosses from
 * one to the next. So the tokens of a text are those of its words, and most words come again.
 */

/** Characters that the library and JavaScript surely class alike: no new letters, and no rare white space. */
const PLAIN = /^[\t\n\r -~¡-¬®-ÿ–—‘’“”…•]*$/
/** Where white space follows such a character, a word ends. */
const GAP = /(?<=[!-~¡-¬®-ÿ–—‘’“”…•])(?=[\t\n\r ])/
const DIGIT = /(\p{N})/u
/** GPT-2's words. */
const WORD = /'(?:s|t|re|ve|m|ll|d)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu

const LONGEST_WORD = 32
const MOST_WORDS = 100_000
/** A call of the library costs as much as tokenizing this many characters. */
const CALL_CHARS = 40

/** What has to be known of a vocabulary. */
export interface WordVocabulary {
  /** The name of the way in which text is split, as GGUF files have it. */
  split: string | undefined
  /** Texts of the tokens, a character per byte. */
  tokens: string[]
  /** Type 4 was added by the model's makers: such a token is found in any text, before it is split. */
  tokenTypes: number[]
}

const USER_DEFINED = 4

/** `tokenize` with a memory of words, if the vocabulary splits text in a way that is known here; else `tokenize` itself. */
export function rememberWords(
  tokenize: (text: string) => number[],
  vocabulary: WordVocabulary,
): (text: string) => number[] {
  // Digits stand alone, then come GPT-2's words.
  if (vocabulary.split !== 'smollm' || vocabulary.tokenTypes.includes(USER_DEFINED)) return tokenize
  const tokenizePlain = createMemory(tokenize, vocabulary.tokens)
  return (text) => {
    if (PLAIN.test(text)) return tokenizePlain(text)
    const parts = text.split(GAP)
    const isPlain = parts.map((part) => PLAIN.test(part))
    if (isPlain.filter((plain) => !plain).length * CALL_CHARS > text.length) return tokenize(text)
    const all: number[] = []
    const add = (tokens: number[]) => {
      for (const token of tokens) all.push(token)
    }
    let run = ''
    for (const [i, part] of parts.entries()) {
      if (isPlain[i]) run += part
      else {
        add(tokenizePlain(run))
        add(tokenize(part))
        run = ''
      }
    }
    add(tokenizePlain(run))
    return all
  }
}

/** Tokenizes plain text. New words are given to the library together, a line each. */
function createMemory(tokenize: (text: string) => number[], texts: string[]): (text: string) => number[] {
  const known = new Map<string, number[]>()

  function learn(words: string[]): void {
    const tokens = tokenize(words.join('\n'))
    let at = 0
    /** The next tokens, of `bytes` bytes; undefined if none end there. */
    const take = (bytes: number) => {
      const from = at
      while (bytes > 0 && at < tokens.length) bytes -= texts[tokens[at++] as number]?.length || bytes + 1
      return bytes === 0 ? tokens.slice(from, at) : undefined
    }
    for (const [i, word] of words.entries()) {
      const [line, found] = [i > 0 ? take(1) : [], take(Buffer.byteLength(word))]
      if (!line || !found) return // a token that is not the bytes of its text
      known.set(word, found)
    }
  }
  return (text) => {
    const words = text.split(DIGIT).flatMap((part) => part.match(WORD) ?? [])
    const isNew = (word: string) => !known.has(word) && word.length <= LONGEST_WORD
    const news = known.size < MOST_WORDS ? [...new Set(words.filter(isNew))] : []
    // White space would be one word with the end of its line.
    for (const word of news) if (word.trim() === '') known.set(word, tokenize(word))
    const others = news.filter((word) => word.trim() !== '')
    if (others.length > 0) learn(others)
    const all: number[] = []
    for (const word of words) for (const token of known.get(word) ?? tokenize(word)) all.push(token)
    return all
  }
}
