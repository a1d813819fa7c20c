/** The files of the built page. */

/**
 * Names of the files. `export.html` is the page of an exported conversation, before its data. The journals `demo*` are an
 * example. `licenses.txt` has the licenses of the libraries in both scripts.
 */
export const PAGE_FILES = [
  'index.html',
  'app.js',
  'math.js',
  'code.js',
  'results.js',
  'app.css',
  'icon.svg',
  'export.html',
  'demo.jsonl',
  'demo-single.jsonl',
  'licenses.txt',
] as const

/** Content of the files by name. */
export type PageFiles = Record<(typeof PAGE_FILES)[number], string>
