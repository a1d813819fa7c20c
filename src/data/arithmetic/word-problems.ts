/**
 * Word problems with worked solutions, and drafts that go wrong as people and models do. A problem is a list of
 * steps, so that a wrong step is carried on to the end, and whether a solution is right can be computed.
 */
import type { Operand, Operation, Problem, Step } from './problem.ts'
import { problemKinds } from './word-problem-kinds.ts'

/**
 * How a draft goes wrong.
 * - `slip`: one result is miscalculated; `wrong-operation`: plus for minus, times for divided by, or the other way
 * - `misread`: another number of the question, or one that is off by a little, stands for one of its numbers
 * - `stops-early`: the last step is left out; `skips-step`: a step in between is
 */
export type Corruption = 'slip' | 'wrong-operation' | 'misread' | 'stops-early' | 'skips-step'

const corruptions: Corruption[] = ['slip', 'slip', 'wrong-operation', 'misread', 'stops-early', 'skips-step']
const opposite: Record<Operation, Operation> = { '+': '-', '-': '+', '*': '/', '/': '*' }

type Random = () => number
const pick = <T>(items: readonly T[], random: Random): T => items[Math.floor(random() * items.length)] as T

/** A problem whose steps all give numbers above 0, tenths at most, and whose answer is a whole number. */
export function makeProblem(random: Random): Problem {
  const kinds = Object.entries(problemKinds)
  for (;;) {
    const [kind, make] = pick(kinds, random)
    const problem = { kind, ...make(random) }
    const values = evaluate(problem.steps)
    const isTidy = values.every((value) => value > 0 && Number.isInteger(10 * value))
    if (isTidy && Number.isInteger(values.at(-1))) return problem
  }
}

/** The result of each step; `slips` are added to the results of single steps and carried on. */
export function evaluate(steps: Step[], slips: Record<number, number> = {}): number[] {
  const values: number[] = []
  for (const [i, { a, operation, b }] of steps.entries()) {
    const [x, y] = [resolveOperand(a, values), resolveOperand(b, values)]
    values.push(compute(x, operation, y) + (slips[i] ?? 0))
  }
  return values
}

function resolveOperand(operand: Operand, values: number[]): number {
  return typeof operand === 'number' ? operand : (values[operand.step] as number)
}

function compute(a: number, operation: Operation, b: number): number {
  if (operation === '+') return a + b
  if (operation === '-') return a - b
  return Math.round((operation === '*' ? a * b : a / b) * 1e6) / 1e6
}

const manners: ((steps: string[], sums: string[]) => string[])[] = [
  (steps) => steps,
  (_, sums) => sums,
  (steps) => steps.map((step, i) => `Step ${i + 1}: ${step}`),
  (steps) =>
    steps.map(
      (step, i) => `${i === 0 ? 'First' : i === steps.length - 1 ? 'Finally' : 'Then'}, ${lower(step)}`,
    ),
  (_, sums) => ["Let's work it out.", ...sums.map((sum) => `${sum}.`)],
  (steps, sums) => [`We need ${sums.length === 1 ? 'one step' : `${sums.length} steps`}.`, ...steps],
]
const lower = (text: string) => text[0]?.toLowerCase() + text.slice(1)

/** A worked solution that ends in `#### N`. `manner` is how it is put, from 0; 0 is that of the targets. */
export function writeSolution(steps: Step[], manner: number, slips: Record<number, number> = {}): string {
  const values = evaluate(steps, slips)
  const sums = steps.map(({ a, operation, b }, i) => {
    return `${show(resolveOperand(a, values))} ${operation} ${show(resolveOperand(b, values))} = ${show(values[i] as number)}`
  })
  const sentences = steps.map(({ about, unit }, i) => `${about} ${sums[i]}${unit && ` ${unit}`}.`)
  const write = manners[manner % manners.length] as (typeof manners)[number]
  return [...write(sentences, sums), `#### ${show(values.at(-1) as number)}`].join('\n')
}

function show(value: number): string {
  return String(Math.round(value * 100) / 100)
}

/** One draft. `corruption` is absent if it is right. No two `draft` numbers under 5 have the same manner, nor the target's. */
export function draftSolution(
  { steps }: Problem,
  { random, draft, rightShare }: { random: Random; draft: number; rightShare: number },
): { text: string; corruption?: Corruption } {
  const manner = 1 + (draft % (manners.length - 1))
  if (random() < rightShare) return { text: writeSolution(steps, manner) }
  const right = show(evaluate(steps).at(-1) as number)
  for (let tries = 0; tries < 50; tries++) {
    const corruption = pick(corruptions, random)
    const { bad, slips } = corrupt(steps, corruption, random)
    const values = bad.length === 0 ? [] : evaluate(bad, slips)
    const isSane = values.length > 0 && values.every((value) => Number.isFinite(value) && value > 0)
    if (isSane && show(values.at(-1) as number) !== right)
      return { text: writeSolution(bad, manner, slips), corruption }
  }
  return { text: writeSolution(steps, manner, { [steps.length - 1]: 1 }), corruption: 'slip' }
}

function corrupt(
  steps: Step[],
  corruption: Corruption,
  random: Random,
): { bad: Step[]; slips?: Record<number, number> } {
  const at = Math.floor(random() * steps.length)
  const step = steps[at] as Step
  const replace = (other: Partial<Step>) => steps.map((s, i) => (i === at ? { ...s, ...other } : s))
  if (corruption === 'slip') return { bad: steps, slips: { [at]: pick([-10, -2, -1, 1, 2, 10], random) } }
  if (corruption === 'wrong-operation') return { bad: replace({ operation: opposite[step.operation] }) }
  if (corruption === 'stops-early') return { bad: steps.slice(0, -1) }
  if (corruption === 'skips-step') return { bad: skipStep(steps, at) }
  const side = typeof step.a === 'number' && (typeof step.b !== 'number' || random() < 0.5) ? 'a' : 'b'
  if (typeof step[side] !== 'number') return { bad: steps }
  const given = steps.flatMap(({ a, b }) => [a, b]).filter((n) => typeof n === 'number')
  return { bad: replace({ [side]: pick([...given, step[side] + 1, step[side] * 10], random) }) }
}

/** What used the step's result uses its first operand instead. The last step cannot be skipped this way. */
function skipStep(steps: Step[], at: number): Step[] {
  const skipped = steps[at] as Step
  if (at === steps.length - 1) return steps
  const mend = (operand: Operand): Operand => {
    if (typeof operand === 'number') return operand
    if (operand.step === at) return mend(skipped.a)
    return { step: operand.step - (operand.step > at ? 1 : 0) }
  }
  return steps.filter((_, i) => i !== at).map((s) => ({ ...s, a: mend(s.a), b: mend(s.b) }))
}
