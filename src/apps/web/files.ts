/** Reads the built page. In a package it is next to this file; in a checkout it is built at the first request. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { PAGE_FILES, type PageFiles } from './page-files.ts'

let page: Promise<PageFiles> | undefined

/**
 * Reads or builds the page once. After an error, the next call tries again.
 * @throws the bundler's error, if the sources in a checkout are wrong
 */
export function readPage(): Promise<PageFiles> {
  page ??= load()
  page.catch(() => {
    page = undefined
  })
  return page
}

async function load(): Promise<PageFiles> {
  const read = (name: string) => readFileSync(path.join(import.meta.dirname, name), 'utf8')
  if (existsSync(path.join(import.meta.dirname, 'app.js'))) {
    return Object.fromEntries(PAGE_FILES.map((name) => [name, read(name)])) as PageFiles
  }
  const builder = new URL('./build-page.ts', import.meta.url).href // not in the package: the bundler is no dependency
  const { buildPage } = (await import(builder)) as { buildPage: () => Promise<PageFiles> }
  return buildPage()
}
