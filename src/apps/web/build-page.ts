/**
 * Bundles the page's TypeScript and its libraries into one script.
 *   node src/apps/web/build-page.ts FOLDER
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'
import type { PageFiles } from './page-files.ts'

const client = path.join(import.meta.dirname, 'client')

/** Libraries that become part of the script. Their licenses must be published with it. */
const bundled = ['preact', 'marked', 'dompurify']

function readLicense(name: string): string {
  const folder = path.join(import.meta.dirname, '../../../node_modules', name)
  const { version, license } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))
  const [file] = readdirSync(folder).filter((file) => /^licen[cs]e(\.md)?$/i.test(file))
  if (!file) throw new Error(`${name} has no license file`)
  return `${name} ${version}, ${license}\n\n${readFileSync(path.join(folder, file), 'utf8')}`
}

/** Bundles the sources and collects the licenses. @throws the bundler's error if a source is wrong */
export async function buildPage(): Promise<PageFiles> {
  const bundle = await rolldown({
    input: path.join(client, 'main.tsx'),
    transform: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    logLevel: 'silent',
  })
  const { output } = await bundle.generate({ format: 'esm', minify: true, codeSplitting: false })
  await bundle.close()
  const read = (name: string) => readFileSync(path.join(client, name), 'utf8')
  return {
    'index.html': read('index.html'),
    'app.js': output[0].code,
    'app.css': read('app.css'),
    'icon.svg': read('icon.svg'),
    'licenses.txt': bundled.map(readLicense).join('\n'),
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [folder = 'dist/apps/web'] = process.argv.slice(2)
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of Object.entries(await buildPage())) writeFileSync(path.join(folder, name), text)
}
