import { describe, expect, test } from 'vitest'
import { describePlan } from '../apps/cli/train/plan.ts'
import { planTraining } from './plan.ts'
import { type Recipe, recipeSchema } from './recipe.ts'
import { keepBatch } from './run.ts'

const recipeOf = (fields: Record<string, unknown>): Recipe =>
  recipeSchema.parse({ base: 'b', method: 'full', ...fields })

/** Llama-3.1-8B, and 64,000 rows of 2,500 tokens. */
const model = {
  parameters: 8.03e9,
  trained: 8.03e9,
  layers: 32,
  hidden: 4096,
  inner: 14_336,
  vocabulary: 128_256,
}
const rows = {
  rows: 64_000,
  evaluated: 0,
  tokens: 160e6,
  trained: 26e6,
  longest: 8192,
  dropped: 3,
  templateSha256: '',
  warnings: [],
}
const machine = { memory: 2e12, disk: 4e12 }
const eight = {
  processes: 8,
  num_train_epochs: 2,
  gradient_accumulation_steps: 16,
  fsdp: true,
  fsdp_config: {
    activation_checkpointing: true,
    state_dict_type: 'SHARDED_STATE_DICT',
    cpu_ram_efficient_loading: true,
  },
}

describe('a plan', () => {
  test('counts updates as the trainer does, and work, checkpoints and hours from them', () => {
    const plan = planTraining(recipeOf(eight), { model, rows, machine, tflops: 400 })
    expect(plan).toMatchObject({ rowsPerUpdate: 128, updates: 1000, epochs: 2, problems: [] })
    expect(plan.flops).toBeCloseTo(8 * 8.03e9 * 160e6 * 2, -15)
    expect(plan.hours).toBeCloseTo(plan.flops / (8 * 4e14) / 3600, 6)
    expect(plan.disk.checkpoint).toBe(8.03e9 * 12)
    expect(plan.disk.checkpoints).toBe(3 * 8.03e9 * 12)
    // weights, gradients and the two moments in 32 bits, over eight processes
    const { weights, gradients, optimizer } = plan.memory
    expect(weights + gradients + optimizer).toBeGreaterThan((8.03e9 * 16) / 8)
    expect(plan.memory.total).toBeLessThan(80e9)
  })

  test('uneven numbers of rows make whole updates in each epoch; max_steps wins', () => {
    const of = (fields: Record<string, unknown>) =>
      planTraining(recipeOf(fields), { model, rows: { ...rows, rows: 11 }, machine })
    expect(of({ gradient_accumulation_steps: 4, num_train_epochs: 3 })).toMatchObject({
      updates: 9,
      epochs: 3,
    })
    expect(of({ gradient_accumulation_steps: 4, max_steps: 6 })).toMatchObject({ updates: 6, epochs: 2 })
    expect(of({}).hours).toBeUndefined()
  })

  test('memory of the machine: every process loads the weights, unless one does it for all', () => {
    const of = (config: object) =>
      planTraining(recipeOf({ ...eight, fsdp_config: config }), { model, rows, machine }).hostMemory
    expect(of({})).toBeGreaterThan(8 * 4 * 8.03e9)
    expect(of({ cpu_ram_efficient_loading: true })).toBeLessThan(45e9)
    // one process gathers weights and moments
    expect(of({ cpu_ram_efficient_loading: true, state_dict_type: 'FULL_STATE_DICT' })).toBeGreaterThan(96e9)
  })

  test('what this machine lacks is a problem that says what to do', () => {
    const small = { memory: 16e9, disk: 1e9 }
    const given = { model: { ...model, deviceBytes: 24e9 }, rows, machine: small }
    expect(planTraining(recipeOf({}), given).problems).toEqual([
      expect.stringMatching(/^needs \d+ GB of GPU memory per process, has 24 GB: lower max_length/),
      expect.stringMatching(/^needs \d+ GB of free disk, has 1.0 GB: give another -o/),
    ])
    const onCpu = planTraining(recipeOf({ use_cpu: true }), given)
    expect(onCpu.problems[0]).toMatch(/^needs \d+ GB of memory, has 16 GB: lower max_length/)
    expect(describePlan(onCpu)).toContain('problem: this machine needs')
    expect(describePlan(onCpu)).toContain('3 rows are too long and are dropped')
  })

  test('an adapter trains few parameters: its checkpoints are small and its backward pass is cheaper', () => {
    const given = { model: { ...model, trained: 40e6 }, rows, machine }
    const adapter = planTraining(recipeOf({ method: 'lora', dtype: 'bfloat16' }), given)
    const full = planTraining(recipeOf({ dtype: 'bfloat16' }), given)
    expect(adapter.disk.checkpoint).toBe(40e6 * 6)
    expect(adapter.flops / full.flops).toBeCloseTo(4 / 6, 6)
  })
})

test('another number of processes keeps the rows per update, or is refused', () => {
  const of = (processes: number) => recipeOf({ processes, per_device_train_batch_size: 2 })
  expect(keepBatch(of(1), 32).gradient_accumulation_steps).toBe(16)
  expect(keepBatch(of(4), 32).gradient_accumulation_steps).toBe(4)
  expect(() => keepBatch(of(3), 32)).toThrow(
    'an update of this run has 32 rows, and 3 processes with 2 rows each cannot make it: expected a number of processes that divides 16',
  )
})
