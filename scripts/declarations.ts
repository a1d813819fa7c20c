/** What the declarations of a package need of each other. */
import path from 'node:path'

/** The entries, and every declaration file that they import, directly or not. */
export function findReachable(entries: string[], read: (file: string) => string): Set<string> {
  const found = new Set<string>()
  const open = [...entries]
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (found.has(file)) continue
    found.add(file)
    for (const [, target = ''] of read(file).matchAll(/\b(?:from|import)[\s(]*['"](\.[^'"]+)['"]/g)) {
      open.push(path.join(path.dirname(file), target.replace(/\.(ts|js)$/, '.d.ts')))
    }
  }
  return found
}
