/**
 * What `aft run` itself takes: prompts against a server that answers at once, in a process of its own.
 *
 *   npm run bench -- overhead                         2,000 prompts
 *   npm run bench -- overhead --prompts 2000,20000    and 20,000: is memory flat?
 *   npm run bench -- overhead --prompts 200 --chunks 300 --concurrency 256
 *                                                     each completion in 300 chunks, 25 per second
 */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runMeasured, type Started, startProgram } from './processes.ts'
import { printTable, saveResults } from './table.ts'

const { values: flags, positionals } = parseArgs({
  options: {
    prompts: { type: 'string', default: '2000' },
    concurrency: { type: 'string', default: '64' },
    /** Chunks of text per completion, from a server that sends one per step; without it the server answers at once. */
    chunks: { type: 'string' },
    rate: { type: 'string', default: '25' },
    model: { type: 'string' },
  },
  // Flags of `aft run` follow `--`.
  allowPositionals: true,
})
const COMPLETIONS = 11
const folder = mkdtempSync(join(tmpdir(), 'aft-overhead-'))

interface Run {
  prompts: number
  wallMs: number
  cpuMs: number
  cpuMsPerCompletion: number
  /** Absent without `--chunks`. It includes all of the process's time. */
  cpuUsPerChunk?: number
  serverCpuMs: number
  peakBytes: number
  journalBytes: number
}

/** What one run takes, and its server. */
async function measure(prompts: number, server: Started): Promise<Run> {
  const file = join(folder, `${prompts}.jsonl`)
  const out = join(folder, `${prompts}.answers.jsonl`)
  const question = 'Explain in a few sentences how this works, and what follows from it in practice. '.repeat(
    4,
  )
  const rows = Array.from(
    { length: prompts },
    (_, i) => `${JSON.stringify({ prompt: `${i}: ${question}` })}\n`,
  )
  writeFileSync(file, rows.join(''))
  const before = server.cpuMs()
  const args = [
    'run',
    file,
    '-o',
    out,
    '--model',
    flags.model ?? server.line,
    '--width',
    '5',
    '--depth',
    '2',
    '--concurrency',
    flags.concurrency,
    '--no-progress',
    ...positionals,
  ]
  const { seconds, cpuMs, peakBytes } = await runMeasured(args)
  return {
    prompts,
    wallMs: 1000 * seconds,
    cpuMs,
    cpuMsPerCompletion: cpuMs / (prompts * COMPLETIONS),
    ...(flags.chunks && { cpuUsPerChunk: (1000 * cpuMs) / (prompts * COMPLETIONS * Number(flags.chunks)) }),
    peakBytes,
    serverCpuMs: server.cpuMs() - before,
    journalBytes: statSync(`${out}.journal`).size,
  }
}

const server = await startProgram(
  flags.chunks
    ? ['bench/paced-server.ts', '--rate', flags.rate, '--tokens', flags.chunks]
    : ['bench/instant-server.ts'],
)
const runs: Run[] = []
try {
  for (const prompts of flags.prompts.split(',').map(Number)) runs.push(await measure(prompts, server))
} finally {
  server.close()
  rmSync(folder, { recursive: true, force: true })
}

const seconds = (ms: number) => (ms / 1000).toFixed(1)
printTable(
  [
    'prompts',
    'completions',
    'wall s',
    'completions/s',
    'CPU s',
    'CPU ms per completion',
    'CPU µs per chunk',
    'CPU s of the server',
    'peak MB',
    'journal MB',
  ],
  runs.map((run) => [
    run.prompts,
    run.prompts * COMPLETIONS,
    seconds(run.wallMs),
    Math.round((run.prompts * COMPLETIONS * 1000) / run.wallMs),
    seconds(run.cpuMs),
    run.cpuMsPerCompletion.toFixed(2),
    run.cpuUsPerChunk?.toFixed(1) ?? '',
    seconds(run.serverCpuMs),
    Math.round(run.peakBytes / 1e6),
    Math.round(run.journalBytes / 1e6),
  ]),
)
const more = [
  ...(flags.chunks ? [`--chunks ${flags.chunks} --rate ${flags.rate}`] : []),
  ...(positionals.length > 0 ? ['--', ...positionals] : []),
]
const command = `npm run bench -- overhead --prompts ${flags.prompts} --concurrency ${flags.concurrency}`
saveResults(flags.chunks ? 'overhead-chunks' : 'overhead', [command, ...more].join(' '), { runs })
