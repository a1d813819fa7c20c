/** What two answers do not share, word by word. */
import { diffWordsWithSpace } from 'diff'
import { useMemo } from 'preact/hooks'

interface Props {
  before: string
  after: string
  names: [string, string]
}

/** Longest texts to compare, and how long to search. */
const MOST_CHARS = 60_000
const MOST_MS = 500

/** Shows one text with what only the other has. It is open if they are alike: of others, the marks hide the words. */
export function AnswerDiff({ before, after, names }: Props) {
  const diff = useMemo(() => compareWords(before, after), [before, after])
  if (!diff) return <p class="soft">The answers are too long to compare word by word.</p>
  if (before === after) return <p class="soft">Both answers are the same.</p>
  return (
    <details class="answer-diff" open={diff.isAlike}>
      <summary>
        How the answers differ: <del>only in {names[0]}</del>, <ins>only in {names[1]}</ins>
      </summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <p class="diff-text" dir="auto" tabIndex={0}>
        {diff.parts.map(({ value, added, removed }, i) => {
          if (added) return <ins key={i}>{value}</ins>
          return removed ? <del key={i}>{value}</del> : value
        })}
      </p>
    </details>
  )
}

const lengthOf = (text: string) => text.match(/\S+/g)?.length ?? 0

/** Removes marks of emphasis, code and headings. */
const plain = (text: string) => text.replace(/\*\*|`+|^#{1,6} +/gm, '')

/** Compares two texts; undefined if they are too long. They are alike if they share more than half of their words. */
function compareWords(before: string, after: string) {
  if (before.length + after.length > MOST_CHARS) return undefined
  const parts = diffWordsWithSpace(plain(before), plain(after), { timeout: MOST_MS }) ?? []
  const shared = parts.filter((p) => !p.added && !p.removed).reduce((sum, p) => sum + lengthOf(p.value), 0)
  return { parts, isAlike: 4 * shared > lengthOf(plain(before)) + lengthOf(plain(after)) }
}
