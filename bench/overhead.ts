/**
 * What `aft run` itself takes: prompts against a server that answers at once, in a process of its own.
 *
 *   npm run bench -- overhead                         2,000 prompts
 *   npm run bench -- overhead --prompts 2000,20000    and 20,000: is memory flat?
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import { printTable, saveResults } from './table.ts'

const { values: flags } = parseArgs({
  options: {
    prompts: { type: 'string', default: '2000' },
    concurrency: { type: 'string', default: '64' },
    model: { type: 'string' },
  },
})
const COMPLETIONS = 11
const folder = mkdtempSync(join(tmpdir(), 'aft-overhead-'))

interface Run {
  prompts: number
  wallMs: number
  cpuMs: number
  serverCpuMs: number
  peakBytes: number
  journalBytes: number
}

/** Runs the command line in this file's child mode, which tells what it took. */
async function measure(prompts: number, model: string, serverCpuMs: () => Promise<number>): Promise<Run> {
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
  const [before, startMs] = [await serverCpuMs(), performance.now()]
  const args = [
    'run',
    file,
    '-o',
    out,
    '--model',
    model,
    '--width',
    '5',
    '--depth',
    '2',
    '--concurrency',
    flags.concurrency,
    '--no-progress',
  ]
  const child = spawn(process.execPath, [join(import.meta.dirname, 'measured-cli.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const { cpuMs, peakBytes } = JSON.parse(await text(child.stdout))
  const wallMs = performance.now() - startMs
  return {
    prompts,
    wallMs,
    cpuMs,
    peakBytes,
    serverCpuMs: (await serverCpuMs()) - before,
    journalBytes: statSync(`${out}.journal`).size,
  }
}

async function startServer(): Promise<{ child: ChildProcess; model: string; cpuMs: () => Promise<number> }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'instant-server.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const model = await new Promise<string>((resolve) =>
    child.stdout.once('data', (data) => resolve(String(data).trim())),
  )
  const cpuMs = async () =>
    ((await (await fetch(new URL('/stats', model))).json()) as { cpuMs: number }).cpuMs
  return { child, model, cpuMs }
}

const server = await startServer()
const runs: Run[] = []
try {
  for (const prompts of flags.prompts.split(',').map(Number)) {
    runs.push(await measure(prompts, flags.model ?? server.model, server.cpuMs))
  }
} finally {
  server.child.kill()
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
    seconds(run.serverCpuMs),
    Math.round(run.peakBytes / 1e6),
    Math.round(run.journalBytes / 1e6),
  ]),
)
saveResults(
  'overhead',
  `npm run bench -- overhead --prompts ${flags.prompts} --concurrency ${flags.concurrency}`,
  { runs },
)
