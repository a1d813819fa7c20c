/** One HTTP request for some completions, and what comes of it. */
import type {
  CompletionEnd,
  CompletionRequest,
  EngineEvent,
  TokenScore,
  Usage,
} from '../../core/provider/engine.ts'
import { type Choice, createDraft, takeChunk, toFinishReason } from './choice.ts'
import type { Batch, ChunkChoice, WireUsage } from './chunks.ts'
import { errorFromChunk } from './trouble.ts'
import { accountFor } from './usage.ts'

export interface Exchange {
  id: string
  apiKey?: string
  request: CompletionRequest
  choices: Choice[]
  /** What is to be told to the caller. */
  events: EngineEvent[]
  /** Completions that ended, and whose usage is not known yet. */
  unsettled: Choice[]
  /** Completions with an end event. */
  ended: Set<Choice>
  /** Usage that came without saying for whom. */
  told?: WireUsage
  /** The server said that it has said everything. */
  isDone: boolean
  /** Output tokens of completions that ended on an estimate. */
  guessedTokens: number
}

/** Begins anew with each of the choices. */
export function beginExchange(
  job: { id: string; apiKey?: string; request: CompletionRequest },
  choices: Choice[],
): Exchange {
  const exchange: Exchange = {
    ...job,
    choices,
    events: [],
    unsettled: [],
    ended: new Set(),
    isDone: false,
    guessedTokens: 0,
  }
  for (const choice of choices) {
    choice.draft = createDraft(choice.index, (event) => exchange.events.push(event))
    choice.startMs ??= performance.now()
  }
  if (choices[0]) choices[0].calls++
  return exchange
}

/** Whether nothing more is to be expected. */
export function isComplete({ choices, ended, isDone }: Exchange): boolean {
  return isDone || ended.size === choices.length
}

/** Whether all completions ended, and only their usage may still come. */
export function isTail({ choices }: Exchange): boolean {
  return choices.every(({ draft }) => draft.finishReason !== undefined)
}

/**
 * Takes in what a read brought, and returns how many completions it ended.
 * @throws EngineError for an error object in the stream
 */
export function takeBatch(exchange: Exchange, batch: Batch): number {
  let endedNow = 0
  for (const chunk of batch.chunks) {
    const error = chunk.object === 'error' ? chunk : chunk.error
    if (error) throw errorFromChunk(exchange.id, error, exchange.apiKey)
    const wires = chunk.choices ?? []
    for (const wire of wires) if (wire && takeWire(exchange, wire)) endedNow++
    if (!chunk.usage) continue
    exchange.told = chunk.usage
    // A chunk of its own stands for all that ended since the last one: llama-server sends one after each completion.
    if (wires.length === 0) settle(exchange)
  }
  if (batch.isDone) exchange.isDone = true
  if (exchange.request.endsEarly && !isTail(exchange)) settleEarly(exchange)
  return endedNow
}

function takeWire(exchange: Exchange, wire: ChunkChoice): boolean {
  const choice = exchange.choices[wire.index ?? 0]
  if (!choice || choice.draft.finishReason !== undefined) return false
  takeChunk(choice, wire, (event) => exchange.events.push(event))
  if (choice.draft.finishReason === undefined) return false
  if (toFinishReason(choice.draft)) exchange.unsettled.push(choice)
  return true
}

/** Ends the completions whose usage was awaited, with what the server told since the last time, if anything. */
export function settle(exchange: Exchange): void {
  const { request, choices, unsettled, told, guessedTokens } = exchange
  if (unsettled.length === 0) return
  const sum = told?.completion_tokens ?? undefined
  const rest = sum === undefined ? told : { ...told, completion_tokens: Math.max(0, sum - guessedTokens) }
  unsettled.sort((a, b) => a.index - b.index)
  const usages = accountFor(unsettled, rest, request)
  for (const [i, choice] of unsettled.entries()) {
    const usage = usages[i] as Usage
    if (usage.calls > 0) usage.sharedBy = choices.filter(({ draft }) => draft.hasCome).length
    exchange.events.push(toEnd(choice, usage, request))
    exchange.ended.add(choice)
  }
  exchange.unsettled = []
  exchange.told = undefined
}

/** Ends completions before their server tells what they took; the last one's share is right again. */
function settleEarly(exchange: Exchange): void {
  const from = exchange.events.length
  exchange.told = undefined
  settle(exchange)
  for (const event of exchange.events.slice(from)) {
    if (event.type === 'completion-end') exchange.guessedTokens += event.usage.outputTokens
  }
}

function toEnd(
  { index, draft, startMs = 0 }: Choice,
  usage: Usage,
  request: CompletionRequest,
): CompletionEnd {
  const { text, reasoning, toolCalls, logprobs, endMs = 0 } = draft
  return {
    type: 'completion-end',
    index,
    text,
    ...(reasoning !== '' && { reasoning }),
    ...(toolCalls.length > 0 && { toolCalls }),
    finishReason: toFinishReason(draft) ?? 'stop',
    usage,
    ...(request.logprobs !== undefined && {
      logprobs: logprobs.map((s) => cutTop(s, request.logprobs ?? 0)),
    }),
    ms: Math.round(endMs - startMs),
  }
}

function cutTop({ token, logprob, top }: TokenScore, count: number): TokenScore {
  return { token, logprob, ...(top && count > 0 && { top: top.slice(0, count) }) }
}
