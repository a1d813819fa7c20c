/**
 * Publishes a version: checks, build, pack, `npm publish`, tag.
 *
 *     npm run release -- --dry-run    does everything but publish and tag
 *     npm run release                 publishes with the token in NPM_TOKEN, then tags the commit
 *
 * Before it: set the version in package.json (`npm version 0.3.0 --no-git-tag-version`), and date its entry in CHANGELOG.md.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'

const root = path.join(import.meta.dirname, '..')
const read = (file: string) => readFileSync(path.join(root, file), 'utf8')
const run = (command: string, ...args: string[]) =>
  execFileSync(command, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })

/**
 * What forbids a release, in sentences.
 * @param changes what `git status --porcelain` prints
 */
export function findProblems(version: string, changelog: string, changes: string): string[] {
  const [, newest, when = ''] = changelog.match(/^## (\S+)(?: - (.*))?$/m) ?? []
  const problems: string[] = []
  if (changes !== '') problems.push(`the work tree is not clean:\n${changes.trimEnd()}`)
  if (newest !== version)
    problems.push(
      `package.json has version ${version}, and the newest entry of CHANGELOG.md is ${newest ?? 'missing'}`,
    )
  else if (!/^\d{4}-\d\d-\d\d$/.test(when))
    problems.push(`the entry of ${version} in CHANGELOG.md needs its date: ## ${version} - YYYY-MM-DD`)
  return problems
}

interface Packed {
  filename: string
  size: number
  unpackedSize: number
  files: { path: string; size: number }[]
}

/** Compiles and packs (`prepack` in package.json does the first), and prints what is in the tarball. */
function pack(): string {
  const [packed] = JSON.parse(run('npm', 'pack', '--json', '--silent')) as [Packed]
  for (const { path, size } of packed.files) console.log(`${String(size).padStart(9)}  ${path}`)
  const size = `${(packed.size / 1e6).toFixed(2)} MB packed, ${(packed.unpackedSize / 1e6).toFixed(2)} MB unpacked`
  console.log(`${packed.filename}: ${packed.files.length} files, ${size}`)
  return packed.filename
}

/** The token goes to npm by the environment: it is in no file and in no argument. */
function publish(tarball: string, tag: string): void {
  const registry = run('npm', 'config', 'get', 'registry').trim()
  const variable = `npm_config_${registry.replace(/^https?:/, '')}:_authToken`
  const env = { ...process.env, [variable]: process.env.NPM_TOKEN }
  execFileSync('npm', ['publish', tarball], { cwd: root, env, stdio: 'inherit' })
  run('git', 'tag', '-a', tag, '-m', tag)
  console.log(`published and tagged. Now: git push origin ${tag}`)
}

function release(isDryRun: boolean): void {
  const { name, version } = JSON.parse(read('package.json'))
  const tag = `v${version}`
  const problems = findProblems(version, read('CHANGELOG.md'), run('git', 'status', '--porcelain'))
  if (run('git', 'tag', '--list', tag) !== '') problems.push(`the tag ${tag} exists`)
  if (!isDryRun && !process.env.NPM_TOKEN)
    problems.push('NPM_TOKEN is not set: it holds the token that npm publishes with')
  for (const problem of problems) console.error(`${isDryRun ? 'to do' : 'error'}: ${problem}`)
  if (problems.length > 0 && !isDryRun) {
    process.exitCode = 1
    return
  }
  const tarball = pack()
  if (!isDryRun) {
    publish(tarball, tag)
    return
  }
  rmSync(path.join(root, tarball))
  console.log(
    `would publish ${name}@${version} and tag ${run('git', 'rev-parse', '--short', 'HEAD').trim()} as ${tag}`,
  )
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { 'dry-run': { type: 'boolean', default: false } } })
  release(values['dry-run'])
}
