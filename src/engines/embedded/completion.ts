/** One completion: samples its tokens and emits their text. */
import type {
  CompletionRequest,
  EngineEvent,
  Sampling,
  TokenScore,
  Usage,
} from '../../core/provider/engine.ts'
import { EngineError } from '../../core/provider/errors.ts'
import { addContent, createTranscript, endTranscript, type Transcript } from '../transcript.ts'
import type { NativeContext, NativeModel, NativeSampler } from './native.ts'
import { scoreToken } from './score.ts'
import type { Task } from './sequence-pool.ts'
import { createTextStream, type TextStream } from './text-stream.ts'

/** A request whose completions have a limit. */
export interface LimitedRequest extends CompletionRequest {
  sampling: Sampling & { maxTokens: number }
}

/** What completions of one request share. */
export interface Shared {
  engine: string
  model: NativeModel
  request: LimitedRequest
  prompt: number[]
  /** There is no chat, so nothing is reasoning. */
  isRaw: boolean
  emit(event: EngineEvent): void
  /** Makes a grammar state, if the request asks for a format. */
  grammar?: () => unknown
  /** Prompt tokens evaluated so far. */
  prefilled(): number
  /** Called when a completion has ended or failed. */
  onEnd(completion: Completion): void
}

/** A completion is a task once its first token is known, which is sampled from the prompt's last logits. */
export class Completion implements Task {
  readonly tokens: number[]
  readonly promptLength: number
  readonly logitsFrom: number
  evaluated = 0
  isOpen = true
  readonly #shared: Shared
  readonly #index: number
  /** Made with the first token: each takes half a megabyte, and many requests may wait. */
  #sampler: NativeSampler | undefined
  #greedy: NativeSampler | undefined
  readonly #stream: TextStream
  readonly #transcript: Transcript
  readonly #scores: TokenScore[] = []
  #isSampling = false
  #count = 0

  constructor(shared: Shared, index: number) {
    const { model, request, prompt } = shared
    this.#shared = shared
    this.#index = index
    this.tokens = [...prompt]
    this.promptLength = prompt.length
    this.logitsFrom = prompt.length
    this.#stream = createTextStream(model.detokenize, request.stop?.filter(Boolean))
    this.#transcript = createTranscript(index, shared.emit, { isPlain: shared.isRaw })
  }

  async onLogits(context: NativeContext, rows: Uint32Array): Promise<void> {
    await this.sample(context, rows.at(-1) as number)
  }

  /** Samples the next token from a row of logits. It may end the completion. */
  async sample(context: NativeContext, row: number): Promise<void> {
    this.#isSampling = true
    const choice = await this.#choose(context, row).catch((error) => error as Error)
    this.#isSampling = false
    if (!this.isOpen) return this.#free()
    if (choice instanceof Error) return this.fail('server', choice.message, choice)
    const [token, score] = choice
    if (token < 0) return this.fail('server', 'the model gave no next token')
    this.#count++
    if (this.#shared.model.isEndOfGeneration(token)) return this.#end('stop')
    if (score) this.#scores.push(score)
    this.tokens.push(token)
    const { text, isStopped } = this.#stream.push(token)
    addContent(this.#transcript, text)
    if (isStopped) this.#end('stop')
    else if (this.#count >= this.#shared.request.sampling.maxTokens)
      this.#end(this.#isWhole() ? 'stop' : 'length')
  }

  /** Whether the format that was asked for is complete: only the end could follow. */
  #isWhole(): boolean {
    if (!this.#shared.grammar) return false
    try {
      return typeof JSON.parse(this.#transcript.text) === 'object'
    } catch {
      return false
    }
  }

  async #choose(context: NativeContext, row: number): Promise<[token: number, score?: TokenScore]> {
    const { model, request, grammar } = this.#shared
    this.#sampler ??= model.createSampler(samplerConfig(request, this.#index, grammar?.()))
    const token = await context.sampleToken(row, this.#sampler)
    if (token < 0 || request.logprobs === undefined) return [token]
    this.#greedy ??= model.createSampler({ temperature: 0 })
    return [token, await scoreToken(context, row, this.#greedy, token, this.#shared)]
  }

  /** Ends the completion without an answer. */
  fail(kind: EngineError['kind'], message: string, cause?: unknown): void {
    if (!this.isOpen) return
    this.#close()
    const error = new EngineError(this.#shared.engine, kind, message, { cause })
    this.#shared.emit({ type: 'completion-failed', index: this.#index, error, usage: this.#usage() })
    this.#shared.onEnd(this)
  }

  #end(finishReason: 'stop' | 'length'): void {
    addContent(this.#transcript, this.#stream.end())
    endTranscript(this.#transcript)
    this.#close()
    const { text, reasoning } = this.#transcript
    this.#shared.emit({
      type: 'completion-end',
      index: this.#index,
      text,
      ...(reasoning && { reasoning }),
      finishReason,
      usage: this.#usage(),
      ...(this.#shared.request.logprobs !== undefined && { logprobs: this.#scores }),
    })
    this.#shared.onEnd(this)
  }

  #close(): void {
    this.isOpen = false
    if (!this.#isSampling) this.#free()
  }

  /** Frees the samplers. Not to be called while another thread samples. */
  #free(): void {
    this.#sampler?.dispose()
    this.#greedy?.dispose()
  }

  #usage(): Usage {
    const { request, prompt, prefilled } = this.#shared
    const counts = { inputTokens: prompt.length, outputTokens: this.#count }
    if (this.#index > 0) return { calls: 0, prefilledTokens: 0, ...counts }
    return { calls: prefilled() > 0 ? 1 : 0, prefilledTokens: prefilled(), ...counts, sharedBy: request.n }
  }
}

/** The settings under the library's names. What is absent has the paper's value, or llama.cpp's own. */
function samplerConfig({ sampling, seeds }: CompletionRequest, index: number, grammar: unknown) {
  const { temperature = 0.7, topK = 40, topP = 0.95, minP = 0.05, maxTokens } = sampling
  const { frequencyPenalty = 0, presencePenalty = 0 } = sampling
  return {
    temperature,
    topK,
    topP,
    minP,
    seed: seeds[index] ?? index,
    ...((frequencyPenalty || presencePenalty) && {
      repeatPenalty: 1,
      repeatPenaltyTokens: new Uint32Array(),
      repeatPenaltyMaxTokens: maxTokens,
      repeatPenaltyPresencePenalty: presencePenalty,
      repeatPenaltyFrequencyPenalty: frequencyPenalty,
    }),
    ...(grammar !== undefined && { grammarEvaluationState: grammar }),
  }
}
