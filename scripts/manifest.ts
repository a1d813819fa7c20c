/**
 * The package.json of the package. In a checkout `exports` name the sources, which Node runs as they are; Node runs
 * no TypeScript below `node_modules`, so the package names the compiled files. It has no scripts and no development
 * dependencies either: nothing of it runs when it is installed.
 *
 *     node scripts/manifest.ts publish    before packing (`prepack`)
 *     node scripts/manifest.ts restore    after it (`postpack`)
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const root = path.join(import.meta.dirname, '..')
const file = path.join(root, 'package.json')
const kept = path.join(root, '.cache/package.json')

interface Manifest {
  name: string
  version: string
  exports: Record<string, string>
  [field: string]: unknown
}

interface Published {
  exports: Record<string, string | { types: string; default: string }>
  [field: string]: unknown
}

const dropped = ['scripts', 'devDependencies', 'allowScripts']

/** The package.json to publish, made from that of the checkout. */
export function toPublished(checkout: Manifest): Published {
  const exports = Object.fromEntries(Object.entries(checkout.exports).map(toCompiled))
  const fields = Object.entries({ ...checkout, exports })
  return Object.fromEntries(fields.filter(([field]) => !dropped.includes(field))) as unknown as Published
}

/** `./src/index.ts` becomes `./dist/index.js` with its declarations. */
function toCompiled([name, source]: [string, string]) {
  if (!source.startsWith('./src/')) return [name, source]
  const compiled = source.replace(/^\.\/src\/(.*)\.ts$/, './dist/$1')
  return [name, { types: `${compiled}.d.ts`, default: `${compiled}.js` }]
}

function restore(): void {
  renameSync(kept, file)
}

/** If packing is interrupted, `git restore package.json` undoes this. */
function publish(): void {
  const text = readFileSync(file, 'utf8')
  mkdirSync(path.dirname(kept), { recursive: true })
  writeFileSync(kept, text)
  writeFileSync(file, `${JSON.stringify(toPublished(JSON.parse(text)), null, 2)}\n`)
}

if (import.meta.main) {
  const task = { publish, restore }[process.argv[2] ?? '']
  if (!task) throw new Error('usage: node scripts/manifest.ts publish|restore')
  task()
}
