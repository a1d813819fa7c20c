/** Finds the file of a worker thread or child process: sources run as `.ts`, compiled packages as `.js`. */

/**
 * URL of the module `name` (without extension) in the folder of the module `base`, with the extension that `base` has.
 * Pass `import.meta.url` as `base`.
 */
export function entryBeside(base: string, name: string): URL {
  const extension = new URL(base).pathname.endsWith('.ts') ? '.ts' : '.js'
  return new URL(`./${name}${extension}`, base)
}
