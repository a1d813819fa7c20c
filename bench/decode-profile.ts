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
import { resolveModel } from '../src/engines/models/models.ts'
import { openLibrary } from '../test/native-library.ts'
import { CHUNK, nativeOf, readPrompt, timeCpu, writeTokens } from './native-passes.ts'
import { printTable, saveResults, widestInstructions } from './table.ts'

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

const kindOf = (name: string) => KINDS.find(([, names]) => names.test(name))?.[0]

const folder = mkdtempSync(path.join(tmpdir(), 'aft-profile-'))
const { file } = await resolveModel('smollm2')
const llama = await openLibrary()
const model = await llama.loadModel({ modelPath: file })

/** Samples of this process while `work` is repeated, and how often it was. */
async function profile(work: () => Promise<void>) {
  const data = path.join(folder, 'perf.data')
  const perf = spawn('perf', ['record', '-e', 'cpu-clock', '-F', '499', '-p', `${process.pid}`, '-o', data], {
    stdio: 'ignore',
  })
  await delay(500)
  const end = performance.now() + 1000 * SECONDS
  let rounds = 0
  const ms = await timeCpu(async () => {
    for (; performance.now() < end; rounds++) await work()
  })
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
  return { ms: ms / rounds, functions }
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
  const native = nativeOf(context)
  await readPrompt(native, length)
  for (let to = 1; to < sequences; to++) await native.copySequenceStateFromOtherSequence(to, 0)
  const work = async () => {
    for (let sequence = 0; sequence < sequences; sequence++)
      native.removeTokenCellsFromSequence(sequence, reads ? 0 : length, -1)
    await (reads ? readPrompt(native, length) : writeTokens(native, sequences, length))
  }
  const { ms, functions } = await profile(work)
  const shareOf = (kind: string) =>
    functions.filter(({ name }) => kindOf(name) === kind).reduce((sum, { share }) => sum + share, 0)
  const kinds = Object.fromEntries(KINDS.map(([kind]) => [kind, shareOf(kind)]))
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
