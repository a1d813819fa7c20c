/** For tests of trained models. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { checkpointFile } from '../../files/find-checkpoint.ts'

/** A folder as `aft train` leaves it, without an adapter. */
export function makeModel(record: object): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'aft-trained-'))
  const whole = {
    type: 'checkpoint',
    version: 1,
    base: { model: 'smollm2', sha256: '' },
    templates: [],
    ...record,
  }
  writeFileSync(path.join(folder, checkpointFile), JSON.stringify(whole))
  return folder
}
/** The arguments that ask a trained model for a few tokens. */
export const askArgs = (folder: string) => [
  'ask',
  'Name a river.',
  '--model',
  folder,
  '--strategy',
  'single',
  '--max-tokens',
  '4',
  '--seed',
  '1',
]
