/**
 * The recipe for eight GPUs with a model of two layers and two processes on the CPU (gloo): weights, gradients and
 * checkpoints are in parts. `test/peers/fsdp-on-cpu` lets accelerate do on CPUs what it does on GPUs.
 */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { aft } from '../../test/command-line.ts'
import { makeTiny } from '../../test/tiny-model.ts'
import { readMetrics } from '../files/training-metrics.ts'

const root = path.join(import.meta.dirname, '../..')
const folder = mkdtempSync(path.join(tmpdir(), 'aft-fsdp-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const at = (name: string) => path.join(folder, name)

beforeAll(async () => {
  await makeTiny(at('tiny'))
  await aft(['data', 'build', '--format', 'arithmetic', '--problems', '24', '-o', at('data')])
  const {
    chat_template_path: _,
    eos_token: __,
    ...recipe
  } = parse(readFileSync(path.join(root, 'recipes/llama-3.1-8b.yaml'), 'utf8'))
  const small = { base: './tiny', processes: 2, gradient_accumulation_steps: 1, use_cpu: true, gguf: 'none' }
  const short = { max_steps: 4, save_steps: 2, eval_steps: null, learning_rate: 1e-3, bf16: false }
  writeFileSync(at('recipe.yaml'), stringify({ ...recipe, ...small, ...short }))
})

const train = (out: string, env: NodeJS.ProcessEnv) =>
  aft(['train', at('recipe.yaml'), '-d', at('data'), '-o', at(out)], {
    env: { OMP_NUM_THREADS: '1', ...env },
  })
const withFsdp = { PYTHONPATH: path.join(root, 'test/peers/fsdp-on-cpu') }
/** The shape of each tensor, by its name. */
function shapesOf(name: string): Record<string, number[]> {
  const bytes = readFileSync(at(`${name}/model.safetensors`))
  const header = bytes.toString('utf8', 8, 8 + Number(bytes.readBigUInt64LE()))
  const { __metadata__: _, ...tensors } = JSON.parse(header) as Record<string, { shape: number[] }>
  return Object.fromEntries(Object.entries(tensors).map(([name, { shape }]) => [name, shape]))
}
const lossesOf = (out: string) => readMetrics(at(`${out}/metrics.jsonl`)).map(({ loss }) => loss?.toFixed(4))

test('each process writes its part of a checkpoint, a run resumes from the parts, and the result is whole', async () => {
  const whole = await train('whole', withFsdp)
  expect(whole).toMatchObject({ code: 0 })
  expect(whole.stderr).not.toContain('FSDP needs several GPUs')
  const parts = readdirSync(at('whole/checkpoint-2/pytorch_model_fsdp_0'))
  expect(parts.filter((name) => name.endsWith('.distcp'))).toHaveLength(2)
  expect(existsSync(at('whole/checkpoint-2/model.safetensors'))).toBe(false)
  expect(shapesOf('whole/model')).toMatchObject(shapesOf('tiny'))

  cpSync(at('whole'), at('cut'), { recursive: true })
  for (const name of ['model', 'aft-model.json', 'README.md', 'checkpoint-4/complete'])
    rmSync(at(`cut/${name}`), { recursive: true })
  const resumed = await train('cut', withFsdp)
  expect(resumed.stderr).toMatch(/resum.* 2/)
  expect(lossesOf('cut')).toEqual(lossesOf('whole'))
})

test('without FSDP a run says that each process has the whole model', async () => {
  const { code, stderr } = await train('plain', {})
  expect({ code, stderr }).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('FSDP needs several GPUs'),
  })
})
