/** Real training on two machines that a scheduler starts: here two launchers of one process each, on two ports of this one. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { aft } from '../../test/command-line.ts'
import { makeTiny } from '../../test/tiny-model.ts'
import { readMetrics } from '../files/training-metrics.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'aft-nodes-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const at = (name: string) => path.join(folder, name)
const env = { OMP_NUM_THREADS: '1' }

beforeAll(async () => {
  await makeTiny(at('tiny'))
  await aft(['data', 'build', '--format', 'arithmetic', '--problems', '40', '-o', at('data')])
  writeFileSync(
    at('tiny.yaml'),
    'base: ./tiny\nmethod: full\ngguf: none\nmax_steps: 6\nsave_steps: 2\nlearning_rate: 1.0e-3\nuse_cpu: true\nseed: 3\n',
  )
})

const run = (out: string, ...more: string[]) =>
  aft(['train', at('tiny.yaml'), '-d', at('data'), '-o', at(out), ...more], { env })
const stepsOf = (out: string) => readMetrics(at(`${out}/metrics.jsonl`)).map(({ step }) => step)
const lossesOf = (out: string) =>
  readMetrics(at(`${out}/metrics.jsonl`)).map(({ loss }) => loss ?? Number.NaN)

/** Starts the part of one machine. Its processes are one group. */
function startNode(
  out: string,
  nodes: number,
  port: number,
): { child: ChildProcess; ended: Promise<number | null> } {
  const child = spawn('bash', [at(`${out}/torchrun.sh`)], {
    env: {
      ...process.env,
      ...env,
      NODES: String(nodes),
      HEAD: '127.0.0.1',
      PORT: String(port),
      A_KEY: 'secret',
    },
    detached: true,
    stdio: 'ignore',
  })
  return { child, ended: new Promise((resolve) => child.once('exit', resolve)) }
}

const killGroup = ({ child }: { child: ChildProcess }) => process.kill(-(child.pid as number), 'SIGKILL')

test('two machines train as two; one is killed, and one process resumes with the same rows per update', async () => {
  const alone = await run('alone', '--set', 'gradient_accumulation_steps=4')
  expect(alone.code).toBe(0)
  const prepare = ['--set', 'gradient_accumulation_steps=2', '--prepare', '--nodes']
  const prepared = await run('both', ...prepare, '2')
  expect(prepared.stderr).toContain('on each of 2 machines run: bash')
  expect(await aft(['train', '--finish', at('both')], { env })).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('training has not ended, there are 0 steps'),
  })
  const port = await freePort()
  const nodes = [startNode('both', 2, port), startNode('both', 2, port)]
  while (!existsSync(at('both/checkpoint-2/complete'))) await delay(50)
  killGroup(nodes[1] as { child: ChildProcess })
  expect(await nodes[0]?.ended).not.toBe(0)
  expect(lossesOf('both').slice(0, 2).map(round)).toEqual(lossesOf('alone').slice(0, 2).map(round))

  const lease = readFileSync(at('both/trainer.lease'), 'utf8')
  writeFileSync(at('both/trainer.lease'), '{"host": "another", "pid": 1}')
  const busy = await run('both', ...prepare, '1')
  expect(busy).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('in use by a trainer on another (process 1)'),
  })
  writeFileSync(at('both/trainer.lease'), lease)
  const other = await run(
    'both',
    '--set',
    'gradient_accumulation_steps=2',
    '--set',
    'processes=3',
    '--prepare',
  )
  expect(other.stderr).toContain(
    'an update of this run has 4 rows, and 3 processes with 1 rows each cannot make it',
  )
  expect((await run('both', ...prepare, '1')).code).toBe(0)
  expect(readFileSync(at('both/trl.yaml'), 'utf8')).toContain('gradient_accumulation_steps: 4')
  expect(await startNode('both', 1, await freePort()).ended).toBe(0)
  const finished = await aft(['train', '--finish', at('both')], { env })
  expect(finished).toMatchObject({ code: 0 })
  expect(stepsOf('both')).toEqual([1, 2, 3, 4, 5, 6])
  expect(lossesOf('both').map(round)).toEqual(lossesOf('alone').map(round))
  expect(readFileSync(at('both/README.md'), 'utf8')).toContain('| updates | 6 |')
  expect(existsSync(at('both/loss.svg'))).toBe(true)
}, 1_500_000)

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Sums of two processes are rounded in another order. */
const round = (loss: number) => loss.toFixed(3)
