/** One completion: samples its tokens and tells what they say. */
import type { CompletionRequest, EngineEvent, TokenScore, Usage } from '../../core/provider/engine.ts'
import { EngineError } from '../../core/provider/errors.ts'
import { createReasoningSplitter, type ReasoningPart, type ReasoningSplitter } from '../reasoning.ts'
import type { Task } from './sequence-pool.ts'
import type { NativeContext, NativeModel, NativeSampler } from './native.ts'
import { scoreToken } from './score.ts'
import { createTextStream, type TextStream } from './text-stream.ts'

/** What completions of one request share. */
export interface Shared {
  engine: string
  model: NativeModel
  request: CompletionRequest
  prompt: number[]
  /** No chat, so nothing is reasoning. */
  isRaw: boolean
  emit(event: EngineEvent): void
  /** A new grammar state, where the answer's form is asked for. */
  grammar?: () => unknown
  /** Prompt tokens evaluated so far. */
  prefilled(): number
  /** A completion has ended, one way or the other. */
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
  /** Made when the first token is sampled: each takes half a megabyte, and many requests may wait. */
  #sampler: NativeSampler | undefined
  #judge: NativeSampler | undefined
  readonly #stream: TextStream
  readonly #splitter: ReasoningSplitter
  readonly #scores: TokenScore[] = []
  #isSampling = false
  #text = ''
  #reasoning = ''
  #count = 0

  constructor(shared: Shared, index: number) {
    const { model, request, prompt } = shared
    this.#shared = shared
    this.#index = index
    this.tokens = [...prompt]
    this.promptLength = prompt.length
    this.logitsFrom = prompt.length
    this.#stream = createTextStream(model.detokenize, request.stop?.filter(Boolean))
    const say = (part: ReasoningPart, text: string) => this.#say(part, text)
    const asText = { push: (text: string) => text && say('text', text), end: () => {} }
    this.#splitter = shared.isRaw ? asText : createReasoningSplitter(say)
  }

  async onLogits(context: NativeContext, rows: Uint32Array): Promise<void> {
    await this.sample(context, rows.at(-1) as number)
  }

  /** Takes the next token from a row of logits. The completion may end by it. */
  async sample(context: NativeContext, row: number): Promise<void> {
    this.#isSampling = true
    const choice = await this.#choose(context, row).catch((error) => error as Error)
    this.#isSampling = false
    if (!this.isOpen) return this.#free()
    if (choice instanceof Error) return this.fail('server', choice.message, choice)
    const [token, score] = choice
    if (token < 0) return this.fail('server', 'the model gave no token to go on with')
    this.#count++
    if (this.#shared.model.isEndOfGeneration(token)) return this.#end('stop')
    if (score) this.#scores.push(score)
    this.tokens.push(token)
    const { text, isStopped } = this.#stream.push(token)
    this.#splitter.push(text)
    if (isStopped) this.#end('stop')
    else if (this.#count >= this.#shared.request.sampling.maxTokens) this.#end('length')
  }

  async #choose(context: NativeContext, row: number): Promise<[token: number, score?: TokenScore]> {
    const { model, request, grammar } = this.#shared
    this.#sampler ??= model.createSampler(samplerConfig(request, this.#index, grammar?.()))
    const token = await context.sampleToken(row, this.#sampler)
    if (token < 0 || request.logprobs === undefined) return [token]
    this.#judge ??= model.createSampler({ temperature: 0 })
    return [token, await scoreToken(context, row, this.#judge, token, this.#shared)]
  }

  /** Ends it without an answer. */
  fail(kind: EngineError['kind'], message: string, cause?: unknown): void {
    if (!this.isOpen) return
    this.#close()
    const error = new EngineError(this.#shared.engine, kind, message, { cause })
    this.#shared.emit({ type: 'completion-failed', index: this.#index, error, usage: this.#usage() })
    this.#shared.onEnd(this)
  }

  #end(finishReason: 'stop' | 'length'): void {
    this.#splitter.push(this.#stream.end())
    this.#splitter.end()
    this.#close()
    this.#shared.emit({
      type: 'completion-end',
      index: this.#index,
      text: this.#text,
      ...(this.#reasoning && { reasoning: this.#reasoning }),
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

  /** Not while another thread samples. */
  #free(): void {
    this.#sampler?.dispose()
    this.#judge?.dispose()
  }

  #say(part: ReasoningPart, text: string): void {
    const { emit } = this.#shared
    const index = this.#index
    if (part === 'text') {
      this.#text += text
      emit({ type: 'completion-delta', index, text })
    } else if (part === 'reasoning') {
      this.#reasoning += text
      emit({ type: 'reasoning-delta', index, text })
    } else {
      emit({ type: 'completion-restarted', index, reason: 'the text so far was reasoning' })
      const thoughts = this.#text
      ;[this.#text, this.#reasoning] = ['', '']
      if (thoughts) this.#say('reasoning', thoughts)
    }
  }

  #usage(): Usage {
    const { request, prompt, prefilled } = this.#shared
    const counts = { inputTokens: prompt.length, outputTokens: this.#count }
    if (this.#index > 0) return { calls: 0, prefilledTokens: 0, ...counts }
    return { calls: prefilled() > 0 ? 1 : 0, prefilledTokens: prefilled(), ...counts, sharedBy: request.n }
  }
}

/** The library's names for the settings. Where none is given, llama.cpp's own values hold. */
function samplerConfig({ sampling, seeds }: CompletionRequest, index: number, grammar: unknown) {
  const { temperature = 0.8, topK = 40, topP = 0.95, minP = 0.05, maxTokens } = sampling
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
