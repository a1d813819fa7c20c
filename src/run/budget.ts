/** Keeps a run within its budget: bounds what a prompt may cost before it starts, and counts what was spent. */
import { countMembers, enginesOf, type Layer, type Plan, type Prompt } from '../core/plan.ts'
import { isJson, type Message, textOf, type Usage } from '../core/provider/engine.ts'
import type { Template } from '../core/provider/template.ts'

/** US dollars per million tokens. */
export interface Price {
  inputPerMTok: number
  outputPerMTok: number
}

/** Limits for everything that a journal holds, earlier runs included. */
export interface Budget {
  /** US dollars. */
  maxCost?: number
  /** Tokens read and written. A prompt that several completions share in one request is read once. */
  maxTokens?: number
}

/** Tokens as they are billed, and what they cost; `cost` is absent if a price is unknown. */
export interface Spending {
  calls: number
  completions: number
  inputTokens: number
  outputTokens: number
  cost?: number
}

/** A spending of zero. */
export const nothingSpent: Readonly<Spending> = {
  calls: 0,
  completions: 0,
  inputTokens: 0,
  outputTokens: 0,
  cost: 0,
}

/** The sum of two spendings; without a cost if one does not have a cost. */
export function addSpending(a: Spending, b: Spending): Spending {
  return {
    calls: a.calls + b.calls,
    completions: a.completions + b.completions,
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    cost: a.cost === undefined || b.cost === undefined ? undefined : a.cost + b.cost,
  }
}

/**
 * What one completion cost. The prompt counts once per request, at the completion that carries `calls`. A cost that the
 * provider reports is used instead of the price.
 */
export function spendingOf(usage: Usage, price: Price | undefined): Spending {
  const { calls, outputTokens, repeated, cost } = usage
  const requests = calls + (repeated?.calls ?? 0)
  const inputTokens = requests > 0 ? usage.inputTokens : 0
  return withCost({ calls: requests, completions: 1, inputTokens, outputTokens, cost }, price)
}

function withCost(spending: Spending, price: Price | undefined): Spending {
  if (spending.cost !== undefined || !price) return spending
  const { inputTokens, outputTokens } = spending
  return { ...spending, cost: (inputTokens * price.inputPerMTok + outputTokens * price.outputPerMTok) / 1e6 }
}

/** What a bound depends on besides the prompt. */
export interface BoundOptions {
  plan: Plan
  template: Template
  prices: Record<string, Price | undefined>
  bytesPerToken?: number
  imageTokens?: number
  requestTokens?: number
}

/**
 * The most that one prompt costs if no request is repeated: every completion has its full length, and each request is
 * sent once for all its samples. Each completion that is asked for as JSON is repaired once.
 * @param bytesPerToken of text: 4 is usual, 1 the least
 * @param imageTokens of an image, and at least of a sound, a video or a file
 * @param requestTokens what the server's chat template adds to a request
 */
export function boundSpending(
  { messages, tools, responseFormat }: Pick<Prompt, 'messages' | 'tools' | 'responseFormat'>,
  { plan, template, prices, bytesPerToken = 4, imageTokens = 1_600, requestTokens = 0 }: BoundOptions,
): Spending {
  const tokensIn = (text: string) => Math.ceil(Buffer.byteLength(text) / bytesPerToken)
  const called = messages.flatMap(({ tool_calls: calls }) => calls ?? [])
  const others = [...(tools ?? []), ...called].map((one) => tokensIn(JSON.stringify(one)))
  const read = messages.map(
    (message) => tokensIn(textOf(message)) + 4 + tokensBesidesText(message, imageTokens),
  )
  const own = [...read, ...others].reduce((sum, tokens) => sum + tokens, requestTokens)
  const instruction = tokensIn(template.aggregatorSystem)
  let total: Spending = nothingSpent
  for (const [depth, layer] of plan.layers.entries()) {
    const before = plan.layers[depth - 1]
    const shown = before ? seenBy(layer, before) * longest(before) + instruction : 0
    const isForm = isJson(responseFormat) && (depth === plan.layers.length - 1 || !tools?.length)
    for (const { engine, n, sampling } of layer.voices) {
      const longest = sampling.maxTokens ?? ASSUMED_TOKENS
      const calls = typeof layer.see === 'object' ? n : 1
      const repairs = isForm ? n : 0
      const repair = own + shown + longest + tokensIn(JSON.stringify(responseFormat) ?? '') + PROBLEM_TOKENS
      const tokens = {
        inputTokens: calls * (own + shown) + repairs * repair,
        outputTokens: (n + repairs) * longest,
      }
      const spending = { calls: calls + repairs, completions: n, ...tokens }
      total = addSpending(total, withCost(spending, prices[engine]))
    }
  }
  const last = plan.layers.at(-1)
  if (typeof plan.choose !== 'object' || !last) return total
  const inputTokens = own + instruction + countMembers(last) * longest(last)
  const outputTokens = plan.choose.sampling?.maxTokens ?? plan.choose.maxTokens ?? ASSUMED_TOKENS
  const judgment = { calls: 1, completions: 1, inputTokens, outputTokens }
  return addSpending(total, withCost(judgment, prices[plan.choose.judge]))
}

/** Bytes per token of a sound or a video, in base64: the servers read more than that of the usual formats for a token. */
const MEDIA_BYTES_PER_TOKEN = 64

/** Tokens of what is no text. How many an image has depends on its size and the model, and a link does not say. */
function tokensBesidesText({ content }: Message, imageTokens: number): number {
  let tokens = 0
  for (const part of Array.isArray(content) ? content : []) {
    if (part.type === 'image_url') tokens += imageTokens
    else if (part.type !== 'text')
      tokens += Math.max(imageTokens, JSON.stringify(part).length / MEDIA_BYTES_PER_TOKEN)
  }
  return Math.ceil(tokens)
}

/** Tokens that say what is wrong with a reply. */
const PROBLEM_TOKENS = 600

/** Tokens of a completion without a limit. One that needs more raises the bounds of the prompts that follow. */
const ASSUMED_TOKENS = 4_096

function seenBy({ see }: Layer, before: Layer): number {
  if (see === 'nothing') return 0
  return see === 'all' ? countMembers(before) : Math.min(see.sample, countMembers(before))
}

function longest({ voices }: Layer): number {
  return Math.max(...voices.map((voice) => voice.sampling.maxTokens ?? ASSUMED_TOKENS))
}

/** Engines of a plan whose price is not known. */
export function unpricedEngines(plan: Plan, prices: Record<string, Price | undefined>): string[] {
  return enginesOf(plan).filter((name) => !prices[name])
}

/** Decides whether another prompt may start: it and all that run must be able to end within the budget. */
export interface Ledger {
  readonly spent: Spending
  /** Adds to what was spent. */
  spend(spending: Spending): void
  /** Whether the budget has room for a prompt that may take `bound`, besides the prompts that run. */
  fits(bound: Spending): boolean
  /** Reserves `bound` for a prompt. Call the returned function at its end, with what it took. */
  reserve(bound: Spending): (took: Spending) => void
}

/**
 * Makes a ledger with nothing spent. It errs on the safe side. What a running prompt has spent counts twice until it
 * ends. If a prompt takes more than its bound (a token had less than 4 bytes, a request was repeated), later bounds are
 * raised by the same factor.
 */
export function createLedger({ maxCost = Infinity, maxTokens = Infinity }: Budget): Ledger {
  let spent: Spending = nothingSpent
  let [reservedTokens, reservedCost, excess] = [0, 0, 1]
  return {
    get spent() {
      return spent
    },
    spend(spending) {
      spent = addSpending(spent, spending)
    },
    fits(bound) {
      const tokens = tokensOf(spent) + reservedTokens + excess * tokensOf(bound)
      const cost = costOf(spent) + reservedCost + excess * costOf(bound)
      return tokens <= maxTokens && cost <= maxCost
    },
    reserve(bound) {
      const [tokens, cost] = [excess * tokensOf(bound), excess * costOf(bound)]
      reservedTokens += tokens
      reservedCost += cost
      return (took) => {
        reservedTokens -= tokens
        reservedCost -= cost
        excess = Math.max(
          excess,
          tokensOf(took) / tokensOf(bound),
          costOf(took) / (costOf(bound) || Infinity),
        )
      }
    },
  }
}

function tokensOf({ inputTokens, outputTokens }: Spending): number {
  return inputTokens + outputTokens
}

function costOf({ cost = 0 }: Spending): number {
  return cost
}
