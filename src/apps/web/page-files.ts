/** The files of the built page. */

/** Their names; `licenses.txt` holds the licenses of the libraries in `app.js`. */
export const PAGE_FILES = ['index.html', 'app.js', 'app.css', 'icon.svg', 'licenses.txt'] as const

/** Name to content. */
export type PageFiles = Record<(typeof PAGE_FILES)[number], string>
