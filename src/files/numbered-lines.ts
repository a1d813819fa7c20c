/** Answers in numbered lines: `(1) …`, `(2) …`. */

/**
 * Says for each line of the right answer whether a text has it right. Only lines that start with their number count, and
 * the last one if a number comes twice. Spaces and a full stop at the end do not matter; case does.
 * @returns one value per line of `answer`
 */
export function checkNumberedLines(text: string, answer: string): boolean[] {
  const lines = readNumberedLines(text)
  return [...readNumberedLines(answer)].map(([number, right]) => lines.get(number) === right)
}

/** Reads the numbered lines of a text: each line by its number, with single spaces. */
export function readNumberedLines(text: string): Map<string, string> {
  const lines = new Map<string, string>()
  for (const [, number, line] of text.matchAll(/^[ \t]*\((\d{1,2})\)[ \t]*(\S.*)$/gm)) {
    lines.set(number as string, (line as string).trim().replace(/\.$/, '').split(/\s+/).join(' '))
  }
  return lines
}
