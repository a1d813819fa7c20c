/** `runs/low-perplexity.sh` from its first line to its tables, with a model of two layers to train. A minute. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeTiny } from './tiny-model.ts'

const root = path.join(import.meta.dirname, '..')
const folder = mkdtempSync(path.join(tmpdir(), 'aft-low-'))
const at = (name: string) => path.join(folder, name)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const words = 'river mountain garden window silver market summer letter planet engine harbor castle'.split(
  ' ',
)
const systems = ['a', 'b', 'c', 'd', 'e', 'f']

beforeAll(async () => {
  await makeTiny(at('tiny'))
  mkdirSync(at('source/outputs'), { recursive: true })
  for (const [place, name] of [...systems, 'Together-MoA'].entries())
    writeFileSync(
      at(`source/outputs/${name}.json`),
      JSON.stringify(
        words.map((word, i) => ({
          instruction: `How do ${word} and ${words[(i * 5 + 3) % 12]} go together?`,
          output: `The ${word} comes first, says ${name}, and then the ${words[(i + place) % 12]} follows it.`,
          generator: name,
        })),
      ),
    )
  const rates = systems.map((name, i) => `${name},0,0,0,0,${50 - i},0`)
  writeFileSync(at('source/published.csv'), `model\n${rates.join('\n')}\n`)
  writeFileSync(
    at('recipe.yaml'),
    'base: ./tiny\nmethod: lora\nlora_r: 16\nlora_alpha: 32\ngguf: none\ngradient_accumulation_steps: 1\n' +
      'learning_rate: 1.0e-3\nuse_cpu: true\nseed: 1\n',
  )
})

test('perplexities, twins, losses by row and the noise of gradients come out in one table', () => {
  const run = () =>
    execFileSync('runs/low-perplexity.sh', [at('source'), at('out')], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        ...{ ROWS: '2', SEEDS: '1', STEPS: '4', MODELS: 'smollm2-q8_0', RECIPE: at('recipe.yaml') },
        ...{ VALIDATION: '0.3', NOISE_ROWS: '4', OMP_NUM_THREADS: '1' },
      },
    })
  const printed = run()
  expect(printed).toMatch(/smollm2-q8_0-dose: 2 rows\n {2}no proposals/)
  for (const name of [
    'four proposals',
    'five proposals, reversed',
    'smollm2-q8_0-best',
    'smollm2-q8_0-worst',
  ])
    expect(printed).toContain(name)
  const { convergence } = JSON.parse(readFileSync(at('out/table.json'), 'utf8'))
  expect(convergence.map(({ kind }: { kind: string }) => kind)).toEqual(['aft', 'sft'])
  for (const { points } of convergence) {
    expect(points.map(({ step }: { step: number }) => step)).toEqual([0, 1, 2, 3, 4])
    for (const { loss, interval } of points) expect(interval.low <= loss && loss <= interval.high).toBe(true)
    expect(points[0].gradient_noise).toBeGreaterThan(0)
    expect(points[4].flops).toBeGreaterThan(points[1].flops)
  }
  expect(printed.endsWith(run())).toBe(true) // what is there is read again
})
