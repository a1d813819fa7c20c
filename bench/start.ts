/**
 * How long a start of the compiled package takes, in time of the processor and by the clock: `aft --help`, `import 'aft'`, and
 * `aft serve` with a remote model until it answers. The package is a copy without the sources, else they would be started.
 *
 *   npm run build && npm run bench -- start
 */
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { printTable, saveResults, showSpread, spreadOf } from './table.ts'

const { values: flags } = parseArgs({ options: { repeats: { type: 'string', default: '7' } } })
const root = path.join(import.meta.dirname, '..')
const built = path.join(root, 'dist/index.js')
if (!fs.existsSync(built)) throw new Error('there is no dist: run `npm run build` first')

/** Prints what its process has used, as its last act. */
const report = `process.on('exit', () => {
  const { user, system } = process.cpuUsage()
  process.stderr.write('\\ncpu ' + (user + system) / 1000)
})`
const preload = `data:text/javascript,${encodeURIComponent(report)}`

interface Start {
  cpuMs: number
  wallMs: number
}

async function run(args: string[], until?: RegExp): Promise<Start> {
  const start = performance.now()
  const child = spawn(process.execPath, ['--import', preload, ...args], { cwd: root })
  let [output, wallMs] = ['', 0]
  const take = (part: Buffer) => {
    output += part
    if (wallMs > 0 || !until?.test(output)) return
    wallMs = performance.now() - start
    child.kill('SIGTERM')
  }
  child.stdout.on('data', take)
  child.stderr.on('data', take)
  await new Promise((resolve) => child.once('close', resolve))
  const cpuMs = Number(/\ncpu ([\d.]+)/.exec(output)?.[1])
  if (Number.isNaN(cpuMs) || (until && wallMs === 0)) throw new Error(`${args.join(' ')}: ${output}`)
  return { cpuMs, wallMs: wallMs || performance.now() - start }
}

const copy = path.join(root, '.cache/bench/package/aft')
fs.rmSync(copy, { recursive: true, force: true })
for (const part of ['bin', 'dist', 'package.json'])
  fs.cpSync(path.join(root, part), path.join(copy, part), { recursive: true })
const program = path.join(copy, 'bin/aft.js')
const serve = [program, 'serve', '--model', 'http://127.0.0.1:9/v1#remote', '--port', '0']
const kinds: [name: string, args: string[], until?: RegExp][] = [
  ['node alone', ['-e', '0']],
  ['aft --help', [program, '--help']],
  [
    "import 'aft' of the package",
    ['--input-type=module', '-e', `await import(${JSON.stringify(path.join(copy, 'dist/index.js'))})`],
  ],
  ['aft serve, until it says its address', serve, /base URL/],
]
const results: { name: string; runs: Start[] }[] = kinds.map(([name]) => ({ name, runs: [] }))
for (const [, args, until] of kinds) await run(args, until) // fills the cache of compiled code
for (let i = 0; i < Number(flags.repeats); i++)
  for (const [at, [, args, until]] of kinds.entries()) results[at]?.runs.push(await run(args, until))
printTable(
  ['start', 'processor, ms', 'clock, ms'],
  results.map(({ name, runs }) => [
    name,
    showSpread(
      runs.map(({ cpuMs }) => cpuMs),
      0,
    ),
    showSpread(
      runs.map(({ wallMs }) => wallMs),
      0,
    ),
  ]),
)
console.log(
  `least: ${results.map(({ name, runs }) => `${name} ${spreadOf(runs.map(({ cpuMs }) => cpuMs)).min.toFixed(0)} ms`).join('; ')}`,
)
saveResults('start', 'npm run bench -- start', { results })
