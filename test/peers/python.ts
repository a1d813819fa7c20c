/** Python packages that tests and benches compare with, each set in an environment of its own. */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'

/** The interpreter of an environment that has these packages, pinned as `name==version`; made where it is missing. */
export function installPython(packages: string[]): string {
  const cache = process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache')
  const folder = path.join(cache, 'aft-peers', packages.join('+'))
  const python = path.join(folder, 'bin', 'python')
  const complete = path.join(folder, 'complete')
  if (!fs.existsSync(complete)) {
    fs.rmSync(folder, { recursive: true, force: true })
    execFileSync('python3', ['-m', 'venv', folder])
    execFileSync(python, ['-m', 'pip', 'install', '--quiet', ...packages], { stdio: 'inherit' })
    fs.writeFileSync(complete, '')
  }
  return python
}
