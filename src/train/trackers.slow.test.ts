/** Trackers are told of a run: TensorBoard's files have its losses, and trackio's database too. Takes a minute. */
import { execFileSync } from 'node:child_process'
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { aft } from '../../test/command-line.ts'
import { makeTiny } from '../../test/tiny-model.ts'
import { readMetrics } from '../files/training-metrics.ts'
import { findEnvironment } from './environment.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'aft-trackers-'))
const at = (name: string) => path.join(folder, name)
const { python } = findEnvironment()
const env = { OMP_NUM_THREADS: '1', TRACKIO_DIR: at('trackio') }

beforeAll(async () => {
  await makeTiny(at('tiny'))
  await aft(['data', 'build', '--format', 'arithmetic', '--problems', '20', '-o', at('data')])
  const trl = 'report_to: [tensorboard, trackio], project: aft'
  const sizes =
    'max_steps: 3\neval_steps: null\nsave_steps: 3\nmax_length: 1024\nuse_cpu: true\nbf16: false\ngguf: none'
  writeFileSync(at('tiny.yaml'), `base: ${at('tiny')}\nmethod: full\n${sizes}\ntrl: { ${trl} }\n`)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const readBoard = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
board = EventAccumulator(sys.argv[1]); board.Reload()
print(json.dumps([one.value for one in board.Scalars("train/loss")]))
`

test('setup installs them; a run writes its losses to both', { timeout: 600_000 }, async () => {
  expect(await aft(['train', 'setup', '--trackers'])).toMatchObject({ code: 0 })
  const run = ['train', at('tiny.yaml'), '-d', at('data'), '-o', at('out')]
  const { code, stderr } = await aft(run, { env })
  if (code !== 0) throw new Error(stderr)
  const losses = readMetrics(at('out/metrics.jsonl')).map(({ loss }) => loss)
  const [events] = globSync(at('**/events.out.tfevents.*'))
  const told: number[] = JSON.parse(
    execFileSync(python, ['-c', readBoard, events as string], { encoding: 'utf8' }),
  )
  expect(told).toHaveLength(3)
  for (const [i, loss] of losses.entries()) expect(told[i]).toBeCloseTo(loss as number, 3)
  expect(globSync(at('trackio/*.db')).length + globSync(at('trackio/**/*.parquet')).length).toBeGreaterThan(0)
})

test('a tracker that is missing is named before the training', async () => {
  const run = [
    'train',
    at('tiny.yaml'),
    '-d',
    at('data'),
    '-o',
    at('none'),
    '--set',
    'trl={"report_to": "wandb"}',
  ]
  const { code, stderr } = await aft(run, { env })
  expect({ code, stderr }).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/report_to: wandb is not installed: install it there: .*pip install wandb/),
  })
})
