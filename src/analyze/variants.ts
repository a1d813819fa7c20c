/** Finds the numbers and names in which sentences that say the same differ. */

/** A sentence, as it is compared. */
export interface Sentence {
  text: string
  /** Which text it is from; the answer comes after all proposals. */
  from: number
  tokens: Token[]
  /** Distinct words without numbers. */
  words: Set<string>
}

/** A word or a number. */
export interface Token {
  text: string
  key: string
  isNumber: boolean
  /** True if it has a capital and does not begin its sentence. */
  isName: boolean
}

/** A value at one place of a sentence, and the texts that have it there. */
export interface Value {
  text: string
  from: number[]
}

/** Places of a sentence that are reported. */
const MOST_PLACES = 2
/** Longest value, in tokens. */
const MOST_TOKENS = 3

/**
 * Aligns each sentence with the first one, and returns the places where they have other numbers or names.
 * @returns for each place its values, at least two, in the order in which they came
 */
export function findVariants(sentences: Sentence[]): Value[][] {
  const [first, ...others] = sentences
  if (!first) return []
  const aligned = others.map((other) => ({ from: other.from, gaps: findGaps(first.tokens, other.tokens) }))
  const places = new Set(aligned.flatMap(({ gaps }) => [...gaps.keys()]))
  return [...places].slice(0, MOST_PLACES).flatMap((place) => {
    const [start = 0, end = 0] = place.split('-').map(Number)
    const values = new Map<string, Value>()
    add(values, first.tokens.slice(start, end), first.from)
    for (const { from, gaps } of aligned) add(values, gaps.get(place) ?? first.tokens.slice(start, end), from)
    return values.size > 1 ? [[...values.values()]] : []
  })
}

function add(values: Map<string, Value>, tokens: Token[], from: number): void {
  const key = tokens.map((t) => t.key).join(' ')
  const value = values.get(key) ?? { text: tokens.map((t) => t.text).join(' '), from: [] }
  if (!value.from.includes(from)) value.from.push(from)
  values.set(key, value)
}

/** Finds what `b` has instead of numbers or names of `a`: by start and end of the place in `a`. */
function findGaps(a: Token[], b: Token[]): Map<string, Token[]> {
  const gaps = new Map<string, Token[]>()
  let [i, j] = [0, 0]
  for (const [nextI, nextJ] of [...matchTokens(a, b), [a.length, b.length] as const]) {
    const [ours, theirs] = [a.slice(i, nextI), b.slice(j, nextJ)]
    if (isValue(ours) && isValue(theirs) && isSameKind(ours, theirs)) gaps.set(`${i}-${nextI}`, theirs)
    ;[i, j] = [nextI + 1, nextJ + 1]
  }
  return gaps
}

const isValue = (tokens: Token[]) =>
  tokens.length > 0 && tokens.length <= MOST_TOKENS && tokens.some((t) => t.isNumber || t.isName)

const isSameKind = (a: Token[], b: Token[]) => a.some((t) => t.isNumber) === b.some((t) => t.isNumber)

/** The places of the longest common subsequence. */
function matchTokens(a: Token[], b: Token[]): [number, number][] {
  const width = b.length + 1
  const lengths = new Uint16Array((a.length + 1) * width)
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      lengths[i * width + j] =
        a[i]?.key === b[j]?.key
          ? (lengths[(i + 1) * width + j + 1] ?? 0) + 1
          : Math.max(lengths[(i + 1) * width + j] ?? 0, lengths[i * width + j + 1] ?? 0)
  const pairs: [number, number][] = []
  for (let [i, j] = [0, 0]; i < a.length && j < b.length; ) {
    if (a[i]?.key === b[j]?.key) pairs.push([i++, j++])
    else if ((lengths[(i + 1) * width + j] ?? 0) >= (lengths[i * width + j + 1] ?? 0)) i++
    else j++
  }
  return pairs
}
