/** The files of the built page. */

/** Names of the files. `licenses.txt` has the licenses of the libraries in `app.js`. */
export const PAGE_FILES = ['index.html', 'app.js', 'app.css', 'icon.svg', 'licenses.txt'] as const

/** Content of the files by name. */
export type PageFiles = Record<(typeof PAGE_FILES)[number], string>
