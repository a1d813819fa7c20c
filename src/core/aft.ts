/**
 * The whole algorithm: propose, then aggregate. A plan is a list of layers. A layer samples its completions in parallel.
 * Each of them is shown nothing of the layer before (it proposes), or some or all of it (it aggregates). Proposing is
 * aggregating over nothing, so one loop does both. Width 3 and depth 2 are three layers: three completions that see
 * nothing, three that see all of those, and one that sees all three again: the answer. Source: arXiv 2501.11877.
 */
import { agreement } from '../lib/text.ts'
import { chooseAnswer, judgeLayer } from './choose.ts'
import type { Host } from './host.ts'
import { runLayer } from './layer.ts'
import { enginesOf, type Plan, type Prompt } from './plan.ts'
import { UsageError } from './provider/errors.ts'
import { listMissing } from './provider/gaps.ts'
import type { Completion } from './provider/records.ts'
import { type LayerResult, listLeftovers, listUsable, type Result, summarize } from './result.ts'
import { judgeMessages } from './templates.ts'

/**
 * Answers one prompt.
 * @throws EngineError if the first layer gave no text (an error is never an answer), UsageError for a wrong plan or
 * request, or the signal's reason
 * @example
 * const plan = makePlan({ proposers: ['small'], width: 3, depth: 1 })
 * const { answer } = await answerPrompt(
 *   { id: '0', messages: [{ role: 'user', content: 'Why is the sky blue?' }] },
 *   plan,
 *   { engines: { small: engine }, template: defaultTemplate, clock: systemClock },
 * )
 */
export async function answerPrompt(prompt: Prompt, plan: Plan, host: Host): Promise<Result> {
  checkEngines(plan, host)
  const reached = await runLayers(prompt, plan, host)
  const { layers, proposals, from, agreed } = reached
  const judged = await judge(prompt, plan, host, proposals)
  const chosen = chooseAnswer(proposals, from, { prompt, plan, judged })
  const reasons = [...reached.reasons, ...chosen.degradedBecause]
  const result = summarize(layers, chosen, reasons, { plan, template: host.template, agreed })
  host.emit?.({ type: 'answer', result })
  return result
}

/** How far a prompt got. */
interface Reached {
  layers: LayerResult[]
  /** What the next layer is shown. After the last layer, the candidates for the answer. */
  proposals: Completion[]
  /** Index of the layer that wrote the proposals. */
  from: number
  /** Why the result is degraded, in words. */
  reasons: string[]
  /** How much the proposals agree, if the remaining layers were skipped for it. */
  agreed?: number
}

/** Runs the layers in turn, until the last one, or until the proposals agree. */
async function runLayers(prompt: Prompt, plan: Plan, host: Host): Promise<Reached> {
  const reached: Reached = { layers: [], proposals: [], from: 0, reasons: [] }
  for (const [layerIndex, layer] of plan.layers.entries()) {
    const isLast = layerIndex === plan.layers.length - 1
    const { proposals } = reached
    const result = await runLayer({ prompt, plan, host, layer, layerIndex, isLast, proposals })
    takeLayer(reached, result, isLast ? listSentRunaways(host, result) : [])
    if (reached.proposals.length === 0) return takeLeftovers(reached, plan, result)
    if (!isLast) reached.agreed = findAgreement(prompt, plan, reached.proposals)
    if (reached.agreed !== undefined) break
  }
  return reached
}

/** Shows the next layer what this one gave. If nothing is usable, the next is shown what this one was shown. */
function takeLayer(reached: Reached, result: LayerResult, sent: Completion[]): void {
  const layerIndex = reached.layers.length
  const given = [...listUsable(result, reached.proposals), ...sent]
  reached.layers.push(result)
  reached.reasons.push(...listMissing(result, layerIndex))
  if (sent.length > 0) reached.reasons.push('the answer repeats itself, and a part of it was sent already')
  if (given.length > 0) Object.assign(reached, { proposals: given, from: layerIndex })
  else if (layerIndex > 0) reached.reasons.push(`layer ${layerIndex + 1} gave nothing usable and was skipped`)
}

/** Completions that repeat themselves but still count: the client has already received a part of them. */
function listSentRunaways({ isSent }: Host, { completions }: LayerResult): Completion[] {
  return completions.filter((c) => c.excluded === 'runaway' && isSent?.(c.index))
}

/** If no proposal of the first layer is usable, the answer is chosen from its leftovers, and no layer follows. */
function takeLeftovers(reached: Reached, plan: Plan, layer: LayerResult): Reached {
  const proposals = listLeftovers(plan, layer)
  const isRunaway = proposals[0]?.excluded === 'runaway'
  const reasons = isRunaway ? [...reached.reasons, 'every proposal repeats itself'] : reached.reasons
  return { ...reached, proposals, reasons }
}

/**
 * Runs the judge, as one more layer. Undefined if the plan does not have one, or there is only one candidate. The judge
 * does not get the prompt's stop strings: they belong to the answer.
 */
async function judge({ id, messages }: Prompt, plan: Plan, host: Host, proposals: Completion[]) {
  const layer = judgeLayer(plan, proposals)
  if (!layer) return undefined
  const work = { prompt: { id, messages }, plan, host, layer, proposals, write: judgeMessages }
  return runLayer({ ...work, layerIndex: plan.layers.length, isLast: false })
}

/**
 * How much the proposals agree (0 to 1), if this is enough for the plan to skip the remaining layers. Prompts with tools
 * need the last layer: only it gets them.
 */
function findAgreement(prompt: Prompt, plan: Plan, proposals: Completion[]): number | undefined {
  if (plan.stopAtAgreement === undefined || prompt.tools || proposals.some((p) => p.excluded))
    return undefined
  const agreed = proposals.length > 1 ? agreement(proposals.map((p) => p.text)) : 0
  return agreed >= plan.stopAtAgreement ? agreed : undefined
}

function checkEngines(plan: Plan, { engines }: Host): void {
  for (const name of enginesOf(plan)) {
    if (engines[name]) continue
    const opened = Object.keys(engines).join(', ')
    const message = `the plan names the engine "${name}", which was not opened; there are: ${opened}`
    throw new UsageError(message, { code: 'unknown-engine' })
  }
}
