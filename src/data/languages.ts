/** Tells the language of a text, by eld: of 2,124 English prompts of two benchmarks it takes none for another language. */
import { UsageError } from '../core/provider/errors.ts'
import { needPackages } from '../files/optional-packages.ts'
import { findClosest } from '../lib/closest.ts'

/** Longer texts tell nothing new. */
const MAX_CHARS = 2_000

/**
 * Returns a function that returns the language of a text if it is surely none of these. It returns undefined if the
 * text is in one of them, or if the language is not certain, as with numbers or a word or two.
 * @param languages by their two letters (ISO 639-1)
 * @throws UsageError for one that is not known
 */
export async function createLanguageCheck(
  languages: string[],
): Promise<(text: string) => string | undefined> {
  needPackages('telling languages apart')
  const { eld } = await import('eld/small')
  const known = Object.values(eld.info().Languages)
  const unknown = languages.find((language) => !known.includes(language))
  if (unknown !== undefined) {
    const closest = findClosest(unknown, known)
    throw new UsageError(
      `--languages: "${unknown}" is not known${closest ? ` (meant "${closest}"?)` : ''}; there are: ${known.join(', ')}`,
    )
  }
  return (text) => {
    const found = eld.detect(text.slice(0, MAX_CHARS))
    return languages.includes(found.language) || !found.isReliable() ? undefined : found.language
  }
}
