/** A trained adapter becomes a model that opens by its name and asks its own proposer. Takes half a minute. */
import { execFile, execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, expect, test } from 'vitest'
import { findGguf } from '../src/apps/cli/train/run.ts'
import { prepareBase } from '../src/train/base.ts'
import { findEnvironment } from '../src/train/environment.ts'
import { writeWeights } from '../src/train/finish.ts'
import { aft } from '../test/command-line.ts'

const root = path.join(import.meta.dirname, '..')
const folder = mkdtempSync(path.join(tmpdir(), 'aft-shipped-'))
const at = (name: string) => path.join(folder, name)
const RANK = 8
const WIDTH = 576

/** An adapter as PEFT writes it, of one layer's query and output. */
function makeAdapter(name: string, value: number): void {
  const places = ['q_proj', 'o_proj'].flatMap((place) =>
    ['A', 'B'].map((half) => ({
      name: `base_model.model.model.layers.29.self_attn.${place}.lora_${half}.weight`,
      shape: half === 'A' ? [RANK, WIDTH] : [WIDTH, RANK],
    })),
  )
  const size = RANK * WIDTH * 4
  const header = Object.fromEntries(
    places.map(({ name, shape }, i) => [
      name,
      { dtype: 'F32', shape, data_offsets: [i * size, (i + 1) * size] },
    ]),
  )
  const head = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(head.length))
  const values = Float32Array.from({ length: places.length * RANK * WIDTH }, (_, i) => value * Math.sin(i))
  mkdirSync(at(name))
  writeFileSync(
    path.join(at(name), 'adapter_model.safetensors'),
    Buffer.concat([length, head, Buffer.from(values.buffer)]),
  )
  const config = { peft_type: 'LORA', r: RANK, lora_alpha: 16, target_modules: ['q_proj', 'o_proj'] }
  writeFileSync(path.join(at(name), 'adapter_config.json'), JSON.stringify(config))
  const tags = ['base_model:adapter:/home/someone/base', 'lora']
  const front = JSON.stringify({ base_model: '/home/someone/base', library_name: 'peft', tags })
  writeFileSync(path.join(at(name), 'README.md'), `---\n${front}\n---\n`)
}

/**
 * Prints how far the product of the first adapter is from that of the second, and the size of what it changes elsewhere: both as
 * shares of the second's product.
 */
const compare = `
import json, sys
import numpy
from gguf import GGUFReader
def products(file):
    reader = GGUFReader(file)
    halves = {tensor.name: numpy.array(tensor.data, dtype=numpy.float64) for tensor in reader.tensors}
    alpha = float(reader.fields["adapter.lora.alpha"].parts[-1][0])
    names = [name[: -len(".lora_a")] for name in halves if name.endswith(".lora_a")]
    return {n: halves[n + ".lora_b"] @ halves[n + ".lora_a"] * alpha / len(halves[n + ".lora_a"]) for n in names}
change, plain = products(sys.argv[1]), products(sys.argv[2])
norm = numpy.sqrt(sum((p ** 2).sum() for p in plain.values()))
apart = numpy.sqrt(sum(((change[n] - p) ** 2).sum() for n, p in plain.items()))
others = numpy.sqrt(sum((p ** 2).sum() for n, p in change.items() if n not in plain))
print(json.dumps({"difference": apart / norm, "others": others / norm}))
`

/** Prints how far the second model is from the third, as a share of how far the third is from the first. */
const compareWeights = `
import sys
from safetensors.torch import load_file
base, again, whole = [load_file(f"{folder}/model.safetensors") for folder in sys.argv[1:]]
norm = lambda a, b: sum((a[name].float() - b[name].float()).square().sum().item() for name in base) ** 0.5
print(norm(again, whole) / norm(whole, base))
`

const ship = (...args: string[]) =>
  promisify(execFile)(process.execPath, [path.join(root, 'scripts/ship-model.ts'), ...args], { cwd: root })
const ask = (...more: string[]) =>
  aft(['ask', 'Name a river.', '--seed', '1', '--json', '--max-tokens', '8', ...more])

beforeAll(async () => {
  for (const [index, name] of ['proposer', 'aft'].entries()) makeAdapter(name, 0.01 * (index + 1))
  writeFileSync(at('notes.md'), '## Good for\n\nA test.\n')
  await ship(
    ...[at('proposer'), at('aft'), '-o', at('shipped'), '--proposer', at('proposer')],
    ...['--template', 'runs/routes-template.json', '--notes', at('notes.md'), '--width', '3'],
  )
}, 300_000)

test('it proposes with its proposer and writes with its own adapters, as in training', async () => {
  const { stdout, stderr, code } = await ask('--model', at('shipped'))
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('warning')])
  const { plan, answer } = JSON.parse(stdout)
  expect(plan.template).toBe('merge-1')
  expect(plan.layers.map((layer: { voices: object[] }) => layer.voices)).toEqual([
    [{ engine: `${at('shipped')}/proposer`, n: 3, sampling: { temperature: 1, maxTokens: 8 } }],
    [{ engine: at('shipped'), n: 1, sampling: { temperature: 0, maxTokens: 8 } }],
  ])
  expect(answer.text ?? answer).not.toBe('')
})

test('a flag wins over its card', async () => {
  const { stdout } = await ask('--model', at('shipped'), '--width', '2', '--proposers', 'smollm2')
  const [{ voices }] = JSON.parse(stdout).plan.layers
  expect(voices).toMatchObject([{ engine: 'smollm2', n: 2 }])
})

test('its card says what it was made from', () => {
  const card = readFileSync(at('shipped/README.md'), 'utf8')
  expect(card).toMatch(/^---\nlicense: apache-2.0\nbase_model: HuggingFaceTB\/SmolLM2-135M-Instruct\n/)
  expect(card).toContain('## Good for\n\nA test.\n')
  for (const name of ['adapter-2.gguf', 'proposer/adapter.gguf', 'template merge-1'])
    expect(card).toMatch(new RegExp(`\\| ${name} \\| [0-9a-f]{64} \\|`))
})

test('its files have no path of the machine that made them', () => {
  for (const name of ['adapter-2.gguf', 'proposer/adapter.gguf', 'aft-model.json', 'README.md'])
    expect(readFileSync(at(`shipped/${name}`), 'latin1')).not.toMatch(
      /home\/someone|aft-shipped-|aft-convert-/i,
    )
})

test('of a model trained with all weights, the change becomes an adapter', async () => {
  const { python } = findEnvironment()
  const settings = { python, signal: new AbortController().signal, onLine: () => {}, findGguf }
  const { model } = await prepareBase('smollm2', settings)
  for (const file of ['tokenizer.json', 'tokenizer_config.json'])
    copyFileSync(path.join(model, file), path.join(at('proposer'), file))
  await writeWeights(model, at('proposer'), at('whole'), 'float32', settings)
  await ship(at('whole'), '-o', at('change'), '--template', 'aft-1', '--rank', String(RANK))
  await ship(at('proposer'), '-o', at('plain'), '--template', 'aft-1')
  const files = [at('change'), at('plain')].map((name) => path.join(name, 'adapter.gguf'))
  const { difference, others } = JSON.parse(
    execFileSync(python, ['-c', compare, ...files], { encoding: 'utf8' }),
  )
  expect(difference).toBeLessThan(0.02)
  expect(others).toBeLessThan(0.02)
})

test('a shipped model can be trained further: its adapters are in the weights of the base', async () => {
  const { python } = findEnvironment()
  const settings = { python, signal: new AbortController().signal, onLine: () => {}, findGguf }
  const [base, again] = [await prepareBase('smollm2', settings), await prepareBase(at('plain'), settings)]
  const folders = [base.model, again.model, at('whole')]
  const share = Number(execFileSync(python, ['-c', compareWeights, ...folders], { encoding: 'utf8' }))
  expect([again.gguf, again.license]).toEqual([undefined, 'Apache-2.0'])
  expect(share).toBeLessThan(0.02)
})

test('a file that changed is not opened', async () => {
  const file = at('shipped/adapter-2.gguf')
  const bytes = readFileSync(file)
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1)
  writeFileSync(file, bytes)
  const { stderr, code } = await aft(['ask', 'Name a river.', '--model', at('shipped')])
  expect(stderr).toMatch(
    /^error: .*expected adapter-2\.gguf to have SHA-256 \w{64}, got \w{64}: install the package again/,
  )
  expect(code).toBe(1)
})

test('an adapter that llama.cpp would apply wrongly is refused', async () => {
  const file = path.join(at('aft'), 'adapter_config.json')
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), use_rslora: true }))
  await expect(ship(at('aft'), '-o', at('other'), '--template', 'aft-1')).rejects.toThrow('use_rslora')
})
