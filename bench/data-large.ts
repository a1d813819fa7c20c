/**
 * `aft data build` on many made rows: rows per second and peak memory at several sizes; then the largest build is killed
 * (SIGKILL) in the middle and run again, and must give the same bytes.
 *
 *   npm run bench -- data-large --rows 1000000
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { hashParts, randomFrom } from '../src/lib/random.ts'
import { runMeasured } from './processes.ts'
import { printTable, saveResults } from './table.ts'

const { values: flags } = parseArgs({
  options: { rows: { type: 'string', default: '1000000' }, threads: { type: 'string', default: '2' } },
})
const root = path.join(import.meta.dirname, '..')
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'aft-data-large-'))
const at = (name: string) => path.join(folder, name)
const rows = Number(flags.rows)

/** A row of about 800 characters. One of fifty has nearly the prompt of the row before, one of a hundred the same one. */
function makeRow(i: number): string {
  const random = randomFrom(hashParts('large row', i))
  const kind = i === 0 ? 1 : random()
  const words = randomFrom(hashParts('large prompt', kind < 0.03 ? i - 1 : i))
  const say = (draw: () => number, count: number) =>
    Array.from({ length: count }, () => `word${Math.floor(draw() ** 2 * 20_000)}`).join(' ')
  const responses = Array.from({ length: 3 }, (_, k) => ({ text: say(random, 20), model: `model-${k}` }))
  const prompt = `${say(words, 30)}${kind >= 0.01 && kind < 0.03 ? ' please' : ''}`
  return JSON.stringify({ id: `row-${kind > 0.99 ? i - 7 : i}`, prompt, responses, target: say(random, 20) })
}

function writeRows(file: string, count: number): void {
  const fd = fs.openSync(file, 'w')
  for (let start = 0; start < count; start += 2000) {
    const part = Array.from({ length: Math.min(2000, count - start) }, (_, k) => makeRow(start + k))
    fs.writeSync(fd, `${part.join('\n')}\n`)
  }
  fs.closeSync(fd)
}

const command = (file: string, out: string, threads: string) => [
  ...['data', 'build', file, '-o', at(out), '--shard-size', '100MB', '--read-threads', threads],
]

interface Run {
  job: string
  rows: number
  seconds: number
  cpuMs: number
  peakBytes: number
}

async function build(job: string, count: number, args: string[]): Promise<Run> {
  const { seconds, cpuMs, peakBytes } = await runMeasured(args)
  const run = { job, rows: count, seconds, cpuMs, peakBytes }
  console.error(JSON.stringify(run))
  return run
}

/** Starts a build, and kills it when it has written `bytes`. */
async function killInTheMiddle(args: string[], out: string, bytes: number): Promise<void> {
  const child: ChildProcess = spawn(process.execPath, ['bin/aft.js', ...args], { cwd: root, stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const written = () =>
    fs.existsSync(at(`${out}.unfinished`))
      ? fs.readdirSync(at(`${out}.unfinished`), { withFileTypes: true }).reduce(sizeOf, 0)
      : 0
  const sizeOf = (sum: number, entry: fs.Dirent) =>
    sum + (entry.isFile() ? fs.statSync(path.join(entry.parentPath, entry.name)).size : 0)
  while (written() < bytes) {
    if (child.exitCode !== null) throw new Error('the build ended before it was killed')
    await delay(100)
  }
  child.kill('SIGKILL')
  await ended
}

/** The hash of each file of a folder, without the report. */
function hashFolder(name: string): Record<string, string> {
  const files = fs.readdirSync(at(name)).filter((file) => file.endsWith('.jsonl') || file === 'README.md')
  return Object.fromEntries(files.sort().map((file) => [file, hashOf(path.join(at(name), file))]))
}

function hashOf(file: string): string {
  const hash = createHash('sha256')
  const fd = fs.openSync(file, 'r')
  const buffer = Buffer.alloc(1 << 20)
  for (let count = fs.readSync(fd, buffer); count > 0; count = fs.readSync(fd, buffer))
    hash.update(buffer.subarray(0, count))
  fs.closeSync(fd)
  return hash.digest('hex')
}

try {
  const all = at('all.jsonl')
  writeRows(all, rows)
  const part = at('part.jsonl')
  execFileSync('sh', ['-c', `head -n ${Math.floor(rows / 10)} "$0" > "$1"`, all, part])
  const { threads } = flags
  const runs = [
    await build('a tenth of the rows', Math.floor(rows / 10), command(part, 'part', threads)),
    await build('all rows', rows, command(all, 'whole', threads)),
  ]
  const whole = hashFolder('whole')
  const bytes = fs
    .readdirSync(at('whole'))
    .reduce((sum, file) => sum + fs.statSync(path.join(at('whole'), file)).size, 0)
  fs.rmSync(at('whole'), { recursive: true })
  await killInTheMiddle(command(all, 'again', threads), 'again', bytes / 2)
  runs.push(await build('all rows, after a SIGKILL in the middle', rows, command(all, 'again', threads)))
  const again = hashFolder('again')
  if (JSON.stringify(again) !== JSON.stringify(whole)) throw new Error('the resumed build has other bytes')
  fs.rmSync(at('again'), { recursive: true })
  runs.push(await build('all rows, one thread', rows, command(all, 'alone', '1')))
  if (JSON.stringify(hashFolder('alone')) !== JSON.stringify(whole))
    throw new Error('one thread has other bytes')
  printTable(
    ['job', 'rows', 'seconds', 'rows/s', 'CPU s', 'peak MB'],
    runs.map((run) => [
      run.job,
      run.rows,
      run.seconds.toFixed(1),
      (run.rows / run.seconds).toFixed(0),
      (run.cpuMs / 1000).toFixed(1),
      (run.peakBytes / 1e6).toFixed(0),
    ]),
  )
  console.log(`${Object.keys(whole).length} files, the same bytes each time`)
  saveResults('data-large', ['npm run bench -- data-large', ...process.argv.slice(2)].join(' '), {
    rows,
    bytes: fs.statSync(all).size,
    runs,
    files: whole,
  })
} finally {
  fs.rmSync(folder, { recursive: true, force: true })
}
