/** Compiles the sources to dist/, as the package has them: modules, declarations, the page, and what they read. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, globSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { findReachable } from './declarations.ts'
import { toPublished } from './manifest.ts'

const root = path.join(import.meta.dirname, '..')
const dist = path.join(root, 'dist')
const run = (program: string, ...args: string[]) =>
  execFileSync(process.execPath, [path.join(root, program), ...args], { cwd: root, stdio: 'inherit' })

rmSync(dist, { recursive: true, force: true })
run('node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json')
dropDeclarations()
copyFileSync(path.join(root, 'src/data/fingerprints.bin'), path.join(dist, 'data/fingerprints.bin'))
run('src/apps/web/build-page.ts', path.join(dist, 'apps/web'))

/** Drops the declarations that no entry of `exports` leads to: no program can import what they declare. */
function dropDeclarations(): void {
  const { exports } = toPublished(JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')))
  const entries = Object.values(exports).flatMap((entry) => (typeof entry === 'string' ? [] : [entry.types]))
  const kept = findReachable(
    entries.map((entry) => path.join(root, entry)),
    (file) => readFileSync(file, 'utf8'),
  )
  for (const file of globSync(path.join(dist, '**/*.d.ts'))) if (!kept.has(file)) rmSync(file)
}
