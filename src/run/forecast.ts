/**
 * What a run will take: tokens, GPU hours, processor time and memory of the submitter, and disk for its journal. A model on
 * paper: docs/scale.md says what it assumes and how it was checked.
 */
import { countCompletions, countMembers, enginesOf, type Layer, type Plan } from '../core/plan.ts'
import { UsageError } from '../core/provider/errors.ts'
import { catalog } from '../engines/models/model-catalog.ts'

/** GPUs and a model: `8xH100 8B`. */
export interface Hardware {
  count: number
  gpu: string
  /** Parameters of the model. */
  params: number
}

interface Gpu {
  /** Operations per second with 16 bits. */
  flops: number
  /** Bytes per second from memory. */
  bandwidth: number
  /** Bytes. */
  memory: number
  /** US dollars per hour, as rented in 2026; `dollarsPerHour` replaces it. */
  dollars: number
}

const GPUS: Record<string, Gpu> = {
  A100: { flops: 312e12, bandwidth: 2.0e12, memory: 80e9, dollars: 1.5 },
  L40S: { flops: 362e12, bandwidth: 0.86e12, memory: 48e9, dollars: 1 },
  H100: { flops: 989e12, bandwidth: 3.35e12, memory: 80e9, dollars: 2.5 },
  H200: { flops: 989e12, bandwidth: 4.8e12, memory: 141e9, dollars: 3 },
  B200: { flops: 2250e12, bandwidth: 8.0e12, memory: 180e9, dollars: 5 },
}

/** Reads `8xH100 8B`. @throws UsageError that names the known GPUs */
export function readHardware(text: string): Hardware {
  const [, count = '1', name = '', size, unit = ''] =
    /^(?:(\d{1,5})\s*x\s*)?(\w+)\s+([\d.]+)\s*([BM])$/i.exec(text.trim()) ?? []
  const gpu = name.toUpperCase()
  const params = Number(size) * (unit.toUpperCase() === 'M' ? 1e6 : 1e9)
  if (Object.hasOwn(GPUS, gpu) && params > 0 && Number(count) > 0)
    return { count: Number(count), gpu, params }
  const known = Object.keys(GPUS).join(', ')
  throw new UsageError(
    `--at: expected GPUs and the size of a model, such as "8xH100 8B", got "${text}"; GPUs: ${known}`,
  )
}

/** What is known of a run before it. */
export interface ForecastInput {
  prompts: number
  /** Of a prompt, on average. */
  promptTokens: number
  /** Of the instruction that an aggregator gets. */
  frameTokens: number
  /** Of a completion, on average. */
  outputTokens: number
  plan: Plan
  hardware?: Hardware
  dollarsPerHour?: number
  /** The usage of a completion comes after its end, as servers send it. Default: unless all models are in this process. */
  hasLateUsage?: boolean
  /** Tokens per chunk of a stream; default 1. */
  chunkTokens?: number
}

/** What a run will take. Times are in hours of one GPU or in seconds of one core, sizes in bytes. */
export interface Forecast {
  requests: number
  completions: number
  /** Prompt tokens, if the samples of a request share their prompt. */
  inputTokens: number
  /** The same, if each sample reads its prompt. */
  inputTokensUnshared: number
  outputTokens: number
  gpu?: {
    prefillHours: number
    decodeHours: number
    hours: number
    unsharedHours: number
    wallHours: number
    dollars: number
  }
  cpuSeconds: number
  memoryBytes: number
  journalBytes: number
}

/** Adds up what a run will take. */
export function forecast(input: ForecastInput): Forecast {
  const { prompts, promptTokens, frameTokens, outputTokens, plan } = input
  let [requests, shared, unshared] = [0, 0, 0]
  for (const [i, layer] of plan.layers.entries()) {
    const read =
      promptTokens + shownTo(layer, plan.layers[i - 1]) * outputTokens + (i === 0 ? 0 : frameTokens)
    for (const { n } of layer.voices) {
      const asked = typeof layer.see === 'object' ? n : 1
      requests += asked
      shared += asked * read
      unshared += n * read
    }
  }
  const completions = countCompletions(plan)
  const total = {
    requests: prompts * requests,
    completions: prompts * completions,
    inputTokens: prompts * shared,
    inputTokensUnshared: prompts * unshared,
    outputTokens: prompts * completions * outputTokens,
  }
  const gpu =
    input.hardware &&
    gpuTime(total, { ...input, hardware: input.hardware, context: shared / requests + outputTokens })
  return {
    ...total,
    ...(gpu && { gpu }),
    cpuSeconds:
      total.completions * CPU_PER_COMPLETION_S +
      (total.outputTokens / (input.chunkTokens ?? 1)) * CPU_PER_CHUNK_S,
    memoryBytes: MEMORY_BYTES + prompts * MEMORY_PER_PROMPT,
    journalBytes: prompts * journalPerPrompt(input, { calls: requests, inputTokens: Math.round(shared) }),
  }
}

function shownTo({ see }: Layer, before: Layer | undefined): number {
  if (see === 'nothing' || !before) return 0
  return see === 'all' ? countMembers(before) : Math.min(see.sample, countMembers(before))
}

/** Measured: bench/results/overhead.json and overhead-chunks.json, rounded up. */
const CPU_PER_COMPLETION_S = 0.35e-3
const CPU_PER_CHUNK_S = 8e-6
const MEMORY_BYTES = 0.23e9
const MEMORY_PER_PROMPT = 900
const TEXT_PER_TOKEN = 4

/** Bytes of a prompt's lines: lines as a run writes them, without their texts and with usual numbers. */
function journalPerPrompt(input: ForecastInput, spent: { calls: number; inputTokens: number }): number {
  const { plan, hasLateUsage = saysUsageLate(input) } = input
  const completions = countCompletions(plan)
  const [inputTokens, outputTokens] = [Math.round(input.promptTokens), Math.round(input.outputTokens)]
  const prompt = String(input.prompts - 1)
  const ends = { finishReason: 'stop', ms: 10_000 }
  const total = { ...spent, prefilledTokens: null, outputTokens: outputTokens * completions }
  let bytes =
    (input.promptTokens + input.outputTokens * (completions + 1)) * TEXT_PER_TOKEN +
    bytesOf({ type: 'prompt', id: prompt, messages: [{ role: 'user', content: '' }] }) +
    bytesOf({ type: 'answer', prompt, answer: '', degraded: false, usage: total, ...ends })
  for (const [depth, layer] of plan.layers.entries()) {
    const place = { prompt, layer: depth }
    const shown = shownTo(layer, plan.layers[depth - 1])
    const saw = shown > 0 ? [...Array(shown).keys()] : undefined
    bytes += bytesOf({ type: 'layer', ...place, shown: [...Array(countMembers(layer)).keys()] })
    for (const [voice, { engine, n }] of layer.voices.entries()) {
      const member = { ...place, index: n - 1, engine, seed: 2 ** 31 }
      const usage = { calls: 0, prefilledTokens: 0, inputTokens, outputTokens }
      bytes += n * bytesOf({ type: 'completion', ...member, voice, text: '', usage, saw, ...ends })
      if (hasLateUsage) bytes += n * (bytesOf({ type: 'usage', ...member, usage }) + ESTIMATED.length)
    }
  }
  return bytes
}

/** What the usage of a completion has until its server reports it. */
const ESTIMATED = ',"estimated":true'
const bytesOf = (line: object) => Buffer.byteLength(JSON.stringify(line)) + 1

/** A model in this process, as its name tells, knows the usage when a text ends. GPUs mean a server. */
function saysUsageLate({ plan, hardware }: ForecastInput): boolean {
  const isHere = (name: string) =>
    /^(gguf|hf|scripted):/.test(name) || catalog.some((model) => model.name === name)
  return hardware !== undefined || !enginesOf(plan).every(isHere)
}

/** Shares of what a GPU can do at most that servers reach. */
const PREFILL_SHARE = 0.4
const DECODE_SHARE = 0.7
/** Texts that a server writes at a time on one GPU, if memory allows. */
const MOST_TEXTS = 256

function gpuTime(
  total: Pick<Forecast, 'inputTokens' | 'inputTokensUnshared' | 'outputTokens'>,
  { hardware, context, dollarsPerHour }: { hardware: Hardware; context: number; dollarsPerHour?: number },
): NonNullable<Forecast['gpu']> {
  const gpu = GPUS[hardware.gpu] as Gpu
  const weights = 2 * hardware.params
  // GPUs that hold one copy of the model together.
  const group = Math.max(1, Math.ceil(weights / (0.7 * gpu.memory)))
  if (group > hardware.count)
    throw new UsageError(`--at: the model needs ${group} ${hardware.gpu} for one copy, got ${hardware.count}`)
  const keys = keyBytes(hardware.params) * context
  const room = 0.9 * gpu.memory * group - weights
  const texts = Math.max(1, Math.min(MOST_TEXTS * group, Math.floor(room / keys)))
  const stepS = (weights + texts * keys) / (gpu.bandwidth * group * DECODE_SHARE)
  const prefill = (tokens: number) => (tokens * 2 * hardware.params) / (PREFILL_SHARE * gpu.flops) / 3_600
  const decodeHours = ((total.outputTokens / texts) * stepS * group) / 3_600
  const prefillHours = prefill(total.inputTokens)
  const hours = prefillHours + decodeHours
  return {
    prefillHours,
    decodeHours,
    hours,
    unsharedHours: prefill(total.inputTokensUnshared) + decodeHours,
    wallHours: hours / (Math.floor(hardware.count / group) * group),
    dollars: hours * (dollarsPerHour ?? gpu.dollars),
  }
}

/** Bytes of keys and values per token: 131 kB for 8 billion parameters and 328 kB for 70, as Llama 3 has them. */
function keyBytes(params: number): number {
  return 131e3 * (params / 8e9) ** 0.42
}
