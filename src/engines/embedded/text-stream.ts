/** Tokens as text that is safe to show: whole characters, and nothing that may still become a stop string. */

/** Turns tokens into text while they come. */
export interface TextStream {
  /** The text that is certain with this token, and whether a stop string has come (it is left out). */
  push(token: number): { text: string; isStopped: boolean }
  /** The text that was held back, without a character whose bytes did not all come. */
  end(): string
}

/** A text stream that stops before the first of `stops`. */
export function createTextStream(detokenize: (tokens: number[]) => string, stops: string[] = []): TextStream {
  /** Tokens whose text was taken (some tokenizers write a token depending on those before it), and new ones. */
  let [known, fresh]: number[][] = [[], []]
  let heldBack = ''

  const takeText = (isEnd: boolean): string => {
    const before = detokenize(known as number[])
    const text = detokenize([...(known as number[]), ...(fresh as number[])]).slice(before.length)
    if (text.endsWith('\uFFFD') && !isEnd) return ''
    ;[known, fresh] = [fresh, []]
    return isEnd ? text.replace(/\uFFFD+$/, '') : text
  }

  return {
    push(token) {
      fresh?.push(token)
      heldBack += takeText(false)
      const at = firstOf(stops, heldBack)
      const isStopped = at >= 0
      const end = isStopped ? at : heldBack.length - longestStart(stops, heldBack)
      const text = heldBack.slice(0, end)
      heldBack = isStopped ? '' : heldBack.slice(end)
      if (isStopped) fresh = []
      return { text, isStopped }
    },
    end: () => heldBack + takeText(true),
  }
}

function firstOf(stops: string[], text: string): number {
  const found = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0)
  return found.length > 0 ? Math.min(...found) : -1
}

/** Length of the longest end of `text` that is the start of a stop string. */
function longestStart(stops: string[], text: string): number {
  const most = Math.max(0, ...stops.map((stop) => stop.length - 1))
  for (let length = Math.min(most, text.length); length > 0; length--) {
    const tail = text.slice(-length)
    if (stops.some((stop) => stop.startsWith(tail))) return length
  }
  return 0
}
