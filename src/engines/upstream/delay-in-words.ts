/** The delay that a server asks for in words alone. */

const IN_WORDS =
  /\b(?:again|retry|wait)\b[^.\d]{0,40}?(\d+(?:\.\d+)?) ?(?:(ms|milliseconds?)|(s|secs?|seconds?)|(m|min|minutes?))(?![a-z])(\d+(?:\.\d+)?s)?/i

/** Milliseconds that a message asks to wait: "Please try again in 1m2.5s", "retry after 24 seconds". */
export function delayInWords(message: string): number | undefined {
  const [, number, ms, s, m, rest] = IN_WORDS.exec(message) ?? []
  if (number === undefined) return undefined
  const unit = ms ? 1 : s ? 1_000 : m ? 60_000 : 0
  return Number(number) * unit + (rest ? Number.parseFloat(rest) * 1_000 : 0)
}
