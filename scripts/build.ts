/** Compiles the sources to dist/, as the package has them: modules, declarations, the page, and what they read. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, rmSync } from 'node:fs'
import path from 'node:path'

const root = path.join(import.meta.dirname, '..')
const dist = path.join(root, 'dist')
const run = (program: string, ...args: string[]) =>
  execFileSync(process.execPath, [path.join(root, program), ...args], { cwd: root, stdio: 'inherit' })

rmSync(dist, { recursive: true, force: true })
run('node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json')
copyFileSync(path.join(root, 'src/data/fingerprints.bin'), path.join(dist, 'data/fingerprints.bin'))
run('src/apps/web/build-page.ts', path.join(dist, 'apps/web'))
