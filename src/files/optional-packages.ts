/** Packages that only some commands need. They are optional peers, and the user is asked by name to install them. */
import { UsageError } from '../core/provider/errors.ts'

const packages = {
  'drawing charts': ['vega', 'vega-lite'],
  'reading Parquet': ['hyparquet', 'hyparquet-compressors'],
  'writing Parquet': ['hyparquet-writer'],
  'telling languages apart': ['eld'],
  'running a model in this process': ['node-llama-cpp'],
}

/**
 * Checks that the packages for a use are installed. What imports them calls it first, and commands call it before any work.
 * @throws UsageError with the command that installs them
 */
export function needPackages(use: keyof typeof packages): void {
  const names = packages[use]
  const missing = names.filter((name) => !isInstalled(name))
  if (missing.length === 0) return
  const what = `the package${missing.length > 1 ? 's' : ''} ${missing.join(' and ')}`
  throw new UsageError(`${use} needs ${what}: npm install ${names.join(' ')}`)
}

function isInstalled(name: string): boolean {
  try {
    import.meta.resolve(name)
    return true
  } catch {
    return false
  }
}
