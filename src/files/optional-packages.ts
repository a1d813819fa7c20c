/** Packages that only some commands need. They are optional peers, and the user is asked by name to install them. */
import { findPackageJSON, registerHooks } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { UsageError } from '../core/provider/errors.ts'

const packages = {
  'drawing charts': ['vega', 'vega-lite'],
  'writing figures as PDF': ['pdfkit'],
  'reading Parquet': ['hyparquet', 'hyparquet-compressors'],
  'reading CSV': ['csv-parse'],
  'writing Parquet': ['hyparquet-writer'],
  'telling languages apart': ['eld'],
  'running a model in this process': ['node-llama-cpp'],
  'a queue over several machines': ['bullmq', 'ioredis'],
  'counting over several servers': ['ioredis'],
}

/**
 * Checks that the packages for a use are installed. What imports them calls it first, and commands call it before any work.
 * @throws UsageError with the command that installs them
 */
export function needPackages(use: keyof typeof packages): void {
  const names = packages[use]
  const missing = names.filter((name) => !isBeside(name))
  if (missing.length === 0) return
  const what = `the package${missing.length > 1 ? 's' : ''} ${missing.join(' and ')}`
  throw new UsageError(`${use} needs ${what}: npm install ${names.join(' ')}`)
}

/** Whether `importPackage` finds a package: from where this program is installed, or from the folder that it runs in. */
export function isInstalled(name: string): boolean {
  return isBeside(name) || findHere(name) !== undefined
}

/** Imports a package. One that the folder's own project has is found too, if this program is installed elsewhere. */
export async function importPackage(name: string): Promise<Record<string, unknown>> {
  if (isBeside(name)) return import(name)
  const hooks = registerHooks({
    resolve: (wanted, context, next) =>
      next(wanted, wanted === name ? { ...context, parentURL: folderURL() } : context),
  })
  try {
    return await import(name)
  } finally {
    hooks.deregister()
  }
}

/** Whether a plain import of this program finds a package. */
export function isBeside(name: string): boolean {
  try {
    import.meta.resolve(name)
    return true
  } catch {
    return false
  }
}

function findHere(name: string): string | undefined {
  try {
    return findPackageJSON(name, folderURL())
  } catch {
    return undefined
  }
}

function folderURL(): string {
  return pathToFileURL(join(process.cwd(), 'package.json')).href
}
