/** Models in this process, through node-llama-cpp. All requests of an engine share one batch. */
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import type {
  CompletionRequest,
  Engine,
  EngineEvent,
  Message,
  TokenScore,
} from '../../core/provider/engine.ts'
import { EngineError, UsageError } from '../../core/provider/errors.ts'
import type { LimitedRequest } from './completion.ts'
import { type LoadOptions, loadNative, type NativeModel } from './native.ts'
import { createRenderer, renderRaw } from './prompt.ts'
import { asEngineError, startRequest } from './request.ts'
import { Scheduler } from './scheduler.ts'
import { SchemaProblem } from './schema.ts'
import { Scoring } from './score.ts'
import type { Task } from './sequence-pool.ts'
import { createCoreGauge } from './threads.ts'

/** How a model file is opened. */
export interface EmbeddedOptions extends LoadOptions {
  /** Default: the file's name. */
  id?: string
  /** The most completions decoded at once; default 24. Memory is taken for as many as are asked for. */
  sequences?: number
  /** Tokens that a prompt and its completion may have together; the model's own limit is the default and the maximum. */
  contextLength?: number
  /**
   * Bytes that open completions may take. Default: 2 GiB or the file's size, whichever is more, but at most a quarter
   * of the free memory.
   */
  memoryBytes?: number
  /** For base models: continues the messages' texts without a chat template. */
  raw?: boolean
  /** Tokens of each completion if nobody says how many. */
  defaultMaxTokens?: number
}

/** An engine in this process: it can count tokens and score texts. */
export interface EmbeddedEngine extends Engine {
  readonly contextLength: number
  /** Tokens evaluated so far, of prompts and completions. */
  readonly evaluatedTokens: number
  countTokens(messages: Message[]): Promise<number>
  score(messages: Message[], completion: string): Promise<TokenScore[]>
  close(): Promise<void>
}

/**
 * Opens a GGUF model. Close it to free its memory. Sampling settings that a request leaves out are llama.cpp's
 * own (topK 40, minP 0.05) or the paper's (temperature 0.7, topP 0.95); completions have 1024 tokens at most.
 * @throws UsageError if node-llama-cpp is missing, the file cannot be loaded, or a chat model has no template
 */
export async function openEmbedded(options: EmbeddedOptions): Promise<EmbeddedEngine> {
  const { file, raw = false, sequences = 24, vocabularyOnly = false } = options
  const { attention = 'flash', id: name = basename(file, '.gguf') } = options
  // A run is bound to the ids of its engines, and another attention writes other texts.
  const id = attention === 'flash' ? name : `${name} (attention: ${attention})`
  const { defaultMaxTokens = MAX_TOKENS } = options
  const cores = createCoreGauge()
  const model = await loadNative(options)
  const render = chooseRenderer(model, options, id)
  const contextLength = Math.min(options.contextLength ?? model.trainLength, model.trainLength)
  const memoryBytes = options.memoryBytes ?? (await chooseMemory(file))
  const scheduler = new Scheduler(model, { sequences, memoryBytes, contextLength, cores })
  const context = { id, model, scheduler, render, contextLength, isRaw: raw }
  let closing: Promise<void> | undefined
  const reason = new EngineError(id, 'aborted', 'the engine was closed')
  const checkOpen = () => {
    if (closing) throw reason
  }
  const checkWeights = () => {
    checkOpen()
    if (vocabularyOnly) throw new UsageError(`${id} was opened to count tokens only`)
  }
  return {
    id,
    contextLength,
    defaultMaxTokens,
    keepsToSchema: true,
    get evaluatedTokens() {
      return scheduler.evaluated
    },
    async *generate(request) {
      checkWeights()
      const sampling = { maxTokens: defaultMaxTokens, ...request.sampling }
      yield* generate(context, { ...request, sampling })
    },
    async countTokens(messages) {
      checkOpen()
      return render(messages).length
    },
    async score(messages, completion) {
      checkWeights()
      return score(context, messages, completion)
    },
    close() {
      closing ??= scheduler.close(reason).then(() => model.dispose())
      return closing
    },
  }
}

/** Tokens of a completion if neither the request nor the options say it. */
const MAX_TOKENS = 1_024

async function chooseMemory(file: string): Promise<number> {
  const { size } = await stat(file)
  return Math.min(process.availableMemory() / 4, Math.max(2 * 1024 ** 3, size))
}

type Render = ReturnType<typeof createRenderer>

interface Context {
  id: string
  model: NativeModel
  scheduler: Scheduler
  render: Render
  contextLength: number
  isRaw: boolean
}

function chooseRenderer(model: NativeModel, { raw, file }: EmbeddedOptions, id: string): Render {
  if (raw) return (messages) => renderRaw(model, messages, id)
  const { chatTemplate } = model
  if (chatTemplate) return createRenderer({ ...model, chatTemplate }, id)
  throw new UsageError(`${file}: has no chat template, as base models do not: open it with raw: true`)
}

async function* generate(context: Context, request: LimitedRequest): AsyncGenerator<EngineEvent> {
  const { id, model, scheduler, isRaw } = context
  const prompt = prepare(context, request)
  const grammar = await compileGrammar(context, request)
  const { job, events, fail } = startRequest(request, prompt, { engine: id, model, isRaw, grammar })
  const { signal } = request
  const onAbort = () => {
    fail(new EngineError(id, 'aborted', 'the request was aborted', { cause: signal?.reason }))
    scheduler.remove(job)
  }
  signal?.addEventListener('abort', onAbort, { once: true })
  if (signal?.aborted) onAbort()
  else scheduler.submit(job)
  try {
    yield* events
  } finally {
    signal?.removeEventListener('abort', onAbort)
    fail(new EngineError(id, 'aborted', 'the caller stopped reading'))
    scheduler.remove(job)
  }
}

/** The tokens of the prompt. @throws EngineError for a request that cannot be served */
function prepare({ id, render, contextLength }: Context, request: LimitedRequest): number[] {
  const { messages, tools, toolChoice, sampling } = request
  if (tools?.length && toolChoice !== 'none') {
    throw new EngineError(id, 'refused', 'models in this process do not support tools: use a server')
  }
  const prompt = render(messages)
  checkFits(id, prompt.length, sampling.maxTokens, contextLength)
  return prompt
}

function checkFits(id: string, prompt: number, maxTokens: number, context: number): void {
  if (prompt + maxTokens <= context) return
  const problem = `the prompt has ${prompt} tokens and ${maxTokens} are kept for the answer, but the context has ${context}`
  throw new EngineError(id, 'context-overflow', problem, { tokens: { prompt, context } })
}

async function compileGrammar({ id, model }: Context, { responseFormat }: CompletionRequest) {
  if (!responseFormat || responseFormat.type === 'text') return undefined
  const schema = responseFormat.type === 'json_schema' ? responseFormat.json_schema.schema : undefined
  try {
    return await model.compileGrammar(schema)
  } catch (cause) {
    if (cause instanceof SchemaProblem) {
      const place = ['response_format.json_schema.schema', cause.path].filter(Boolean).join('.')
      const problem = `${place}: ${cause.message} by models in this process: leave it out, or use a server`
      throw new EngineError(id, 'refused', problem, { param: 'response_format', cause })
    }
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new EngineError(id, 'refused', `the response format cannot be made into a grammar: ${reason}`, {
      param: 'response_format',
      cause,
    })
  }
}

async function score(context: Context, messages: Message[], completion: string): Promise<TokenScore[]> {
  const { id, model, scheduler, render, contextLength } = context
  const prompt = render(messages)
  const tokens = model.tokenize(completion)
  if (tokens.length === 0) return []
  checkFits(id, prompt.length, tokens.length, contextLength)
  const open = new Set<Task>()
  const { promise, resolve, reject } = Promise.withResolvers<TokenScore[]>()
  const reader = new Scoring(model, prompt, tokens, (scores) => {
    open.clear()
    resolve(scores)
  })
  open.add(reader)
  const length = reader.tokens.length
  const onFailure = (error: unknown) => reject(asEngineError(id, error))
  scheduler.submit({ reader, width: 1, length, priority: 0, waiting: [], open, onFailure })
  return promise.finally(() => reader.dispose())
}
