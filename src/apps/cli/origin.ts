/** Describes how a result was made, and writes it. */
import os from 'node:os'
import path from 'node:path'
import { readVersion } from '../../lib/version.ts'
import { writeWhole } from '../../lib/write-whole.ts'

/** How a result was made. */
export interface Origin {
  command: string
  version: string
  node: string
  /** Time of the end, in ISO format. */
  date: string
  machine: string
}

/** Describes the running command. */
export function describeOrigin(): Origin {
  return {
    command: ['aft', ...process.argv.slice(2)].join(' '),
    version: readVersion(),
    node: process.version,
    date: new Date().toISOString(),
    machine: describeMachine(),
  }
}

/** Describes the machine without its name, such as `linux x64, 2 × Some CPU, 8 GB`. */
function describeMachine(): string {
  const cpus = os.cpus()
  const model = cpus[0]?.model.trim() || 'CPU'
  return `${os.platform()} ${os.arch()}, ${cpus.length} × ${model}, ${Math.round(os.totalmem() / 1e9)} GB`
}

/** Writes `result.json` into a folder, completely or not at all. */
export function writeResult(folder: string, result: object): void {
  writeWhole(path.join(folder, 'result.json'), `${JSON.stringify(result, null, 2)}\n`)
}
