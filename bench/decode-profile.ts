/**
 * Where the native library's time goes, one thread: reading a prompt, and writing behind a short and a long one, by function.
 * Needs `perf` (Debian: linux-perf) and the right to use it; it takes samples of the processor's clock, no counters.
 *
 *   npm run bench -- decode-profile
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { NativeContext } from '../src/engines/embedded/native.ts'
import { resolveModel } from '../src/engines/models/models.ts'
import { openLibrary } from '../test/native-library.ts'
import { printTable, saveResults, widestInstructions } from './table.ts'

const CHUNK = 256
const PHASES = [
  { name: 'reads 800 tokens', sequences: 1, length: 800, reads: true },
  { name: 'writes, 1 sequence behind 64 tokens', sequences: 1, length: 64 },
  { name: 'writes, 1 sequence behind 800 tokens', sequences: 1, length: 800 },
  { name: 'writes, 5 sequences behind 64 tokens', sequences: 5, length: 64 },
  { name: 'writes, 5 sequences behind 800 tokens', sequences: 5, length: 800 },
]
const SECONDS = 6
/** Functions by what they do, the first that fits. */
const KINDS: [kind: string, names: RegExp][] = [
  ['attention', /flash_attn|soft_max|f16/i],
  ['weights', /gemm|gemv|mul_mat|vec_dot|sgemm|tinyBLAS|quantize/i],
]

const folder = mkdtempSync(path.join(tmpdir(), 'aft-profile-'))
const { file } = await resolveModel('smollm2')
const llama = await openLibrary()
const model = await llama.loadModel({ modelPath: file })
const tokens = Uint32Array.from({ length: 1024 }, (_, i) => 500 + ((i * 7919) % 40_000))

async function read(native: NativeContext, length: number): Promise<void> {
  for (let at = 0; at < length; at += CHUNK) {
    const part = tokens.slice(at, Math.min(length, at + CHUNK))
    native.initBatch(part.length)
    native.addToBatch(0, at, part, new Uint32Array())
    await native.decodeBatch()
  }
}

async function write(native: NativeContext, sequences: number, at: number): Promise<void> {
  native.initBatch(sequences)
  for (let sequence = 0; sequence < sequences; sequence++)
    native.addToBatch(sequence, at, tokens.slice(sequence, sequence + 1), Uint32Array.of(0))
  await native.decodeBatch()
  for (let sequence = 0; sequence < sequences; sequence++)
    native.removeTokenCellsFromSequence(sequence, at, -1)
}

/** Samples of this process while `work` is repeated, and how often it was. */
async function profile(work: () => Promise<void>) {
  const data = path.join(folder, 'perf.data')
  const perf = spawn('perf', ['record', '-e', 'cpu-clock', '-F', '499', '-p', `${process.pid}`, '-o', data], {
    stdio: 'ignore',
  })
  await delay(500)
  const start = performance.now()
  const before = process.cpuUsage()
  let rounds = 0
  for (; performance.now() - start < 1000 * SECONDS; rounds++) await work()
  const { user, system } = process.cpuUsage(before)
  const ms = (user + system) / 1000 / rounds
  perf.kill('SIGINT')
  await new Promise((resolve) => perf.once('exit', resolve))
  const args = [
    'report',
    '-i',
    data,
    '--no-children',
    '--sort',
    'symbol',
    '--stdio',
    '--percent-limit',
    '0.5',
  ]
  const text = execFileSync('perf', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  const functions = text.split('\n').flatMap((line) => {
    const [, share, name = ''] = /^\s+([\d.]+)%\s+\[\S\]\s+(.+?)\s*$/.exec(line) ?? []
    return share ? [{ name: name.replace(/\s{2,}.*/, ''), share: Number(share) / 100 }] : []
  })
  return { ms, functions }
}

const phases = []
for (const { name, sequences, length, reads } of PHASES) {
  const context = await model.createContext({
    sequences,
    contextSize: 1024,
    batchSize: CHUNK,
    threads: 1,
    failedCreationRemedy: false,
  })
  const native = (context as unknown as { _ctx: NativeContext })._ctx
  await read(native, length)
  for (let to = 1; to < sequences; to++) await native.copySequenceStateFromOtherSequence(to, 0)
  const work = async () => {
    if (!reads) return write(native, sequences, length)
    native.removeTokenCellsFromSequence(0, 0, -1)
    await read(native, length)
  }
  const { ms, functions } = await profile(work)
  const kinds = Object.fromEntries(
    KINDS.map(([kind, names]) => [
      kind,
      functions
        .filter((f) => KINDS.find(([, all]) => all.test(f.name))?.[1] === names)
        .reduce((sum, f) => sum + f.share, 0),
    ]),
  )
  phases.push({ name, sequences, length, ms, kinds, functions })
  await context.dispose()
}
rmSync(folder, { recursive: true, force: true })
printTable(
  ['phase', 'processor ms a round', ...KINDS.map(([kind]) => `${kind}, %`), 'the most costly functions'],
  phases.map(({ name, ms, kinds, functions }) => [
    name,
    ms.toFixed(1),
    ...KINDS.map(([kind]) => (100 * (kinds[kind] ?? 0)).toFixed(0)),
    functions
      .slice(0, 3)
      .map((f) => `${f.name} ${(100 * f.share).toFixed(0)} %`)
      .join('; '),
  ]),
)
saveResults(`decode-profile-${widestInstructions()}`, 'npm run bench -- decode-profile', {
  file: path.basename(file),
  phases,
})
await llama.dispose()
