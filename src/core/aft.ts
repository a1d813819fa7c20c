/**
 * Propose and aggregate, whole. A plan is a list of layers. Each layer samples its voices in parallel, and each
 * voice is shown proposals of the layer before: none of them (it proposes) or some (it aggregates). Proposing is
 * aggregating over nothing, so there is one loop. Source of the method: arXiv 2501.11877.
 */
import { agreement } from '../lib/text.ts'
import { chooseAnswer, judgeLayer } from './choose.ts'
import type { Host } from './host.ts'
import { runLayer } from './layer.ts'
import { enginesOf, type Plan, type Prompt } from './plan.ts'
import { UsageError } from './provider/errors.ts'
import {
  type Completion,
  type LayerResult,
  listLeftovers,
  listMissing,
  type Result,
  summarize,
} from './result.ts'
import { judgeMessages } from './templates.ts'

/**
 * Answers one prompt.
 * @throws EngineError if no layer gave a text (an error is never an answer), UsageError for a wrong plan or request,
 * or the signal's reason
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

/** How far a prompt got: the usable completions of the last layer that has some, never none. */
interface Reached {
  layers: LayerResult[]
  proposals: Completion[]
  /** The layer that the proposals are of. */
  from: number
  /** What went wrong, in words. */
  reasons: string[]
  /** How much the proposals agree, if that ended the layers. */
  agreed?: number
}

/** Layer after layer. One that gives nothing usable is skipped: the next is shown what that one was shown. */
async function runLayers(prompt: Prompt, plan: Plan, host: Host): Promise<Reached> {
  const reached: Reached = { layers: [], proposals: [], from: 0, reasons: [] }
  for (const [depth, layer] of plan.layers.entries()) {
    const isLast = depth === plan.layers.length - 1
    const result = await runLayer({ prompt, plan, host, layer, depth, isLast, proposals: reached.proposals })
    reached.layers.push(result)
    reached.reasons.push(...listMissing(result, depth))
    const usable = result.completions.filter((c) => !c.excluded)
    const sent = isLast ? listSent(host, result) : []
    if (sent.length > 0) reached.reasons.push('the answer repeats itself, and a part of it was sent already')
    if (usable.length + sent.length > 0) [reached.proposals, reached.from] = [[...usable, ...sent], depth]
    else if (depth > 0) reached.reasons.push(`layer ${depth + 1} gave nothing usable and was skipped`)
    else return takeLeftovers(reached, plan, result)
    if (!isLast) reached.agreed = findAgreement(prompt, plan, usable)
    if (reached.agreed !== undefined) break
  }
  return reached
}

/** What a reader has seen cannot be taken back, even if it repeats itself. */
function listSent({ isSent }: Host, { completions }: LayerResult): Completion[] {
  return completions.filter((c) => c.excluded === 'runaway' && isSent?.(c.index))
}

/** If no proposal is usable, those that hold text at least stand in; see `listLeftovers` for when there are none. */
function takeLeftovers(reached: Reached, plan: Plan, layer: LayerResult): Reached {
  const proposals = listLeftovers(plan, layer)
  const isRunaway = proposals[0]?.excluded === 'runaway'
  const reasons = isRunaway ? [...reached.reasons, 'every proposal repeats itself'] : reached.reasons
  return { ...reached, proposals, reasons }
}

/** A judge is a layer after the last, if the plan names one and there is something to choose. */
async function judge({ id, messages }: Prompt, plan: Plan, host: Host, proposals: Completion[]) {
  const layer = judgeLayer(plan, proposals)
  if (!layer) return undefined
  const work = { prompt: { id, messages }, plan, host, layer, proposals, write: judgeMessages }
  return runLayer({ ...work, depth: plan.layers.length, isLast: false })
}

/** How much the proposals agree (0 to 1), if the plan lets that end the layers. */
function findAgreement(prompt: Prompt, plan: Plan, proposals: Completion[]): number | undefined {
  if (plan.stopAtAgreement === undefined || prompt.tools || prompt.responseFormat) return undefined
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
