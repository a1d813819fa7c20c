/** Packages from npm that tests compare with and the project does not depend on, each set in a folder of its own. */
import { execFile, execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

/**
 * Runs a script with packages, pinned as `name@version`, which are installed first if they are missing.
 * @returns what the script prints, parsed as JSON
 */
export async function runWithPackages(packages: string[], script: string, args: string[]): Promise<unknown> {
  const folder = installPackages(packages)
  // Node looks for packages from where the script is.
  const copy = path.join(folder, path.basename(script))
  fs.copyFileSync(script, copy)
  const { stdout } = await promisify(execFile)(process.execPath, [copy, ...args], { maxBuffer: 1e8 })
  return JSON.parse(stdout)
}

/** Installs packages, pinned as `name@version`, into a folder of their own, and returns it. */
export function installPackages(packages: string[]): string {
  const cache = process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache')
  const folder = path.join(cache, 'aft-peers', packages.join('+').replaceAll('/', '-'))
  const complete = path.join(folder, 'complete')
  if (!fs.existsSync(complete)) {
    fs.rmSync(folder, { recursive: true, force: true })
    fs.mkdirSync(folder, { recursive: true })
    fs.writeFileSync(path.join(folder, 'package.json'), '{"type":"module","private":true}')
    const flags = ['--silent', '--no-audit', '--no-fund', '--ignore-scripts']
    execFileSync('npm', ['install', ...flags, ...packages], { cwd: folder, stdio: 'inherit' })
    fs.writeFileSync(complete, '')
  }
  return folder
}
