/** One folder for all temporary files of tests. It is removed when they have ended. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

export default function openScratch(): () => void {
  const folder = mkdtempSync(path.join(tmpdir(), 'aft-test-'))
  for (const name of ['TMPDIR', 'TMP', 'TEMP']) process.env[name] = folder
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
}
