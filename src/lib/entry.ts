/** Where the file of a worker thread or child process is: sources run as `.ts`, compiled packages as `.js`. */

/**
 * The module called `name` (without extension) beside the module `base`, in the form that `base` itself has.
 * Pass `import.meta.url` as `base`.
 */
export function entryBeside(base: string, name: string): URL {
  const extension = new URL(base).pathname.endsWith('.ts') ? '.ts' : '.js'
  return new URL(`./${name}${extension}`, base)
}
