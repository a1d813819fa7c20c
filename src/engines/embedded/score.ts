/** Log probabilities, in nats, of the model itself: at temperature 1, without filters. */
import type { TokenScore } from '../../core/provider/engine.ts'
import type { NativeContext, NativeModel, NativeSampler } from './native.ts'
import type { Task } from './sequence-pool.ts'

/** What a score is made with. */
export interface ScoreOptions {
  model: NativeModel
  request?: { logprobs?: number }
}

/**
 * The score of `token` by a row of logits. `greedy` is a greedy sampler: it selects the greatest logit, and the
 * library's total weight is relative to that. (Its own filter for the maximum is wrong in 3.22.1.)
 */
export async function scoreToken(
  context: NativeContext,
  row: number,
  greedy: NativeSampler,
  token: number,
  { model, request }: ScoreOptions,
): Promise<TokenScore> {
  const top = request?.logprobs ?? 0
  const filter: [number[], boolean, boolean, boolean, number] = [[token], false, false, true, top]
  const [best, , , pairs, weight] = await context.sampleToken(row, greedy, false, false, filter, true)
  const logits = new Map<number, number>()
  for (let i = 0; i < pairs.length; i += 2) logits.set(pairs[i] as number, pairs[i + 1] as number)
  const base = (logits.get(best) ?? 0) + Math.log(weight)
  const scoreOf = (id: number) => ({
    token: model.detokenize([id]),
    logprob: (logits.get(id) ?? -Infinity) - base,
  })
  if (top === 0) return scoreOf(token)
  const ranked = [...logits.keys()].sort((a, b) => (logits.get(b) ?? 0) - (logits.get(a) ?? 0))
  return { ...scoreOf(token), top: ranked.slice(0, top).map(scoreOf) }
}

/** Reads a prompt and a completion, and scores the completion. `done` gets one score per token of it. */
export class Scoring implements Task {
  readonly tokens: number[]
  readonly promptLength: number
  readonly logitsFrom: number
  evaluated = 0
  readonly #last: number
  readonly #model: NativeModel
  readonly #done: (scores: TokenScore[]) => void
  readonly #greedy: NativeSampler
  readonly #scores: TokenScore[] = []

  constructor(
    model: NativeModel,
    prompt: number[],
    completion: number[],
    done: (scores: TokenScore[]) => void,
  ) {
    this.#model = model
    // The logits after the last token say nothing about it.
    this.tokens = [...prompt, ...completion].slice(0, -1)
    this.promptLength = this.tokens.length
    this.logitsFrom = prompt.length - 1
    this.#last = completion.at(-1) as number
    this.#done = done
    this.#greedy = model.createSampler({ temperature: 0 })
  }

  async onLogits(context: NativeContext, rows: Uint32Array, position: number): Promise<void> {
    for (const [i, row] of rows.entries()) {
      const next = this.tokens[position + i + 1] ?? this.#last
      this.#scores.push(await scoreToken(context, row, this.#greedy, next, { model: this.#model }))
    }
    if (position + rows.length === this.tokens.length) this.#done(this.#scores)
  }

  dispose(): void {
    this.#greedy.dispose()
  }
}
