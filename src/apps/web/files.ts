/** The built page. In a package it lies beside this file; in a checkout it is built when it is first asked for. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

export const FILES = ['index.html', 'app.js', 'app.css', 'icon.svg', 'licences.txt'] as const

export type PageFiles = Record<(typeof FILES)[number], string>

let page: Promise<PageFiles> | undefined

/** @throws what the bundler throws, in a checkout whose sources are wrong */
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
    return Object.fromEntries(FILES.map((name) => [name, read(name)])) as PageFiles
  }
  const builder = new URL('./build-page.ts', import.meta.url).href // not in the package: the bundler is no dependency
  const { buildPage } = (await import(builder)) as { buildPage: () => Promise<PageFiles> }
  return buildPage()
}
