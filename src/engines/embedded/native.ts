/**
 * The adapter to node-llama-cpp. Its public sequences run one by one: they do not fill a batch, do not keep sequence
 * numbers adjacent (a gap costs a second pass over the weights), and do not sample twice from one row of logits. So
 * this file uses the native context, sampler and template renderer below the public API; `bindNative` checks that the
 * installed version still has them.
 */
import os from 'node:os'
import type { Llama, LlamaContext, LlamaModel, Token } from 'node-llama-cpp'
import { UsageError } from '../../core/provider/errors.ts'
import { needPackages } from '../../files/optional-packages.ts'
import type { Attention } from '../engine-options.ts'
import { toGrammarSchema } from './schema.ts'
import { rememberWords } from './tokenize.ts'

/** One native context: rows of cells that are decoded together. */
export interface NativeContext {
  initBatch(tokens: number): void
  /** Adds tokens at `position`; returns the rows of logits asked for by `logitsAt` (offsets into `tokens`). */
  addToBatch(sequence: number, position: number, tokens: Uint32Array, logitsAt: Uint32Array): Uint32Array
  decodeBatch(): Promise<void>
  /** The sampled token, or -1 if nothing can be sampled. */
  sampleToken(row: number, sampler: NativeSampler): Promise<number>
  sampleToken(
    row: number,
    sampler: NativeSampler,
    probabilities: boolean,
    confidence: boolean,
    logits: LogitFilter,
    weight: boolean,
  ): Promise<[token: number, undefined, undefined, logits: number[], weight: number]>
  /** Removes the cells from `start` up to `end` (-1: all that follow). False if the model cannot. */
  removeTokenCellsFromSequence(sequence: number, start: number, end: number): boolean
  getThreads(): number
  setThreads(threads: number): void
  /** Makes `target` a copy of `source`. */
  copySequenceStateFromOtherSequence(target: number, source: number): Promise<number>
}

type LogitFilter = [tokens: number[], max: boolean, min: boolean, selected: boolean, top: number]

/** Keeps the state of seed, penalties and grammar between tokens. */
export interface NativeSampler {
  applyConfig(config: Record<string, unknown>): void
  dispose(): void
}

/** A loaded model, as the rest of this folder sees it. */
export interface NativeModel {
  /** Tokens the model was trained to see at once. */
  trainLength: number
  /** Bytes of a context's memory that one token takes. */
  bytesPerToken: number
  /** Whether all of it is computed by the processor. */
  isOnProcessor: boolean
  /** Type 1 is ordinary text; 2 and 3 are control tokens, 4 was added by the model's makers. */
  tokens: string[]
  tokenTypes: number[]
  chatTemplate: string | undefined
  bos: number | undefined
  isBosWanted: boolean
  bosText: string
  eosText: string
  tokenize(text: string): number[]
  /** Text of tokens, control tokens left out. */
  detokenize(tokens: number[]): string
  isEndOfGeneration(token: number): boolean
  compileTemplate(template: string): (variables: Record<string, unknown>) => string
  createSampler(config: Record<string, unknown>): NativeSampler
  /** A grammar's state for one completion, as samplers take it. */
  compileGrammar(schema: Record<string, unknown> | undefined): Promise<() => unknown>
  createContext(options: ContextOptions): Promise<OpenContext>
  dispose(): Promise<void>
}

/** A context, and how to free it. */
export interface OpenContext {
  native: NativeContext
  /** Whether a token that is decoded alone gets other logits with other numbers of threads. */
  splitsKeys: boolean
  dispose(): Promise<void>
}

/** The size of a context. */
export interface ContextOptions {
  sequences: number
  /** Tokens per sequence. */
  size: number
  batchSize: number
  /** Instead of that of the model. `exact` has 32-bit keys and values, for comparison. */
  attention?: Attention | 'exact'
}

/** What to load, and onto what. */
export interface LoadOptions {
  file: string
  threads?: number
  lora?: { file: string; scale?: number }[]
  gpu?: 'auto' | 'metal' | 'cuda' | 'vulkan' | false
  /** Loads no weights: the engine can only count tokens. */
  vocabularyOnly?: boolean
  /** Default: flash attention, if the model allows it. */
  attention?: Attention
}

/** Loads a model. @throws UsageError if the library is missing or cannot load the file */
export async function loadNative(options: LoadOptions): Promise<NativeModel> {
  needPackages('running a model in this process')
  const library = await import('node-llama-cpp')
  const llama = await openLibrary(library, options.gpu ?? 'auto')
  const model = await loadModel(llama, options)
  if (options.lora?.length) await tryAdapters(model, options)
  return bindNative(library, llama, model, options)
}

type Library = typeof import('node-llama-cpp')

const instances = new Map<string, Promise<Llama>>()
/** The library's last error messages: its exceptions say only "failed". */
let libraryErrors: string[] = []

/** One instance per process and kind of device: to dispose of one would end the backend of the others. */
async function openLibrary({ getLlama, LlamaLogLevel }: Library, gpu: NonNullable<LoadOptions['gpu']>) {
  const key = String(gpu)
  const logger = (_: unknown, message: string) => {
    libraryErrors = [...libraryErrors.slice(-20), message.trim()]
  }
  const quiet = { progressLogs: false, logLevel: LlamaLogLevel.error, logger }
  const instance = instances.get(key) ?? getLlama({ gpu, build: 'never', skipDownload: true, ...quiet })
  instances.set(key, instance)
  try {
    return await instance
  } catch (cause) {
    instances.delete(key)
    const hint = 'Run `npx node-llama-cpp inspect gpu` to see what it finds.'
    throw new UsageError(`node-llama-cpp does not start on this machine: ${reasonOf(cause)}. ${hint}`, {
      cause,
    })
  }
}

async function loadModel(llama: Llama, { file, vocabularyOnly }: LoadOptions): Promise<LlamaModel> {
  libraryErrors = []
  try {
    return await llama.loadModel({
      modelPath: file,
      defaultContextSwaFullCache: true,
      vocabOnly: vocabularyOnly,
    })
  } catch (cause) {
    await new Promise(setImmediate) // the message comes from another thread
    const reason = libraryErrors.find((text) => text.includes('error')) ?? reasonOf(cause)
    const hint = 'Is it a whole GGUF model? If not, remove it and download it again.'
    throw new UsageError(`${file}: cannot be loaded: ${reason}. ${hint}`, { cause })
  }
}

/** Adapters are loaded with the first context: makes one now, so that a bad adapter fails before the first request. */
async function tryAdapters(model: LlamaModel, options: LoadOptions): Promise<void> {
  try {
    await (await createContext(model, { sequences: 1, size: 256, batchSize: 64 }, options)).dispose()
  } catch (cause) {
    const files = options.lora?.map(({ file }) => file).join(', ')
    await model.dispose()
    throw new UsageError(
      `${files}: cannot be loaded as a LoRA adapter of ${options.file}: ${reasonOf(cause)}`,
      { cause },
    )
  }
}

const reasonOf = (cause: unknown) => (cause instanceof Error ? cause.message : String(cause))

interface Bindings {
  AddonSampler: new (model: unknown) => NativeSampler
  AddonJinjaRenderer: new (template: string) => { render(variables: Record<string, unknown>): string }
}

function bindNative(
  { LlamaGrammarEvaluationState }: Library,
  llama: Llama,
  model: LlamaModel,
  options: LoadOptions,
): NativeModel {
  const bindings = inner<Bindings>(llama, '_bindings')
  const native = inner(model, '_model')
  const { tokenizer, ...metadata } = model.fileInfo.metadata
  const architecture = metadata.general.architecture
  const { ggml } = tokenizer as unknown as { ggml: { tokens: string[]; token_type?: number[]; pre?: string } }
  const tokenTypes = ggml.token_type ?? []
  return {
    trainLength: model.trainContextSize,
    isOnProcessor: model.gpuLayers === 0,
    bytesPerToken: measureCells(metadata[architecture] as unknown as Dimensions),
    tokens: ggml.tokens,
    tokenTypes,
    chatTemplate: tokenizer?.chat_template,
    bos: model.tokens.bos ?? undefined,
    isBosWanted: model.tokens.shouldPrependBosToken,
    bosText: model.tokens.bosString ?? '',
    eosText: model.tokens.eosString ?? '',
    tokenize: rememberWords((text) => model.tokenize(text, false), {
      split: ggml.pre,
      tokens: ggml.tokens,
      tokenTypes,
    }),
    detokenize: (tokens) => model.detokenize(tokens as Token[]),
    isEndOfGeneration: (token) => model.isEogToken(token as Token),
    compileTemplate: (template) => {
      const renderer = new bindings.AddonJinjaRenderer(template)
      return (variables) => renderer.render(variables)
    },
    createSampler: (config) => {
      const sampler = new bindings.AddonSampler(native)
      sampler.applyConfig(config)
      return sampler
    },
    compileGrammar: async (schema) => {
      const grammar = schema ? await compileSchema(llama, schema) : await llama.getGrammarFor('json')
      return () => inner(new LlamaGrammarEvaluationState({ model, grammar }), '_state')
    },
    createContext: (wanted) => createContext(model, wanted, options),
    dispose: () => model.dispose(),
  }
}

/** The library's grammar lets newlines follow the value; without them only the end can follow. */
async function compileSchema(llama: Llama, schema: Record<string, unknown>) {
  type Known = Parameters<Llama['createGrammarForJsonSchema']>[0]
  const { grammar } = await llama.createGrammarForJsonSchema(toGrammarSchema(schema) as Known)
  return llama.createGrammar({ grammar: grammar.replace(/ "(\\n){4}" \[\\n\]\*(?=\n|$)/, '') })
}

async function createContext(
  model: LlamaModel,
  wanted: ContextOptions,
  options: LoadOptions,
): Promise<OpenContext> {
  const context: LlamaContext = await model.createContext({
    sequences: wanted.sequences,
    contextSize: wanted.size,
    batchSize: wanted.batchSize,
    threads: options.threads ?? countThreads(model.llama),
    ...(options.lora?.length && {
      lora: { adapters: options.lora.map(({ file, scale }) => ({ filePath: file, scale })) },
    }),
    ...contextFlags(wanted.attention ?? options.attention),
    failedCreationRemedy: false,
  })
  // Flash attention does it, on a processor.
  const splitsKeys = context.flashAttention !== false && model.gpuLayers < model.fileInsights.totalLayers
  return { native: inner<NativeContext>(context, '_ctx'), splitsKeys, dispose: () => context.dispose() }
}

function contextFlags(attention: ContextOptions['attention'] = 'flash') {
  if (attention === 'flash') return {}
  const type = ({ plain: 'F16', 'plain-bf16': 'BF16', exact: 'F32' } as const)[attention]
  return { flashAttention: false, experimentalKvCacheKeyType: type, experimentalKvCacheValueType: type }
}

/** As many threads as cores: they wait for each other at every step, so one without a core slows all. */
function countThreads(llama: Llama): number {
  return Math.max(1, Math.min(llama.cpuMathCores, os.availableParallelism()))
}

function inner<T = unknown>(owner: object, name: string): T {
  const value = (owner as Record<string, unknown>)[name]
  if (value !== undefined) return value as T
  throw new UsageError(
    `this version of node-llama-cpp has no ${name}; install the tested one: npm install node-llama-cpp@3.22.1`,
  )
}

interface Dimensions {
  block_count: number
  embedding_length: number
  attention?: {
    head_count: number | number[]
    head_count_kv?: number | number[]
    key_length?: number
    value_length?: number
  }
}

/** Keys and values of every layer, two bytes each. Models without attention keep none. */
function measureCells({ block_count, embedding_length, attention }: Dimensions): number {
  if (!attention) return 0
  const most = (count: number | number[]) => (Array.isArray(count) ? Math.max(...count) : count)
  const heads = most(attention.head_count)
  const { key_length = embedding_length / heads, value_length = embedding_length / heads } = attention
  return block_count * most(attention.head_count_kv ?? heads) * (key_length + value_length) * 2
}
