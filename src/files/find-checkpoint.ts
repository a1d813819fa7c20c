/** Where trained models are. Kept apart from `checkpoint.ts`: to look for one takes no schema. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** The name of the file that makes a folder a model. */
export const checkpointFile = 'aft-model.json'

/** Folders of trained models that lie in the package. */
export const packagedFolder = join(import.meta.dirname, '../../models')

/** The folder of a trained model: the name is one of the package, such as `aft-routes`, or the folder itself. */
export function findCheckpoint(name: string, packaged = packagedFolder): string | undefined {
  const own = /^\w[\w.-]*(\/\w[\w.-]*)?$/.test(name) ? [join(packaged, name)] : []
  return [...own, ...(name === '' ? [] : [name])].find(isCheckpoint)
}

/** Whether a folder is a trained model. */
export function isCheckpoint(folder: string): boolean {
  return existsSync(join(folder, checkpointFile))
}
