/** Python packages that tests and benches compare with, each set in an environment of its own. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

/**
 * The interpreter of an environment that has these packages, pinned as `name==version`; made where it is missing.
 * @param alone packages that are installed without what they depend on
 */
export function installPython(packages: string[], alone: string[] = []): string {
  const cache = process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache')
  const folder = path.join(cache, 'aft-peers', nameOf([...packages, ...alone]))
  const python = path.join(folder, 'bin', 'python')
  const complete = path.join(folder, 'complete')
  if (!fs.existsSync(complete)) {
    fs.rmSync(folder, { recursive: true, force: true })
    execFileSync('python3', ['-m', 'venv', folder])
    execFileSync(python, ['-m', 'pip', 'install', '--quiet', ...packages], { stdio: 'inherit' })
    if (alone.length > 0) {
      execFileSync(python, ['-m', 'pip', 'install', '--quiet', '--no-deps', ...alone], { stdio: 'inherit' })
    }
    fs.writeFileSync(complete, '')
  }
  return python
}

/** A folder's name must not be too long. */
function nameOf(packages: string[]): string {
  const name = packages.join('+')
  return name.length < 200 ? name : createHash('sha256').update(name).digest('hex')
}
