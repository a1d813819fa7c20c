/** Computes the most that an evaluation can take, before it starts. A token counts as 4 bytes of text. */
import type { Plan } from '../core/plan.ts'
import type { Template } from '../core/provider/template.ts'
import { makePlan } from '../plans/strategies.ts'
import { addSpending, boundSpending, nothingSpent, type Price, type Spending } from '../run/budget.ts'
import { type PlannedControl, samplerOf } from './controls.ts'
import { askForRating, gradeMessages, type MtBench, type MtBenchQuestion } from './mt-bench.ts'
import { REPLY_MAX_TOKENS } from './mt-bench-run.ts'
import type { Question } from './task.ts'

interface Bound {
  template: Template
  prices: Record<string, Price | undefined>
}

/** Bounds all controls of all questions. Proposals that controls share are paid once. */
export function boundControls(
  questions: Question[],
  plans: Map<PlannedControl, Plan>,
  { template, trainedTemplate, prices }: Bound & { trainedTemplate: Template },
): Spending {
  let total = nothingSpent
  const sampler = samplerOf(plans)
  for (const question of questions) {
    for (const [name, plan] of plans) {
      const over = { template: name === 'trained' ? trainedTemplate : template, prices }
      const bound = (plan: Plan) => boundSpending(question, { plan, ...over })
      if (name === 'majority-same' && sampler !== name) {
        total = addSpending(total, bound(leaveOut(plan, plans.get(sampler) as Plan)))
        continue
      }
      const shared = [sampler, 'single-long'].includes(name) ? nothingSpent : bound(firstLayer(plan))
      total = addSpending(total, subtract(bound(plan), shared))
    }
  }
  return total
}

/** Bounds all points of a grid. All share the proposals of the widest; points of one width share the deepest's layers. */
export function boundGrid(
  questions: Question[],
  { widths, depths, planOf, ...over }: Bound & { widths: number[]; depths: number[]; planOf: PlanOf },
): Spending {
  const deep = depths.filter((depth) => depth > 0)
  const [widest, deepest] = [Math.max(...widths), Math.max(...deep)]
  let total = nothingSpent
  for (const question of questions) {
    const bound = (plan: Plan) => boundSpending(question, { plan, ...over })
    if (deep.length === 0) total = addSpending(total, bound(planOf(1, 0)))
    for (const width of widths) {
      for (const depth of deep) {
        const plan = planOf(width, depth)
        const known =
          depth < deepest ? plan.layers.slice(0, -1) : width < widest ? plan.layers.slice(0, 1) : []
        const shared = known.length > 0 ? bound({ ...plan, layers: known, choose: 'last' }) : nothingSpent
        total = addSpending(total, subtract(bound(plan), shared))
      }
    }
  }
  return total
}

type PlanOf = (width: number, depth: number) => Plan

/** Bounds both turns and both grades of all questions. Each answer counts as long as it may be. */
export function boundMtBench(
  bench: MtBench,
  questions: MtBenchQuestion[],
  { planOf, judge, ...over }: Bound & { planOf(category: string): Plan; judge: Judge },
): Spending {
  const grade = (maxTokens: number) => makePlan({ strategy: 'single', proposers: [judge.engine], maxTokens })
  const [judging, replying] = [grade(judge.maxTokens), grade(REPLY_MAX_TOKENS)]
  const judgment = { role: 'assistant' as const, content: 'x'.repeat(4 * judge.maxTokens) }
  const user = (content: string) => ({ role: 'user' as const, content })
  let total = nothingSpent
  for (const question of questions) {
    const plan = planOf(question.category)
    const [one, two] = question.turns
    const answer = 'x'.repeat(4 * (plan.layers.at(-1)?.voices[0]?.sampling.maxTokens ?? 0))
    const asked = [[user(one)], [user(one), { role: 'assistant' as const, content: answer }, user(two)]]
    for (const messages of asked) total = addSpending(total, boundSpending({ messages }, { plan, ...over }))
    for (const turn of [1, 2] as const) {
      const messages = gradeMessages(bench, question, [answer, answer], turn)
      total = addSpending(total, boundSpending({ messages }, { plan: judging, ...over }))
      if (!judge.askAgain) continue
      const again = { messages: [...messages, judgment, user(askForRating)] }
      total = addSpending(total, boundSpending(again, { plan: replying, ...over }))
    }
  }
  return total
}

interface Judge {
  engine: string
  maxTokens: number
  askAgain?: boolean
}

/** A plan of one layer without the proposals that another plan has sampled already. */
function leaveOut(plan: Plan, { layers: [sampled] }: Plan): Plan {
  const count = sampled?.voices.reduce((sum, { n }) => sum + n, 0) ?? 0
  const layers = firstLayer(plan).layers.map((layer) => ({
    ...layer,
    voices: layer.voices.map((voice) => ({ ...voice, n: voice.n - count })),
  }))
  return { ...plan, layers, choose: 'last' }
}

function firstLayer(plan: Plan): Plan {
  return { ...plan, layers: plan.layers.slice(0, 1), choose: 'last' }
}

function subtract(a: Spending, b: Spending): Spending {
  return {
    calls: a.calls - b.calls,
    completions: a.completions - b.completions,
    inputTokens: a.inputTokens - b.inputTokens,
    outputTokens: a.outputTokens - b.outputTokens,
    cost: a.cost === undefined || b.cost === undefined ? undefined : a.cost - b.cost,
  }
}

/** Writes the bound as lines for a person, after the lines of `head`. */
export function describeBound(head: [string, string][], bound: Spending): string {
  const number = (value: number) => Math.ceil(value).toLocaleString('en-US')
  const cost = bound.cost === undefined ? 'unknown (aft.config.ts can give the price)' : showCost(bound.cost)
  const lines: [string, string][] = [
    ...head,
    ['calls', `at most ${number(bound.calls)}`],
    ['tokens in', `at most ${number(bound.inputTokens)}`],
    ['tokens out', `at most ${number(bound.outputTokens)}`],
    ['cost', cost],
  ]
  return [
    ...lines.map(([name, value]) => `${name.padEnd(12)}${value}`),
    '',
    'Assumed: a token is 4 bytes of text, every completion is as long as allowed, and no request is retried. What a',
    'journal already has is not asked again.',
  ].join('\n')
}

/** Shows a cost in cents, or more exactly if it is small. */
function showCost(cost: number): string {
  if (cost === 0) return 'none'
  return `at most $${cost.toFixed(cost < 0.1 ? 4 : 2)}`
}
