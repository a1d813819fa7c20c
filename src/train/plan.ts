/** What a training would take: updates, memory, disk and hours, from the sizes of the model and of the rows. */
import type { TrainerEvent } from './launch.ts'
import type { Recipe } from './recipe.ts'

/** Sizes of the model, as the trainer counts them. */
export type ModelSizes = Omit<Extract<TrainerEvent, { event: 'plan' }>, 'event'>
/** What the rows are. */
export type RowSizes = Omit<Extract<TrainerEvent, { event: 'preflight' }>, 'event'>

/** What the machine has, in bytes. */
export interface Machine {
  memory: number
  /** Free bytes where the run goes. */
  disk: number
}

/** The needs of a training. Sizes are in bytes, `memory` per process. */
export interface TrainingPlan {
  rows: number
  evaluated: number
  dropped: number
  tokens: number
  /** Tokens that the loss counts. */
  trainedTokens: number
  longestRow: number
  parameters: number
  trainedParameters: number
  processes: number
  rowsPerUpdate: number
  updates: number
  epochs: number
  memory: { weights: number; gradients: number; optimizer: number; activations: number; total: number }
  /** Memory of the machine, besides that of its GPUs. */
  hostMemory: number
  disk: { checkpoint: number; checkpoints: number; tokens: number; result: number; total: number }
  flops: number
  /** Present if a rate was given. */
  hours?: number
  /** What this machine lacks. */
  problems: string[]
  warnings: string[]
}

/** A process of PyTorch without a model. */
const PROCESS_BYTES = 1e9
const WEIGHT_BYTES: Record<string, number> = { float32: 4, bfloat16: 2, float16: 2, auto: 2 }
/** Bytes per parameter of a GGUF file. */
const GGUF_BYTES: Record<string, number> = { q8_0: 34 / 32, f16: 2, bf16: 2, f32: 4, none: 0 }

/**
 * Computes the needs. Memory is an estimate: what a layer keeps for the backward pass depends on its kind.
 * @param tflops TFLOP per second that each process reaches, for the hours
 */
export function planTraining(
  recipe: Recipe,
  given: { model: ModelSizes; rows: RowSizes; machine: Machine; tflops?: number },
): TrainingPlan {
  const { model, rows, machine, tflops } = given
  const { processes, per_device_train_batch_size: batch, gradient_accumulation_steps: passes } = recipe
  const rowsPerUpdate = processes * batch * passes
  const perEpoch = Math.ceil(Math.ceil(rows.rows / (processes * batch)) / passes)
  const updates = recipe.max_steps > 0 ? recipe.max_steps : Math.ceil(perEpoch * recipe.num_train_epochs)
  const epochs = updates / perEpoch
  const memory = measureMemory(recipe, model, rows.longest)
  const disk = measureDisk(recipe, model, rows)
  const hostMemory = recipe.use_cpu ? processes * memory.total : measureHost(recipe, model)
  const perToken = (recipe.method === 'full' ? 6 : 4) + (checkpointsActivations(recipe) ? 2 : 0)
  const flops = perToken * model.parameters * rows.tokens * epochs
  return {
    rows: rows.rows,
    evaluated: rows.evaluated,
    dropped: rows.dropped,
    tokens: rows.tokens,
    trainedTokens: rows.trained,
    longestRow: rows.longest,
    parameters: model.parameters,
    trainedParameters: model.trained,
    processes,
    rowsPerUpdate,
    updates,
    epochs,
    memory,
    hostMemory,
    disk,
    flops,
    ...(tflops !== undefined && { hours: flops / (tflops * 1e12 * processes) / 3600 }),
    problems: findProblems(recipe, { memory: memory.total, hostMemory, disk: disk.total, model, machine }),
    warnings: rows.warnings,
  }
}

const checkpointsActivations = ({ gradient_checkpointing, fsdp_config }: Recipe) =>
  gradient_checkpointing || fsdp_config?.activation_checkpointing === true

const isSharded = ({ fsdp, deepspeed }: Recipe) => fsdp === true || deepspeed !== undefined

/** Bytes that the optimizer keeps per trained parameter. */
function optimizerBytes({ optim, dtype }: Recipe): number {
  if (/adafactor|sgd|lion/.test(optim)) return /lion/.test(optim) ? (WEIGHT_BYTES[dtype] ?? 4) : 0
  return /8bit/.test(optim) ? 2 : 2 * (WEIGHT_BYTES[dtype] ?? 4)
}

function measureMemory(recipe: Recipe, model: ModelSizes, longest: number): TrainingPlan['memory'] {
  const { dtype, processes, bf16, per_device_train_batch_size: batch } = recipe
  const size = WEIGHT_BYTES[dtype] ?? 4
  const parts = isSharded(recipe) ? processes : 1
  const { parameters, trained, layers } = model
  // mixed precision keeps a copy in 16 bits: of all weights, or of two layers if they are sharded
  const copied = isSharded(recipe) ? (2 * parameters) / layers : parameters
  const copy = bf16 && dtype === 'float32' ? 2 * copied : isSharded(recipe) ? size * copied : 0
  const weights = (size * parameters) / parts + copy
  const gradients = (size * trained) / parts
  const optimizer = (optimizerBytes(recipe) * trained) / parts
  const activations = measureActivations(recipe, model, batch * longest)
  return {
    weights,
    gradients,
    optimizer,
    activations,
    total: weights + gradients + optimizer + activations + PROCESS_BYTES,
  }
}

/** What the backward pass needs of the forward pass, and the logits in 32 bits with their gradient. */
function measureActivations(recipe: Recipe, model: ModelSizes, tokens: number): number {
  const { layers, hidden, inner, vocabulary } = model
  const wide = recipe.bf16 || recipe.dtype !== 'float32' ? 1 : 2
  const block = tokens * (36 * hidden + 8 * inner) * wide
  const kept = checkpointsActivations(recipe) ? tokens * 4 * hidden * layers + block : block * layers
  return kept + tokens * vocabulary * 14
}

/** Loading and gathering weights in the memory of the machine. */
function measureHost(recipe: Recipe, { parameters, trained }: ModelSizes): number {
  const { processes, dtype, fsdp_config = {} } = recipe
  const size = WEIGHT_BYTES[dtype] ?? 4
  const copies = fsdp_config.cpu_ram_efficient_loading === true ? 1 : isSharded(recipe) ? processes : 0
  const gathers = isSharded(recipe) && fsdp_config.state_dict_type === 'FULL_STATE_DICT'
  const gathered = gathers ? size * parameters + optimizerBytes(recipe) * trained : 0
  return Math.max(copies * size * parameters, gathered) + processes * PROCESS_BYTES
}

function measureDisk(recipe: Recipe, model: ModelSizes, rows: RowSizes): TrainingPlan['disk'] {
  const size = WEIGHT_BYTES[recipe.dtype] ?? 4
  const { parameters, trained } = model
  const checkpoint = trained * (size + optimizerBytes(recipe))
  // the oldest checkpoint is deleted when the next one is whole
  const checkpoints = checkpoint * (recipe.save_total_limit + 1)
  const merged = recipe.method === 'lora' && recipe.gguf !== 'none' ? 4 * parameters : 0
  const result = trained * size + merged + parameters * (GGUF_BYTES[recipe.gguf] ?? 0)
  const tokens = 16 * rows.tokens
  return { checkpoint, checkpoints, tokens, result, total: checkpoints + tokens + result }
}

function findProblems(
  recipe: Recipe,
  needs: { memory: number; hostMemory: number; disk: number; model: ModelSizes; machine: Machine },
): string[] {
  const { memory, hostMemory, disk, model, machine } = needs
  const found: string[] = []
  const compare = (what: string, needed: number, has: number, advice: string) => {
    if (needed > has) found.push(`needs ${gigabytes(needed)} of ${what}, has ${gigabytes(has)}: ${advice}`)
  }
  const smaller = 'lower max_length or per_device_train_batch_size, or use method: lora'
  compare('memory', hostMemory, machine.memory, recipe.use_cpu ? smaller : 'use fewer processes')
  if (!recipe.use_cpu && model.deviceBytes)
    compare('GPU memory per process', memory, model.deviceBytes, smaller)
  compare('free disk', disk, machine.disk, 'give another -o, or lower save_total_limit')
  return found
}

/** Writes bytes for people. */
export const gigabytes = (bytes: number) =>
  bytes < 1e9 ? `${Math.ceil(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(bytes < 1e10 ? 1 : 0)} GB`
