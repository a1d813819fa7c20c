/** What a format costs in quality: distributions of the next token, and greedy texts, compared with a reference. */
import type { LlamaModel, Token } from 'node-llama-cpp'
import { openLibrary } from '../test/native-library.ts'

/** Log probabilities (nats) at one place of a text: of the token that comes, and of the reference's likeliest. */
interface Place {
  next: number
  watched: Map<Token, number>
  likeliest: Token
}

export interface Reading {
  places: Place[]
  /** Greedy continuations, as token ids. */
  greedy: Token[][]
}

export interface Loss {
  perplexity: number
  /** Kullback-Leibler divergence from the reference in nats, over its 64 likeliest tokens and the rest as one. */
  divergence: { mean: number; p99: number; max: number }
  meanLogprobChange: number
  /** Percent of places with the same likeliest token, and of greedy tokens before the first difference. */
  sameToken: number
  sameGreedy: number
}

const WATCHED = 64
const GREEDY_TOKENS = 64
const TEXT_TOKENS = 256

export interface Row {
  instruction: string
  output: string
}

/** Reads all texts with one file. `batchSize` is the number of tokens that are computed together. */
export async function readWith(
  file: string,
  rows: Row[],
  options: { threads: number; batchSize?: number; reference?: Reading },
): Promise<Reading> {
  const { threads, batchSize = 256, reference } = options
  const llama = await openLibrary(threads)
  const model = await llama.loadModel({ modelPath: file })
  const context = await model.createContext({ contextSize: 1024, batchSize, threads })
  const sequence = context.getSequence()
  const reading: Reading = { places: [], greedy: [] }
  for (const row of rows) {
    const prompt = tokenizePrompt(model, row)
    const tokens = [...prompt, ...model.tokenize(row.output)].slice(0, TEXT_TOKENS)
    const asked = tokens.slice(0, -1).map((token, i): [Token, object] => {
      const watched = reference?.places[reading.places.length + i]?.watched.keys() ?? []
      const filter = { tokens: [tokens[i + 1] as Token, ...watched], includeTop: reference ? 1 : WATCHED }
      const generateNext = { totalLogitWeight: true, logits: { filter }, options: plainSampling }
      return [token, { generateNext }]
    })
    await sequence.clearHistory()
    const results = await sequence.controlledEvaluate(asked)
    for (const [i, result] of results.entries()) {
      const { logits, totalLogitWeight = 1 } = result?.next ?? {}
      const [likeliest, most] = [...(logits ?? [])].reduce((a, b) => (b[1] > a[1] ? b : a))
      const base = most + Math.log(totalLogitWeight)
      const watched = new Map([...(logits ?? [])].map(([token, logit]) => [token, logit - base]))
      reading.places.push({ next: watched.get(tokens[i + 1] as Token) as number, watched, likeliest })
    }
    await sequence.clearHistory()
    reading.greedy.push(await continueGreedily(sequence, prompt))
  }
  await model.dispose()
  await llama.dispose()
  return reading
}

const plainSampling = { temperature: 1, topK: 0, topP: 1, minP: 0 }

function tokenizePrompt(model: LlamaModel, { instruction }: Row): Token[] {
  return model.tokenize(`<|im_start|>user\n${instruction}<|im_end|>\n<|im_start|>assistant\n`, true)
}

async function continueGreedily(
  sequence: { evaluate(tokens: Token[], options: { temperature: number }): AsyncIterable<Token> },
  prompt: Token[],
): Promise<Token[]> {
  const tokens: Token[] = []
  for await (const token of sequence.evaluate(prompt.slice(0, TEXT_TOKENS), { temperature: 0 })) {
    if (tokens.push(token) === GREEDY_TOKENS) break
  }
  return tokens
}

/** How far one reading is from another of the same texts. */
export function compareReadings(reading: Reading, reference: Reading): Loss {
  const places = reading.places.map((place, i) => [place, reference.places[i] as Place] as const)
  const divergences = places
    .map(([place, from]) => diverge(from.watched, place.watched))
    .sort((a, b) => a - b)
  const share = (hits: number, all: number) => (100 * hits) / all
  const greedy = reading.greedy.map((tokens, i) => countCommon(tokens, reference.greedy[i] ?? []))
  return {
    perplexity: Math.exp(-mean(places.map(([place]) => place.next))),
    divergence: {
      mean: mean(divergences),
      p99: divergences[Math.floor(divergences.length * 0.99)] as number,
      max: divergences.at(-1) as number,
    },
    meanLogprobChange: mean(places.map(([place, from]) => Math.abs(place.next - from.next))),
    sameToken: share(
      places.filter(([place, from]) => place.likeliest === from.likeliest).length,
      places.length,
    ),
    sameGreedy: share(
      greedy.reduce((a, b) => a + b, 0),
      reference.greedy.flat().length,
    ),
  }
}

function diverge(from: Map<Token, number>, to: Map<Token, number>): number {
  let [sum, fromRest, toRest] = [0, 1, 1]
  for (const [token, logprob] of from) {
    const other = to.get(token)
    if (other === undefined) continue // not asked for there: a part of the rest
    sum += Math.exp(logprob) * (logprob - other)
    fromRest -= Math.exp(logprob)
    toRest -= Math.exp(other)
  }
  return fromRest > 1e-9 && toRest > 1e-9 ? sum + fromRest * Math.log(fromRest / toRest) : sum
}

function countCommon(a: Token[], b: Token[]): number {
  const at = a.findIndex((token, i) => token !== b[i])
  return at < 0 ? a.length : at
}

function mean(values: number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length
}
