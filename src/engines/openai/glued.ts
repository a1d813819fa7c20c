/** Splits a text of JSON objects that stand one right after the other, with blanks or `data:` between them. */
export function splitObjects(text: string): string[] {
  const objects: string[] = []
  let [from, depth, isInText] = [0, 0, false]
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (isInText) {
      if (char === '\\') at++
      else if (char === '"') isInText = false
    } else if (char === '"') isInText = true
    else if (char === '{') depth++
    else if (char === '}' && --depth === 0) {
      objects.push(text.slice(from, at + 1).replace(/^\s*(data:\s*)?/, ''))
      from = at + 1
    }
  }
  const rest = text.slice(from).replace(/^\s*(data:\s*)?/, '')
  return rest === '' || /^\[done\]$/i.test(rest) ? objects : [...objects, rest]
}
