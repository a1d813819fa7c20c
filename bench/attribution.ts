/**
 * The time of attribution: an answer of 4,000 words, made from five proposals of 4,000 words each. Then the same for texts
 * that are hard to index.
 *
 *   npm run bench -- attribution
 */
import { attribute } from '../src/analyze/attribution.ts'
import { randomFrom } from '../src/lib/random.ts'
import { printTable, saveResults, showSpread } from './table.ts'

const [WORDS, PROPOSALS, REPEATS] = [4_000, 5, 30]

/** Words with the frequencies of a language: the nth one has the weight 1 / n. */
function makeText(seed: number, words: number): string {
  const random = randomFrom(seed)
  const pieces = Array.from({ length: words }, (_, i) => {
    const word = `w${Math.floor(5_000 ** random()).toString(36)}`
    return i % 17 === 16 ? `${word}.` : word
  })
  return pieces.join(' ')
}

const proposals = Array.from({ length: PROPOSALS }, (_, i) => makeText(i + 1, WORDS))
const share = Math.floor(WORDS / PROPOSALS)
const answer = proposals
  .map((text, i) =>
    text
      .split(' ')
      .slice(i * share, (i + 1) * share)
      .join(' '),
  )
  .join(' ')
const same = 'the same words over and over. '.repeat(WORDS / 6)
const texts: Record<string, [answer: string, proposals: string[]]> = {
  'an answer of pieces of each': [answer, proposals],
  'an answer that shares only words': [makeText(99, WORDS), proposals],
  'one sentence repeated, in all': [same, proposals.map(() => same)],
  'Chinese, a character a word': [
    '天空是蓝色的。'.repeat(WORDS / 6),
    proposals.map(() => '因为天空是蓝色'.repeat(WORDS / 7)),
  ],
}

const results = Object.entries(texts).map(([name, [text, shown]]) => {
  const firstMs = time(() => attribute(text, shown))
  const ms = Array.from({ length: REPEATS }, () => time(() => attribute(text, shown)))
  return { name, firstMs, ms, copyRate: attribute(text, shown).copyRate }
})

function time(work: () => unknown): number {
  const startMs = performance.now()
  work()
  return performance.now() - startMs
}

printTable(
  ['texts', 'ms, first call', 'ms, median [least, most]', 'copied'],
  results.map(({ name, firstMs, ms, copyRate }) => [
    name,
    firstMs.toFixed(1),
    showSpread(ms, 1),
    copyRate.toFixed(2),
  ]),
)
saveResults('attribution', 'npm run bench -- attribution', { words: WORDS, proposals: PROPOSALS, results })
