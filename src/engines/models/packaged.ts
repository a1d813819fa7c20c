/** Trained models that lie in the package: small adapters on a model of the catalog. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { readRecord } from '../../files/checkpoint.ts'
import { findCheckpoint, packagedFolder } from '../../files/find-checkpoint.ts'

/** A model of the package. `files` are its adapters, also those of its proposer. */
export interface PackagedModel {
  name: string
  about: string
  license: string
  /** The model of the catalog that it needs. */
  base: string
  /** The adapter on which the answer is written. */
  path: string
  sha256: string
  bytes: number
}

/** The models of the package, by name. @param folder where they lie; for tests */
export function listPackaged(folder = packagedFolder): PackagedModel[] {
  const names = existsSync(folder) ? readdirSync(folder).sort() : []
  return names.flatMap((name) => {
    const place = findCheckpoint(name, folder)
    const { base, adapter, files = {}, about = '', license = '' } = place ? readRecord(place) : {}
    const last = [adapter ?? []].flat().at(-1)
    if (place === undefined || base === undefined || last === undefined) return []
    const all = readdirSync(place, { recursive: true, encoding: 'utf8' }).filter((file) =>
      /\.gguf$/.test(file),
    )
    const bytes = all.reduce((sum, file) => sum + statSync(join(place, file)).size, 0)
    return [
      { name, about, license, base: base.model, path: join(place, last), sha256: files[last] ?? '', bytes },
    ]
  })
}
