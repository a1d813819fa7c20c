/** The version of this package: in the sources and in the compiled files `package.json` is two folders up. */
import { readFileSync } from 'node:fs'

/** The version that journals, results and `aft --version` show. */
export function readVersion(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version
}
